package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/cfclient/cftest"
	"github.com/on-demand-broker/odb/devdirector"
)

// deleteFile writes the file of delete-all-service-instances.
func (c cloud) deleteFile(more ...string) string {
	GinkgoHelper()
	path := filepath.Join(GinkgoT().TempDir(), "delete.yml")
	lines := append([]string{"polling_initial_offset: 1", "service_catalog: {id: " + serviceID + "}", c.file(), pace}, more...)
	Expect(os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600)).To(Succeed())
	return path
}

// deleteFails makes the Director fail to delete an instance, so many times.
func (w *world) deleteFails(id string, times int) {
	w.director.AddOutcome(devdirector.Outcome{
		Deployment: "service-instance_" + id, Kind: devdirector.KindDelete, Error: &devdirector.TaskError{Code: 1, Message: "the IaaS is away"}, Times: times,
	})
}

func (w *world) deploymentNames() (names []string) {
	GinkgoHelper()
	deployments, err := w.directorClient().Deployments(GinkgoT().Context())
	Expect(err).NotTo(HaveOccurred())
	for _, deployment := range deployments {
		names = append(names, deployment.Name)
	}
	return names
}

const notAuthorized = `{"errors":[{"code":10003,"title":"CF-NotAuthorized","detail":"You are not authorized to perform the requested action"}]}`

var _ = Describe("all service instances", func() {
	const deleteAll, purge = "delete-all-service-instances", "delete-all-service-instances-and-deregister-broker"
	forRoutes := with("  tags: [cache]", "  tags: [cache]\n  requires: [route_forwarding]")

	It("are deleted by the errand of old, several at a time, with all that is bound to them", func() {
		w := newWorld(forRoutes)
		c := w.registeredCloud()
		ids := c.creates("cache-1", "cache-2", "cache-3", "cache-4")
		elsewhere := c.AddSpace(c.AddOrganization("other"), "dev")
		c.binds(ids[0], "key-1", false)
		c.binds(ids[0], c.AddApp(c.space, "web"), true)
		c.AddRouteBinding(ids[1])
		shared := c.ask("POST", "/v3/service_instances/"+ids[2]+"/relationships/shared_spaces", object{"data": []object{{"guid": elsewhere}}})
		Expect(shared.status).To(Equal(http.StatusOK))
		c.binds(ids[2], c.AddApp(elsewhere, "web"), true)
		c.ResetStats()
		p := startAs(deleteAll, "-configFilePath", c.deleteFile())
		Expect(p.end()).To(BeZero(), p.stdout.String())
		Expect(p.stdout.String()).To(And(
			MatchRegexp(`(?m)^\[delete-all-service-instances\] \[[0-9a-f-]{36}\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[delete-all\] STARTING OPERATION with 3 concurrent workers$`),
			ContainSubstring("["+ids[0]+"] Result: Service Instance operation success"), ContainSubstring("Number of successful operations: 4;"), ContainSubstring("FINISHED DELETES\n"),
		))
		Expect(p.stderr.String()).To(BeEmpty())
		Expect(c.Instances()).To(BeEmpty())
		Expect(w.deploymentNames()).To(BeEmpty())
		Expect(c.Stats().ToBrokers).To(And(HaveKeyWithValue("unbind", 4), HaveKeyWithValue("deprovision", 4)))

		By("having nothing more to do")
		code, out, _ := calledAs(deleteAll, "-configFilePath", c.deleteFile())
		Expect(code).To(BeZero())
		Expect(out).To(And(ContainSubstring("Total Service Instances found: 0"), ContainSubstring("FINISHED DELETES")))
		code, _, errs := odb("instances", "delete", "--config", c.deleteFile())
		Expect(errs).To(BeEmpty(), "whom should it ask about?")
		Expect(code).To(BeZero())
		code, _, _ = odb("deregister", "--config", c.deleteFile(), "--broker-name", "redis-broker")
		Expect(code).To(BeZero())
		code, out, _ = calledAs(deleteAll, "-configFilePath", c.deleteFile())
		Expect(code).To(BeZero())
		Expect(out).To(And(ContainSubstring("No broker offers the service with the id service-guid"), ContainSubstring("FINISHED DELETES")))
	})

	It("cost Cloud Foundry few requests each, and what is bound besides", func() {
		w := newWorld(with("metadata: {display_name: Redis, shareable: true}", "metadata: {display_name: Redis}"))
		c := w.registeredCloud()
		c.creates("cache-1", "cache-2", "cache-3", "cache-4")
		c.ResetStats()
		code, _, errs := odb("instances", "delete", "--yes", "--config", c.deleteFile(), "--max-in-flight", "4")
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero())
		const all = 6 // root, offerings, plans, bindings, the list before and after
		Expect(c.Stats().Total).To(BeNumerically("<=", 4*3+all), "deletion, and two looks: %v", c.Stats().Requests)
	})

	It("that an earlier deletion has failed of are deleted again; one that runs is waited for", func() {
		w, ends := slowWorld()
		w.director.SetTaskDuration("", 0)
		c := w.registeredCloud()
		ids := c.creates("cache-1", "cache-2", "cache-3")
		w.deleteFails(ids[0], 1)
		Expect(c.state("DELETE", "/v3/service_instances/"+ids[0], nil)).To(Equal("FAILED"))

		w.director.SetTaskDuration(devdirector.KindDelete, time.Minute)
		w.deleteFails(ids[2], 1)
		for _, id := range ids[1:] {
			Expect(c.ask("DELETE", "/v3/service_instances/"+id, nil).status).To(Equal(http.StatusAccepted))
			Eventually(func() string { i, _ := c.Instance(id); return i.LastOperation.Type }).Should(Equal("delete"))
		}
		c.ResetStats()
		p := startODB("instances", "delete", "--yes", "--config", c.deleteFile(), "--max-in-flight", "3")
		for _, id := range ids {
			Eventually(p.stdout.String).Should(ContainSubstring("[" + id + "] Result: operation accepted"))
		}
		w.director.SetTaskDuration(devdirector.KindDelete, 0)
		ends()
		Expect(p.end()).To(BeZero(), p.stderr.String())
		Expect(p.stdout.String()).To(ContainSubstring("Number of successful operations: 3;"))
		Expect(c.Instances()).To(BeEmpty())
		Expect(c.Stats().ToBrokers).To(HaveKeyWithValue("deprovision", 2), "not for the one that was being deleted well")
	})

	// The kinds of ends, under the new name and under the old one.
	DescribeTable("end with the right exit code", func(prepare func(w *world, c cloud, id string), newName, oldName int, says string) {
		w := newWorld(setting{director: func(o *devdirector.Options) { o.Workers = 10 }})
		c := w.registeredCloud()
		ids := c.creates("cache-1", "cache-2")
		prepare(w, c, ids[0])
		code, out, errs := odb("instances", "delete", "--yes", "--config", c.deleteFile())
		Expect(code).To(Equal(newName), out+errs)
		Expect(out + errs).To(MatchRegexp(strings.ReplaceAll(says, "ID", ids[0])))
		code, out, _ = calledAs(deleteAll, "-configFilePath", c.deleteFile())
		Expect(code).To(Equal(oldName), out)
		Expect(out).To(MatchRegexp(strings.ReplaceAll(says, "ID", ids[0])))
		Expect(strings.Contains(out, "FINISHED DELETES")).To(Equal(oldName == 0))
	},
		Entry("all well", func(*world, cloud, string) {}, 0, 0, "Status: SUCCESS"),
		Entry("one fails on the broker's side", func(w *world, _ cloud, id string) { w.deleteFails(id, -1) }, 3, 1,
			`\[ID\] Operation failed: Instance deletion failed`),
		Entry("one can't be unbound", func(w *world, c cloud, id string) {
			c.binds(id, "key-1", false)
			Expect(w.adapter.Steer("delete-binding", adaptertest.Steering{ExitCode: 1, Stdout: "no route to the VM"})).To(Succeed())
		}, 3, 1, `\[ID\] Operation failed: unbinding service key key-1: .*no route to the VM`),
		Entry("one is updated meanwhile", func(w *world, c cloud, id string) {
			w.director.SetTaskDuration(devdirector.KindDeploy, time.Hour)
			Expect(c.ask("PATCH", "/v3/service_instances/"+id, object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusAccepted))
		}, 4, 1, `\[ID\] Given up: busy at each attempt`),
		Entry("Cloud Foundry may not be asked", func(_ *world, c cloud, _ string) {
			Expect(c.AddFault(cftest.Fault{Match: "GET /v3/service_offerings", Status: 403, Body: notAuthorized})).To(Succeed())
		}, 1, 1, "looking for service offering service-guid: Cloud Foundry refused GET /v3/service_offerings: status 403"),
	)

	It("are gone in the end, although Cloud Foundry is limiting, failing and slow", func() {
		w := newWorld()
		c := w.registeredCloud()
		ids := c.creates("cache-1", "cache-2", "cache-3", "cache-4")
		c.binds(ids[0], "key-1", false)
		for _, fault := range []cftest.Fault{
			{Match: "GET /v3/service_instances", Status: 429, RetryAfter: time.Second, Times: 1},
			{Match: "DELETE /v3/service_credential_bindings/", Status: 502, Times: 1, AfterHandling: true},
			{Match: "DELETE /v3/service_instances/" + ids[1], Status: 502, Times: 1, AfterHandling: true},
			{Match: "DELETE /v3/service_instances/" + ids[2], Status: 502, Times: 1},
			{Match: "DELETE /v3/service_instances/" + ids[3], Delay: 200 * time.Millisecond, Times: 1},
			{Match: "GET /v3/service_instances/" + ids[3], Status: 503, Times: 2},
		} {
			Expect(c.AddFault(fault)).To(Succeed())
		}
		c.ResetStats()
		code, out, errs := odb("instances", "delete", "--yes", "--config", c.deleteFile(), "--max-in-flight", "4", "--json")
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero(), out)
		Expect(lastEvent(out)).To(And(HaveKeyWithValue("event", "summary"), HaveKeyWithValue("end", "well"), HaveKeyWithValue("successful", 4.0)))
		Expect(c.Instances()).To(BeEmpty())
		Expect(c.Stats().ToBrokers).To(And(HaveKeyWithValue("unbind", 1), HaveKeyWithValue("deprovision", 4)))
	})

	It("are deleted once each, although the command is killed midway and run again", func() {
		w := newWorldWithoutBroker()
		w.serveProcess("--config")
		c := w.registeredCloud()
		ids := c.creates("cache-1", "cache-2", "cache-3", "cache-4", "cache-5", "cache-6")
		w.director.SetTaskDuration(devdirector.KindDelete, 400*time.Millisecond)
		c.ResetStats()
		p := startODB("instances", "delete", "--yes", "--config", c.deleteFile(), "--max-in-flight", "2")
		Eventually(p.stdout.String).Should(ContainSubstring("[" + ids[2] + "] Result: operation accepted"))
		p.kill()
		p = startAs(deleteAll, "-configFilePath", c.deleteFile())
		Expect(p.end()).To(BeZero(), p.stdout.String())
		Expect(c.Instances()).To(BeEmpty())
		Expect(c.Stats().ToBrokers).To(HaveKeyWithValue("deprovision", 6))
	})

	It("are gone in the end, although the broker restarts midway", func() {
		w := newWorldWithoutBroker()
		serving := w.serveProcess("--config")
		c := w.registeredCloud()
		c.creates("cache-1", "cache-2")
		serving.kill()
		c.ResetStats()
		p := startODB("instances", "delete", "--yes", "--config", c.deleteFile(), "--max-in-flight", "2")
		Eventually(func() int { return c.Stats().ToBrokers["deprovision"] }).Should(BeNumerically(">=", 2))
		startODB("serve", "--config", w.dir+"/broker.yml")
		Expect(p.end()).To(BeZero(), p.stdout.String()+p.stderr.String())
		Expect(c.Instances()).To(BeEmpty())
		Expect(w.director.Stats().Tasks[devdirector.KindDelete]).To(Equal(2))
	})

	It("are shown first, if that is wanted, and only those that are meant are touched", func() {
		w := newWorld()
		c := w.registeredCloud()
		ids := c.creates("cache-1", "cache-2", "cache-3")
		c.binds(ids[0], "key-1", false)
		c.binds(ids[0], c.AddApp(c.space, "web"), true)
		c.binds(ids[0], c.AddApp(c.space, "worker"), true)
		code, out, errs := odb("instances", "delete", "--dry-run", "--config", c.deleteFile(), "--exclude", "id="+ids[2])
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero())
		Expect(out).To(Equal("[" + ids[0] + "] cache-1 (acme/prod) plan small: 2 bound apps, 1 service key\n" +
			"[" + ids[1] + "] cache-2 (acme/prod) plan small: nothing bound\n2 service instances would be deleted, with their data\n"))
		code, out, _ = odb("instances", "delete", "--dry-run", "--json", "--config", c.deleteFile(), "--only", "id="+ids[0])
		Expect(code).To(BeZero())
		Expect(out).To(MatchJSON(`{"instance":{"id":"` + ids[0] + `","name":"cache-1","plan_id":"small-plan-guid","plan":"small","org":"acme","space":"prod"},"attached":{"apps":2,"keys":1,"routes":0,"shares":0}}`))

		code, out, errs = odb("instances", "delete", "--config", c.deleteFile())
		Expect(code).To(Equal(2))
		Expect(out).To(BeEmpty())
		Expect(errs).To(ContainSubstring("give --yes where there is no terminal to ask on"))
		Expect(c.Instances()).To(HaveLen(3))

		code, _, errs = odb("instances", "delete", "--yes", "--config", c.deleteFile(), "--only", "id="+ids[0], "--only", "id="+ids[1])
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero())
		Expect(c.Instances()).To(ConsistOf(HaveField("Name", "cache-3")))
	})

	It("are told if they are made while the others are deleted", func() {
		w, ends := slowWorld()
		w.director.SetTaskDuration(devdirector.KindDeploy, 0)
		c := w.registeredCloud()
		c.creates("cache-1")
		p := startODB("instances", "delete", "--yes", "--config", c.deleteFile())
		Eventually(p.stdout.String).Should(ContainSubstring("Result: operation accepted"))
		late := c.creates("cache-2")
		ends()
		Expect(p.end()).To(Equal(3))
		Expect(p.stderr.String()).To(Equal("odb: service instances remain: " + late[0] + " (create succeeded)\n"))
	})

	It("are those of the broker that is meant, if several have the same ids", func() {
		w := newWorld()
		c := w.registeredCloud()
		c.creates("cache-1")
		c.AddBroker(cftest.Broker{Name: "copy", Offerings: []cftest.Offering{{Name: "redis-copy", CatalogID: serviceID, Plans: []cftest.Plan{{Name: "small", CatalogID: smallPlan}}}}})
		c.AddInstance(cftest.Instance{GUID: "theirs", PlanGUID: c.PlanGUID(smallPlan), SpaceGUID: c.space})
		code, out, _ := calledAs(deleteAll, "-configFilePath", c.deleteFile())
		Expect(code).To(Equal(1))
		Expect(out).To(ContainSubstring("2 brokers offer a service with the id service-guid: say which one is meant, by broker_name"))
		code, _, errs := odb("instances", "delete", "--yes", "--config", c.deleteFile(), "--broker-name", "redis-broker")
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero())
		Expect(c.Instances()).To(ConsistOf(HaveField("GUID", "theirs")))
	})

	Describe("and the broker", func() {
		It("are gone after the errand of old", func() {
			w := newWorld()
			c := w.registeredCloud()
			c.creates("cache-1", "cache-2")
			p := startAs(purge, "-brokerName", "redis-broker", "-configFilePath", c.deleteFile())
			Expect(p.end()).To(BeZero(), p.stdout.String())
			Expect(p.stdout.String()).To(MatchRegexp(`(?s)plan small: access was for everybody, is now for nobody.*plan large: .*FINISHED DELETES.*broker redis-broker: deregistered.*FINISHED PURGE INSTANCES AND DEREGISTER BROKER`))
			Expect(c.Instances()).To(BeEmpty())
			Expect(c.ask("GET", "/v3/service_brokers", nil).body["resources"]).To(BeEmpty())
			code, out, _ := calledAs(purge, "-brokerName", "redis-broker", "-configFilePath", c.deleteFile())
			Expect(code).To(BeZero())
			Expect(out).To(ContainSubstring("FINISHED PURGE INSTANCES AND DEREGISTER BROKER"))
		})

		It("stay when that goes wrong, and what access is like is told", func() {
			w := newWorld()
			c := w.registeredCloud()
			ids := c.creates("cache-1")
			c.opens(largePlan, c.AddOrganization("dev"))
			w.deleteFails(ids[0], 1)
			arguments := []string{"-brokerName", "redis-broker", "-configFilePath", c.deleteFile()}
			code, out, _ := calledAs(purge, arguments...)
			Expect(code).To(Equal(1))
			Expect(out).To(MatchRegexp(`Purger Failed: \[` + ids[0] + `\] operation failed: .*; nobody has access to the plans now \(small was for everybody; large was for organization dev\): run this again, or register the broker`))
			Expect([]string{c.access(smallPlan), c.access(largePlan)}).To(Equal([]string{"admin", "admin"}))
			code, out, _ = calledAs(purge, arguments...)
			Expect(code).To(BeZero(), out)
			Expect(out).To(ContainSubstring("plan small: access is for nobody already"))

			c = w.registeredCloud()
			Expect(c.AddFault(cftest.Fault{Match: "PATCH /v3/service_plans/" + c.PlanGUID(largePlan), Status: 403, Body: notAuthorized})).To(Succeed())
			code, out, _ = calledAs(purge, "-brokerName", "redis-broker", "-configFilePath", c.deleteFile())
			Expect(code).To(Equal(1))
			Expect(out).To(MatchRegexp(`Purger Failed: access to plan large: .*; access was taken away from some plans \(small was for everybody\): run this again`))
		})

		It("are untouched if the service is another broker's", func() {
			w := newWorld()
			c := w.registeredCloud()
			c.creates("cache-1")
			code, out, _ := calledAs(purge, "-brokerName", "redis", "-configFilePath", c.deleteFile())
			Expect(code).To(Equal(1))
			Expect(out).To(ContainSubstring(`Purger Failed: another broker offers the service with the id service-guid: service broker "redis": not found`))
			Expect(c.access(smallPlan)).To(Equal("public"))
			Expect(c.Instances()).To(HaveLen(1))
			code, out, _ = calledAs(purge, "-configFilePath", c.deleteFile())
			Expect(code).To(Equal(1))
			Expect(out).To(ContainSubstring("give it with -brokerName"))
		})
	})
})
