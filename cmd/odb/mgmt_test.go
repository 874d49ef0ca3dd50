package main

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

// manage asks as an operator's errand does: without a version header.
func (p *platform) manage(method, path string, body any) answer {
	GinkgoHelper()
	return p.do(method, "/mgmt"+path, body, func(r *http.Request) { r.Header.Del("X-Broker-API-Version") })
}

func (p *platform) upgrade(id string, query ...string) answer {
	GinkgoHelper()
	path := "/service_instances/" + id + "?operation_type=upgrade"
	for _, q := range query {
		path += "&" + q
	}
	return p.manage("PATCH", path, object{"plan_id": smallPlan, "context": object{"space_guid": "space-1"}})
}

func (p *platform) recreate(id string) answer {
	GinkgoHelper()
	return p.manage("PATCH", "/service_instances/"+id+"?operation_type=recreate", object{"plan_id": smallPlan, "context": object{"space_guid": "space-1"}})
}

// withErrand gives the small plan a post-deploy errand.
var withErrand = setting{config: func(yaml string) string {
	GinkgoHelper()
	yaml = with("    instance_groups:", "    lifecycle_errands: {post_deploy: [{name: smoke}]}\n    instance_groups:").config(yaml)
	return with("jobs: [redis-server]", "jobs: [redis-server, smoke]").config(yaml)
}}

// newStemcell is what an operator rolls out.
var newStemcell = with(`version: "1.999"`, `version: "1.1000"`)

// manifestWithVariable has a password that the Director makes.
var manifestWithVariable = func() adaptertest.Steering {
	steering := makes("((pw))", 1, nil)
	steering.Manifest += "variables: [{name: pw, type: password}]\n"
	return steering
}()

var _ = Describe("the management API", func() {
	status := func(a answer, want int) { GinkgoHelper(); Expect(a.status).To(Equal(want), a.text) }

	It("wants the password, and no version", func() {
		w := newWorld()
		a := w.platform.do("GET", "/mgmt/service_instances", nil, func(r *http.Request) { r.SetBasicAuth(platformUser, "wrong") })
		status(a, http.StatusUnauthorized)
		status(w.platform.manage("GET", "/service_instances", nil), http.StatusOK)
		status(w.platform.manage("DELETE", "/service_instances", nil), http.StatusMethodNotAllowed)
		status(w.platform.manage("HEAD", "/service_instances", nil), http.StatusMethodNotAllowed)
		status(w.platform.manage("GET", "/nothing", nil), http.StatusNotFound)
	})

	Describe("the list of instances", func() {
		It("has those that are remembered, and is empty rather than null", func() {
			w := newWorld()
			a := w.platform.manage("GET", "/service_instances", nil)
			status(a, http.StatusOK)
			Expect(a.text).To(Equal("[]\n"))
			Expect(a.header.Get("Content-Type")).To(Equal("application/json"))

			w.platform.provision("i-1", object{"context": object{"space_guid": "space-1", "organization_name": "o", "space_name": "s"}})
			w.platform.provision("i-2", object{"plan_id": largePlan})
			Expect(w.platform.manage("GET", "/service_instances", nil).text).To(Equal(
				`[{"service_instance_id":"i-1","plan_id":"small-plan-guid","space_guid":"space-1"},{"service_instance_id":"i-2","plan_id":"large-plan-guid"}]` + "\n"))

			By("filtering by organization and space")
			Expect(w.platform.manage("GET", "/service_instances?cf_org=o&cf_space=s", nil).text).To(Equal(
				`[{"service_instance_id":"i-1","plan_id":"small-plan-guid","space_guid":"space-1"}]` + "\n"))
			Expect(w.platform.manage("GET", "/service_instances?cf_org=o&cf_space=elsewhere", nil).text).To(Equal("[]\n"))

			By("refusing half a filter")
			for _, query := range []string{"cf_org=o", "cf_org=o&cf_space=", "cf_org=o&cf_space=s&more=1"} {
				a = w.platform.manage("GET", "/service_instances?"+query, nil)
				status(a, http.StatusInternalServerError)
				Expect(a.text).To(BeEmpty())
			}
		})

		It("has no instance of another offering", func() {
			w := newWorld()
			w.platform.provision("i-1", nil)
			w.serve(with("  id: "+serviceID, "  id: other-service"))
			Expect(w.platform.manage("GET", "/service_instances", nil).text).To(Equal("[]\n"))
		})

		It("fails where nothing is remembered, rather than being empty", func() {
			w := newWorld(with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true"))
			status(w.platform.manage("GET", "/service_instances", nil), http.StatusInternalServerError)
			Expect(w.log.String()).To(ContainSubstring("instances are not remembered"))
		})
	})

	Describe("an upgrade", func() {
		It("deploys what is configured now, and answers with the operation", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			w.serve(newStemcell)
			a := w.platform.upgrade("i-1")
			status(a, http.StatusAccepted)
			Expect(a.text).To(Equal(`{"BoshTaskID":2,"OperationType":"upgrade","PostDeployErrand":{},"PreDeleteErrand":{}}` + "\n"))
			Expect(a.header.Get("Content-Type")).To(Equal("application/json"))
			Expect(w.platform.follow("i-1", a.text)).To(Equal("succeeded"))
			Expect(w.platform.lastOperation("i-1", a.text).description()).To(Equal("Instance upgrade completed"))
			Expect(requestParameters(w)[1]).To(Equal(`{"context":{"space_guid":"space-1"}}`))
			Expect(w.record("i-1")).To(HaveKeyWithValue("operation", HaveKeyWithValue("type", "upgrade")))
		})

		It("runs the post-deploy errands", func() {
			w := newWorld(withErrand)
			w.platform.provisioned("i-1")
			w.serve(withErrand, newStemcell)
			var a answer
			Eventually(func() int { a = w.platform.upgrade("i-1"); return a.status }).Should(Equal(http.StatusAccepted), "a broker that starts looks after what was under way")
			Expect(a.text).To(MatchRegexp(`^{"BoshTaskID":3,"BoshContextID":"[0-9a-f-]{36}","OperationType":"upgrade","PostDeployErrand":{},"PreDeleteErrand":{},"Errands":\[{"Name":"smoke"}\]}` + "\n$"))
			Expect(w.platform.follow("i-1", a.text)).To(Equal("succeeded"))
			Expect(w.director.Stats().Tasks).To(HaveKeyWithValue(devdirector.KindErrand, 2))
		})

		It("leaves an instance alone that is up to date, unless forced", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			before := w.configs("i-1")
			w.director.ResetStats()
			a := w.platform.upgrade("i-1")
			status(a, http.StatusNoContent)
			Expect(a.text).To(BeEmpty())
			Expect(w.director.Stats().TotalTasks).To(BeZero())
			Expect(w.configs("i-1")).To(Equal(before))
			status(w.platform.upgrade("i-1", "force=true"), http.StatusAccepted)
		})

		DescribeTable("is due also when the manifest is the same but", func(change func(w *world)) {
			w := newWorld()
			w.platform.provisioned("i-1")
			change(w)
			a := w.platform.upgrade("i-1")
			status(a, http.StatusAccepted)
			Expect(w.platform.follow("i-1", a.text)).To(Equal("succeeded"))
			status(w.platform.upgrade("i-1"), http.StatusNoContent)
		},
			Entry("the maintenance version is another", func(w *world) {
				w.serve(with("  global_properties:", "  maintenance_info: {version: 2.0.0}\n  global_properties:"))
			}),
			Entry("the adapter returns a config", func(w *world) {
				Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
			}),
			Entry("the last operation failed", func(w *world) {
				w.director.AddOutcome(devdirector.Outcome{Error: &devdirector.TaskError{Code: 1, Message: "no disk"}})
				a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
				Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
			}),
		)

		It("is due where a variable may have been rotated, which no manifest shows", func() {
			w := newWorld()
			Expect(w.adapter.Steer("generate-manifest", manifestWithVariable)).To(Succeed())
			w.platform.provisioned("i-1")
			status(w.platform.upgrade("i-1"), http.StatusAccepted)
			Expect(w.log.String()).To(ContainSubstring("the broker can't tell whether they were rotated"))
		})

		It("adopts an instance of the predecessor without deploying it", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			Expect(w.directorClient().DeleteConfig(GinkgoT().Context(), "odb-instance", "service-instance_i-1")).To(Succeed())
			Expect(w.platform.manage("GET", "/service_instances", nil).text).To(Equal("[]\n"))
			status(w.platform.upgrade("i-1"), http.StatusNoContent)
			Expect(w.platform.manage("GET", "/service_instances", nil).text).To(ContainSubstring(`"i-1","plan_id":"small-plan-guid","space_guid":"space-1"`))
			status(w.platform.upgrade("i-1"), http.StatusNoContent)
			status(w.platform.update("i-1", object{"parameters": object{"a": 1}}), http.StatusAccepted)
		})
	})

	Describe("a recreation", func() {
		It("makes the VMs anew without asking the adapter, and runs the post-deploy errands", func() {
			w := newWorld(withErrand)
			w.platform.provisioned("i-1")
			Expect(w.adapter.Forget()).To(Succeed())
			w.director.ResetStats()
			a := w.platform.recreate("i-1")
			status(a, http.StatusAccepted)
			Expect(a.text).To(MatchRegexp(`^{"BoshTaskID":3,"BoshContextID":"[0-9a-f-]{36}","OperationType":"recreate","PostDeployErrand":{},"PreDeleteErrand":{},"Errands":\[{"Name":"smoke"}\]}` + "\n$"))
			Expect(w.record("i-1")).To(HaveKeyWithValue("operation", HaveKeyWithValue("type", "recreate")))
			Expect(w.platform.follow("i-1", a.text)).To(Equal("succeeded"))
			Expect(w.platform.lastOperation("i-1", a.text).description()).To(Equal("Instance recreate completed"))
			Expect(w.director.Stats().Tasks).To(HaveKeyWithValue(devdirector.KindErrand, 1))
			Expect(w.calls()).To(BeEmpty())
		})

		It("is forgotten when the Director refuses it", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			before := w.configs("i-1")
			Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "PUT", Path: "/deployments/", Status: 400, Body: `{"code":1,"description":"no"}`})).To(Succeed())
			status(w.platform.recreate("i-1"), http.StatusInternalServerError)
			Expect(w.configs("i-1")).To(Equal(before))
		})
	})

	DescribeTable("refuses an operation", func(operation string) {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		path := "/service_instances/i-1?operation_type=" + operation
		body := object{"plan_id": smallPlan}

		By("on an instance that has no deployment")
		a := w.platform.manage("PATCH", path, body)
		status(a, http.StatusGone)
		Expect(a.text).To(BeEmpty())

		By("while a task runs")
		provision := w.platform.provision("i-1", nil)
		a = w.platform.manage("PATCH", path, body)
		status(a, http.StatusConflict)
		Expect(a.text).To(BeEmpty())
		clock.Advance(2 * time.Minute)
		Expect(w.platform.follow("i-1", provision.operation())).To(Equal("succeeded"))

		By("that isn't JSON")
		a = w.platform.manage("PATCH", path, "{")
		status(a, http.StatusUnprocessableEntity)
		Expect(a.text).To(Equal(`{"description":"Error in request body. Invalid JSON"}` + "\n"))

		By("that names no plan of the catalog")
		for _, plan := range []string{"", "gone"} {
			a = w.platform.manage("PATCH", path, object{"plan_id": plan})
			status(a, http.StatusInternalServerError)
			Expect(a.description()).To(ContainSubstring("plan"))
		}

		By("when the Director is away")
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Path: "/", Status: 502})).To(Succeed())
		a = w.platform.manage("PATCH", path, body)
		status(a, http.StatusServiceUnavailable)
		Expect(a.description()).To(ContainSubstring("try again later"))
	}, Entry("to upgrade", "upgrade"), Entry("to recreate", "recreate"))

	It("knows no other operation", func() {
		w := newWorld()
		for _, query := range []string{"", "?operation_type=", "?operation_type=delete"} {
			a := w.platform.manage("PATCH", "/service_instances/i-1"+query, object{"plan_id": smallPlan})
			status(a, http.StatusBadRequest)
			Expect(a.text).To(BeEmpty())
		}
	})

	It("names the task of an upgrade that fails, in the words that errands know", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Times: 1, Error: &devdirector.TaskError{Code: 450001, Message: "redis/0 is not running after update"}})
		a := w.platform.upgrade("i-1", "force=true")
		status(a, http.StatusAccepted)
		Expect(w.platform.follow("i-1", a.text)).To(Equal("failed"))
		Expect(w.platform.lastOperation("i-1", a.text).description()).To(Equal("Failed for bosh task: 2"))
	})

	It("tells an adapter's words when an upgrade fails", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{ExitCode: 1, Stdout: "no more disks"})).To(Succeed())
		a := w.platform.upgrade("i-1")
		status(a, http.StatusInternalServerError)
		Expect(a.text).To(Equal(`{"description":"no more disks"}` + "\n"))
	})
})
