package devdirector_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

type vm struct {
	ID    string
	CID   string
	IPs   []string
	Index int
}

func (c *caller) vms(deployment string) []vm {
	GinkgoHelper()
	var list []vm
	c.getJSON("/deployments/"+deployment+"/vms", &list)
	return list
}

var _ = Describe("an update", func() {
	It("keeps the instances that it can, and updates only groups that changed", func() {
		bosh := callerOf(start(devdirector.Options{}))
		bosh.deploy(manifestOf("a", 2))
		before := bosh.vms("a")

		Expect(bosh.events(bosh.deploy(manifestOf("a", 2)))).NotTo(ContainSubstring("Updating instance"))
		Expect(bosh.vms("a")).To(Equal(before))

		events := bosh.events(bosh.deploy(manifestOf("a", 3)))
		Expect(events).To(ContainSubstring(`"stage":"Creating missing vms","tags":[],"total":1`))
		Expect(events).To(ContainSubstring(`"stage":"Updating instance","tags":["redis"],"total":3`))
		after := bosh.vms("a")
		Expect(after[:2]).To(Equal(before))
		Expect(after).To(HaveLen(3))

		Expect(bosh.events(bosh.deploy(manifestOf("a", 1)))).To(ContainSubstring(`"stage":"Deleting unneeded instances"`))
		Expect(bosh.vms("a")).To(Equal(before[:1]))
		Expect(bosh.get("/disks").body).To(ContainSubstring(`"deployment_name":"a"`))
	})

	It("makes new VMs with the old addresses when it recreates", func() {
		bosh := callerOf(start(devdirector.Options{}))
		bosh.deploy(manifestOf("a", 1))
		before := bosh.vms("a")[0]
		id := bosh.send(http.MethodPut, "/deployments/a/jobs/*?state=recreate", "", "Content-Type", "text/yaml").task()
		Expect(bosh.task(id).State).To(Equal("done"))
		after := bosh.vms("a")[0]
		Expect(after.CID).NotTo(Equal(before.CID))
		Expect(after.IPs).To(Equal(before.IPs))
		Expect(after.ID).To(Equal(before.ID))
	})

	It("keeps the manifest of before when it fails", func() {
		d := start(devdirector.Options{})
		bosh := callerOf(d)
		bosh.deploy(manifestOf("a", 1))
		d.AddOutcome(devdirector.Outcome{Error: &devdirector.TaskError{Code: 450001, Message: "no"}})
		Expect(bosh.task(bosh.deploy(manifestOf("a", 2))).State).To(Equal("error"))
		Expect(bosh.get("/deployments/a").body).To(ContainSubstring("instances: 1"))
	})
})

var _ = Describe("dynamic networks", func() {
	It("give addresses only to those who ask the agents", func() {
		bosh := callerOf(start(devdirector.Options{DynamicNetworks: []string{"default"}}))
		bosh.deploy(manifestOf("a", 1))
		Expect(bosh.get("/deployments/a/instances").body).To(ContainSubstring(`"ips":[]`))
		task := bosh.get("/deployments/a/vms?format=full").task()
		Expect(bosh.get(fmt.Sprintf("/tasks/%d/output?type=result", task)).body).To(ContainSubstring(`"ips":["10.244.0.2"]`))
	})
})

var _ = Describe("an errand", func() {
	var (
		d    *devdirector.Director
		bosh *caller
	)
	result := func(task int) string {
		GinkgoHelper()
		return bosh.get(fmt.Sprintf("/tasks/%d/output?type=result", task)).body
	}

	BeforeEach(func() {
		d = start(devdirector.Options{Errands: map[string]devdirector.Errand{"smoke": {ExitCode: 3, Stdout: "out\n", Stderr: "err\n"}}})
		bosh = callerOf(d)
		bosh.deploy(manifestOf("a", 2))
	})

	It("runs on each instance, and its task is done although it failed", func() {
		id := bosh.runErrand("a", "smoke")
		Expect(bosh.task(id).State).To(Equal("done"))
		Expect(*bosh.task(id).Result).To(Equal("0 succeeded, 2 errored, 0 canceled"))
		Expect(strings.Count(result(id), `"errand_name":"smoke","exit_code":3,"stdout":"out\n","stderr":"err\n"`)).To(Equal(2))
	})

	It("runs on the instances that are asked for", func() {
		d.SetErrand("smoke", devdirector.Errand{})
		for _, target := range []string{`{"group":"redis","id":"1"}`, `{"group":"redis","id":"first"}`} {
			id := bosh.send(http.MethodPost, "/deployments/a/errands/smoke/runs", `{"instances":[`+target+`]}`, "Content-Type", "application/json").task()
			Expect(*bosh.task(id).Result).To(Equal("1 succeeded, 0 errored, 0 canceled"))
		}
	})

	It("has a VM only while it runs, if it has a group of its own", func() {
		manifest := strings.Replace(manifestOf("c", 1), "- name: redis\n  azs", "- name: check\n  lifecycle: errand\n  azs", 1)
		bosh.deploy(manifest)
		Expect(bosh.vms("c")).To(BeEmpty())
		id := bosh.runErrand("c", "check")
		Expect(bosh.events(id)).To(ContainSubstring("Deleting errand instances"))
		Expect(*bosh.task(id).Result).To(Equal("1 succeeded, 0 errored, 0 canceled"))
		Expect(bosh.vms("c")).To(BeEmpty())
	})
})

var _ = Describe("configs", func() {
	claim := func(bosh *caller, content string) answer {
		body := fmt.Sprintf(`{"type":"odb","name":"x","content":"a: %s","expected_latest_id":"0"}`, content)
		a, err := bosh.try(http.MethodPost, "/configs", body, "Content-Type", "application/json")
		if err != nil {
			return answer{body: err.Error()}
		}
		return a
	}

	It("can be claimed once", func() {
		bosh := callerOf(start(devdirector.Options{}))
		Expect(claim(bosh, "1").status).To(Equal(http.StatusCreated))
		Expect(claim(bosh, "2").status).To(Equal(http.StatusPreconditionFailed))
	})

	It("can be claimed by two at the same moment, as in a real Director", func() {
		bosh := callerOf(start(devdirector.Options{ConfigClaimWindow: 200 * time.Millisecond}))
		answers := make(chan answer, 2)
		for n := range 2 {
			go func() { answers <- claim(bosh, fmt.Sprint(n)) }()
		}
		Expect((<-answers).status).To(Equal(http.StatusCreated))
		Expect((<-answers).status).To(Equal(http.StatusCreated))
		Expect(strings.Count(bosh.get("/configs?type=odb&name=x&latest=false").body, `"id":`)).To(Equal(2))
	})
})
