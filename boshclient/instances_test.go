package boshclient_test

import (
	"context"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

const (
	serverID  = "62b7f7eb-f56a-4c75-b029-98697fde4695"
	noAddress = `[{"job":"server","index":0,"id":"` + serverID + `","az":"z1","ips":[],"expects_vm":true},
		{"job":"proxy","index":1,"id":"p","az":null,"ips":["10.0.0.9"],"expects_vm":true},
		{"job":"smoke","index":null,"id":"e","az":null,"ips":[],"expects_vm":false}]`
)

func taskIn(state string) http.HandlerFunc {
	return answering(200, `{"id":4,"state":"`+state+`","description":"retrieve vm-stats","result":"why"}`)
}

// dynamicRoutes are those of a deployment in a dynamic network; the task's states follow one another.
func dynamicRoutes(states ...http.HandlerFunc) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /deployments/si-a/instances": answering(200, noAddress),
		"GET /deployments/si-a/vms":       redirecting(302, "/tasks/4"),
		"GET /tasks/4":                    inTurn(states...),
		"GET /tasks/4/output":             load("057").play,
		"DELETE /task/4":                  answering(204, ""),
	}
}

var _ = Describe("Instances", func() {
	It("leave out those that expect no VM, and need no task", func(ctx SpecContext) {
		director := newStandIn(answering(200, strings.Replace(noAddress, `"ips":[]`, `"ips":["10.0.0.1","10.1.0.1"]`, 1)))
		Expect(director.client().Instances(ctx, "si-a")).To(Equal([]boshclient.Instance{
			{Group: "server", ID: serverID, AZ: "z1", IPs: []string{"10.0.0.1", "10.1.0.1"}},
			{Group: "proxy", ID: "p", Index: 1, IPs: []string{"10.0.0.9"}},
		}))
		Expect(director.seen()).To(HaveLen(1))
	})

	It("of a deployment without any are none", func(ctx SpecContext) {
		Expect(newStandIn(answering(200, "[]")).client().Instances(ctx, "si-a")).To(BeEmpty())
	})

	It("without an address make the Director ask the VMs", func(ctx SpecContext) {
		director := newStandIn(byRoute(dynamicRoutes(taskIn("queued"), taskIn("processing"), taskIn("done"))))
		Expect(director.client().Instances(ctx, "si-a")).To(Equal([]boshclient.Instance{
			{Group: "server", ID: serverID, AZ: "z1", IPs: []string{"10.244.0.2"}},
			{Group: "proxy", ID: "p", Index: 1, IPs: []string{"10.0.0.9"}},
		}))
		Expect(director.asked()).To(Equal([]string{
			"GET /deployments/si-a/instances", "GET /deployments/si-a/vms", "GET /tasks/4", "GET /tasks/4", "GET /tasks/4", "GET /tasks/4/output",
		}))
		Expect(director.seen()[1].query).To(Equal(load("055").query))
	})

	It("say why the VMs could not be asked", func(ctx SpecContext) {
		director := newStandIn(byRoute(dynamicRoutes(taskIn("error"))))
		_, err := director.client().Instances(ctx, "si-a")
		Expect(unavailable(err).Error()).To(ContainSubstring("task 4 (retrieve vm-stats) ended as error: why"))
	})

	It("are not waited for past the deadline, and the task is cancelled", func(ctx SpecContext) {
		director := newStandIn(byRoute(dynamicRoutes(taskIn("queued"))))
		c := director.client()
		_, err := c.Task(ctx, 4) // so that the connection is there
		Expect(err).NotTo(HaveOccurred())
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		_, err = c.Instances(short, "si-a")
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).To(MatchError(ContainSubstring("still queued")))
		Expect(unavailable(err)).NotTo(BeNil())
		asked := director.asked()
		Expect(asked[len(asked)-1]).To(Equal("DELETE /task/4"))
		Expect(countOf(asked, "GET /deployments/si-a/vms")).To(Equal(1))
	})

	It("are not waited for when the caller has gone, and a task that has ended meanwhile is no fault", func(ctx SpecContext) {
		cancellable, cancel := context.WithCancel(ctx)
		routes := dynamicRoutes(func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) })
		routes["DELETE /task/4"] = load("226").play
		director := newStandIn(byRoute(routes))
		_, err := director.client().Instances(cancellable, "si-a")
		Expect(err).To(MatchError(context.Canceled))
		Expect(director.asked()).To(ContainElement("DELETE /task/4"))
	})

	It("fail when the list of VMs can't be read", func(ctx SpecContext) {
		routes := dynamicRoutes(taskIn("done"))
		routes["GET /tasks/4/output"] = answering(200, `{"id":"`+serverID+`","ips":["10.0.0.1"]}`+"\n{")
		_, err := newStandIn(byRoute(routes)).client().Instances(ctx, "si-a")
		Expect(err).To(MatchError(ContainSubstring("unreadable list of VMs")))
	})
})
