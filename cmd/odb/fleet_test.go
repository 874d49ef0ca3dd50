package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
	"github.com/on-demand-broker/odb/devdirector"
)

// pace makes the bulk commands quick.
const pace = "polling_interval: 1\nattempt_interval: 1\nattempt_limit: 2"

// maintained gives the catalog a maintenance version.
func maintained(version string) setting {
	return with("  global_properties:", "  maintenance_info: {version: "+version+"}\n  global_properties:")
}

// provisionAll makes instances of the small plan.
func (w *world) provisionAll(ids ...string) {
	GinkgoHelper()
	for _, id := range ids {
		w.platform.provisioned(id)
	}
}

// deploys is how often each instance was deployed since the Director's tasks had this number.
func (w *world) deploys(since int) map[string]int {
	GinkgoHelper()
	counts := map[string]int{}
	for _, t := range w.tasks() {
		if t.ID > since {
			counts[strings.TrimPrefix(t.Deployment, "service-instance_")]++
		}
	}
	return counts
}

type directorTask struct {
	ID                int
	State, Deployment string
}

func (w *world) tasks() (all []directorTask) {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodGet, w.director.URL()+"/tasks?limit=10000", nil)
	Expect(err).NotTo(HaveOccurred())
	request.SetBasicAuth("admin", "admin")
	response, err := trusting(w.director.CACert()).Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	Expect(json.NewDecoder(response.Body).Decode(&all)).To(Succeed())
	return all
}

// trusting is a client that trusts a certificate.
func trusting(ca string) *http.Client {
	GinkgoHelper()
	roots := x509.NewCertPool()
	Expect(roots.AppendCertsFromPEM([]byte(ca))).To(BeTrue())
	return &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

func (w *world) lastTask() int {
	GinkgoHelper()
	last := 0
	for _, t := range w.tasks() {
		last = max(last, t.ID)
	}
	return last
}

// cloud is a Cloud Foundry in which the world's broker is registered.
type cloud struct {
	*cftest.CloudController
	space string
}

// newCloud registers the broker with plans of the maintenance version.
func (w *world) newCloud(version string) cloud {
	GinkgoHelper()
	controller := startCloud()
	controller.AddBroker(cftest.Broker{
		Name: "redis-broker", URL: w.platform.url, Username: platformUser, Password: platformPassword,
		Offerings: []cftest.Offering{{Name: "redis", CatalogID: serviceID, Plans: []cftest.Plan{
			{Name: "small", CatalogID: smallPlan, MaintenanceVersion: version, Public: true},
			{Name: "large", CatalogID: largePlan, MaintenanceVersion: version, Public: true},
		}}},
	})
	return cloud{controller, controller.AddSpace(controller.AddOrganization("acme"), "prod")}
}

// knows adds instances of the broker, with the maintenance version that the platform last deployed them with.
func (c cloud) knows(version string, ids ...string) {
	for _, id := range ids {
		c.AddInstance(cftest.Instance{GUID: id, Name: "cache-" + id, PlanGUID: c.PlanGUID(smallPlan), SpaceGUID: c.space, MaintenanceVersion: version})
	}
}

// file is the section of a companion command's file.
func (c cloud) file() string {
	return fmt.Sprintf("maintenance_info_present: true\ncf:\n  url: %s\n  root_ca_cert: |\n    %s\n  uaa: {url: %q, authentication: {client_credentials: {client_id: %s, client_secret: %s}}}",
		c.URL(), strings.ReplaceAll(strings.TrimSpace(c.CACert()), "\n", "\n    "), c.UAAURL(), cftest.AdminClient, cftest.AdminClientSecret)
}

func (c cloud) outdated() (ids []string) {
	for _, i := range c.Instances() {
		if i.UpgradeAvailable {
			ids = append(ids, i.GUID)
		}
	}
	return ids
}

// last is the last JSON event of an output, the summary.
func lastEvent(out string) object {
	GinkgoHelper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var event object
	Expect(json.Unmarshal([]byte(lines[len(lines)-1]), &event)).To(Succeed(), out)
	return event
}

var _ = Describe("a fleet of service instances", func() {
	It("is upgraded by the errand of old, with the lines that operators search for", func() {
		w := newWorld()
		w.provisionAll("i-1", "i-2", "i-3")
		w.serve(newStemcell)
		before := w.lastTask()
		p := startAs("upgrade-all-service-instances", "-configPath", w.companionFile(pace, "max_in_flight: 2", "canaries: 1"))
		Expect(p.end()).To(BeZero(), p.stdout.String())
		Expect(w.deploys(before)).To(Equal(map[string]int{"i-1": 1, "i-2": 1, "i-3": 1}))
		Expect(p.stdout.String()).To(And(
			MatchRegexp(`(?m)^\[upgrade-all-service-instances\] \[[0-9a-f-]{36}\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[upgrade-all\] STARTING OPERATION with 2 concurrent workers$`),
			ContainSubstring("Service Instances: i-1 i-2 i-3"), ContainSubstring("Total Service Instances found: 3"), ContainSubstring("STARTING CANARIES: 1 canaries"),
			ContainSubstring("FINISHED CANARIES"), ContainSubstring("[i-1] Starting to process service instance 1 of 3"), ContainSubstring("[i-1] Result: operation accepted"),
			MatchRegexp(`\[i-1\] Waiting for operation to complete: bosh task id \d+`), ContainSubstring("[i-1] Result: Service Instance operation success"),
			ContainSubstring("FINISHED PROCESSING Status: SUCCESS; Summary: Number of successful operations: 3;"),
		))
		Expect(p.stderr.String()).To(BeEmpty())

		By("leaving alone what is up to date")
		code, out, _ := odb("upgrade-all-service-instances", "-configPath", w.companionFile(pace))
		Expect(code).To(BeZero())
		Expect(out).To(And(ContainSubstring("[i-2] Result: instance already up to date"), ContainSubstring("Number of skipped operations: 3")))
		Expect(w.lastTask()).To(Equal(before + 3))
	})

	It("is upgraded in one pass: through Cloud Foundry where that has something to clear, through the broker otherwise", func() {
		w := newWorld(maintained("1.0.0"))
		w.provisionAll("i-1", "i-2", "i-3")
		newer := maintained("2.0.0")
		w.serve(newer, newStemcell)
		c := w.newCloud("2.0.0")
		c.knows("1.0.0", "i-1", "i-2")
		c.knows("2.0.0", "i-3")
		file := w.companionFile(pace, c.file())

		By("telling first who is due, and why")
		before := w.lastTask()
		code, out, errs := odb("instances", "upgrade", "--config", file, "--dry-run", "--max-in-flight", "3")
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero())
		Expect(out).To(And(MatchRegexp(`(?s)\[i-1\] cache-i-1 \(acme/prod\) plan small: due\n  through Cloud Foundry: maintenance version 1\.0\.0 becomes 2\.0\.0\n  because: .*\+   version: '1\.1000'`),
			MatchRegexp(`\[i-3\] cache-i-3 \(acme/prod\) plan small: due\n  because: `), HaveSuffix("3 of 3 service instances would be deployed\n")))
		Expect(w.lastTask()).To(Equal(before))

		By("doing it")
		c.ResetStats()
		code, out, errs = odb("instances", "upgrade", "--config", file, "--max-in-flight", "3", "--json")
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero(), out)
		Expect(w.deploys(before)).To(Equal(map[string]int{"i-1": 1, "i-2": 1, "i-3": 1}))
		Expect(c.Stats().ToBrokers).To(HaveKeyWithValue("update", 2))
		Expect(c.outdated()).To(BeEmpty())
		Expect(lastEvent(out)).To(And(HaveKeyWithValue("event", "summary"), HaveKeyWithValue("end", "well"), HaveKeyWithValue("successful", 3.0)))

		By("finding nothing more to do, by either name")
		code, out, _ = calledAs("upgrade-all-service-instances", "-configPath", file)
		Expect(code).To(BeZero())
		Expect(out).To(ContainSubstring("Number of skipped operations: 3"))
		Expect(w.lastTask()).To(Equal(before + 3))
	})

	It("is asked of Cloud Foundry too: what a broker has not met yet is not forgotten", func() {
		w := newWorld()
		w.provisionAll("i-1", "i-2")
		Expect(w.directorClient().DeleteConfig(GinkgoT().Context(), "odb-instance", "service-instance_i-2")).To(Succeed())
		w.serve(newStemcell)
		c := w.newCloud("")
		c.knows("", "i-1", "i-2", "i-gone")
		before := w.lastTask()
		code, out, _ := calledAs("upgrade-all-service-instances", "-configPath", w.companionFile(pace, c.file()))
		Expect(code).To(BeZero(), out)
		Expect(w.deploys(before)).To(Equal(map[string]int{"i-1": 1, "i-2": 1}))
		Expect(out).To(And(ContainSubstring("[i-gone] Result: orphan service instance detected"), ContainSubstring("Number of service instance orphans detected: 1")))
	})

	It("goes through the broker alone if Cloud Foundry can't be asked, by the old name, and not at all by the new one", func() {
		w := newWorld()
		w.provisionAll("i-1")
		w.serve(newStemcell)
		nobody := "maintenance_info_present: true\ncf: {url: " + answering(http.StatusNotFound, "") + ", uaa: {authentication: {client_credentials: {client_id: c, client_secret: s}}}}"
		code, out, errs := odb("instances", "upgrade", "--config", w.companionFile(pace, nobody))
		Expect(code).To(Equal(1))
		Expect(out).To(BeEmpty())
		Expect(errs).To(ContainSubstring("Cloud Foundry"))
		code, out, _ = calledAs("upgrade-all-service-instances", "-configPath", w.companionFile(pace, nobody))
		Expect(code).To(BeZero())
		Expect(out).To(And(ContainSubstring("Cloud Foundry can't be asked"), ContainSubstring("Number of successful operations: 1")))
	})

	It("tells that Cloud Foundry's catalog is behind the broker's", func() {
		w := newWorld(maintained("2.0.0"))
		w.provisionAll("i-1")
		c := w.newCloud("1.0.0")
		c.knows("1.0.0", "i-1")
		code, _, errs := odb("instances", "upgrade", "--config", w.companionFile(pace, c.file()))
		Expect(code).To(BeZero())
		Expect(errs).To(ContainSubstring("plan small has maintenance version 2.0.0 in the broker's catalog and 1.0.0 in Cloud Foundry: register the broker again"))
	})

	It("is recreated, errands included, if the Director can do that", func() {
		w := newWorld(withErrand)
		w.provisionAll("i-1", "i-2")
		w.director.ResetStats()
		director := fmt.Sprintf("bosh:\n  url: %s\n  root_ca_cert: |\n    %s", w.director.URL(), strings.ReplaceAll(strings.TrimSpace(w.director.CACert()), "\n", "\n    "))
		code, out, _ := calledAs("recreate-all-service-instances", "-configPath", w.companionFile(pace, director))
		Expect(code).To(BeZero(), out)
		Expect(out).To(And(ContainSubstring("[recreate-all] STARTING OPERATION with 1 concurrent workers"), ContainSubstring("Number of successful operations: 2")))
		Expect(w.director.Stats().Tasks).To(HaveKeyWithValue(devdirector.KindErrand, 2))
		Expect(w.director.Stats().Requests).To(HaveKeyWithValue("PUT /deployments/:name/jobs/:job", 2))

		code, out, errs := odb("instances", "recreate", "--config", w.companionFile(pace), "--only", "id=i-2", "--dry-run")
		Expect(errs).To(BeEmpty())
		Expect(out).To(And(ContainSubstring("[i-2] plan small: due"), ContainSubstring("1 of 1 service instances would be recreated")))
		Expect(code).To(BeZero())
		code, _, _ = odb("instances", "recreate", "--config", w.companionFile(pace), "--only", "id=i-2")
		Expect(code).To(BeZero())
		Expect(w.director.Stats().Requests).To(HaveKeyWithValue("PUT /deployments/:name/jobs/:job", 3))

		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Path: "/info", Status: 200, Body: `{"name":"old","version":"268.3.0 (00000000)"}`})).To(Succeed())
		code, out, _ = calledAs("recreate-all-service-instances", "-configPath", w.companionFile(pace, director))
		Expect(code).To(Equal(1))
		Expect(out).To(ContainSubstring("the Director is version 268.3.0"))
	})

	Describe("is worked on only as far as was asked:", func() {
		It("some of it, canaries first", func() {
			w := newWorld()
			w.provisionAll("i-1", "i-2", "i-3", "i-4")
			w.serve(newStemcell)
			c := w.newCloud("")
			c.knows("", "i-1", "i-2", "i-3")
			elsewhere := c.AddSpace(c.AddOrganization("other"), "dev")
			c.AddInstance(cftest.Instance{GUID: "i-4", PlanGUID: c.PlanGUID(smallPlan), SpaceGUID: elsewhere})
			before := w.lastTask()
			file := w.companionFile(pace, c.file())
			code, out, errs := odb("instances", "upgrade", "--config", file, "--exclude", "id=i-1", "--canary", "org=other,space=dev")
			Expect(errs).To(BeEmpty())
			Expect(code).To(BeZero())
			Expect(out).To(MatchRegexp(`(?s)STARTING CANARIES: 1 canaries with selection criteria: org=other, space=dev\n.*\[i-4\] Starting.*FINISHED CANARIES.*\[i-2\] Starting.*\[i-3\] Starting`))
			Expect(w.deploys(before)).To(Equal(map[string]int{"i-2": 1, "i-3": 1, "i-4": 1}))

			code, out, _ = odb("instances", "upgrade", "--config", file, "--only", "plan=small", "--only", "org=acme", "--dry-run", "--json")
			Expect(code).To(BeZero())
			Expect(out).To(MatchRegexp(`^\{"instance":\{"id":"i-1","name":"cache-i-1","plan_id":"small-plan-guid","plan":"small","org":"acme","space":"prod"\},"due":true,"changes":`))
			Expect(strings.Count(out, "\n")).To(Equal(3))

			code, _, errs = odb("instances", "upgrade", "--config", file, "--exclude", "id=i-11")
			Expect(code).To(Equal(1))
			Expect(errs).To(ContainSubstring("--exclude: no service instance has id=i-11"))
		})

		It("canaries that the source of the list chooses", func() {
			w := newWorld()
			w.platform.provision("i-1", nil)
			w.platform.provision("i-2", object{"context": object{"organization_name": "o", "space_name": "s"}})
			w.serve(newStemcell)
			params := "canary_selection_params: {cf_org: o, cf_space: s}"
			code, out, _ := calledAs("upgrade-all-service-instances", "-configPath", w.companionFile(pace, params))
			Expect(code).To(BeZero(), out)
			Expect(out).To(MatchRegexp(`(?s)STARTING CANARIES: 1 canaries with selection criteria: cf_org: o, cf_space: s\n.*\[i-2\] Starting.*FINISHED CANARIES.*\[i-1\] Starting`))
			code, out, _ = calledAs("upgrade-all-service-instances", "-configPath", w.companionFile(pace, strings.Replace(params, "o,", "nobody,", 1)))
			Expect(code).To(Equal(1))
			Expect(out).To(ContainSubstring("no service instance matches the canary selection: cf_org: nobody, cf_space: s"))
		})
	})

	// The kinds of ends, under the new name and under the old one.
	DescribeTable("ends with the right exit code", func(prepare func(w *world), newName, oldName int, says string) {
		w := newWorld(setting{director: func(o *devdirector.Options) { o.Workers = 10 }})
		w.provisionAll("i-1", "i-2")
		w.serve(newStemcell)
		prepare(w)
		file := w.companionFile(pace)
		code, out, errs := odb("instances", "upgrade", "--config", file, "--force")
		Expect(out + errs).To(ContainSubstring(says))
		Expect(code).To(Equal(newName))
		prepare(w)
		code, out, _ = calledAs("upgrade-all-service-instances", "-configPath", file)
		Expect(code).To(Equal(oldName))
		Expect(out).To(ContainSubstring(says))
	},
		Entry("all well", func(*world) {}, 0, 0, "Status: SUCCESS"),
		Entry("one failed", func(w *world) {
			w.director.AddOutcome(devdirector.Outcome{Deployment: "service-instance_i-1", Error: &devdirector.TaskError{Code: 1, Message: "no disk"}})
		}, 3, 1, "Number of service instances that failed to process: 1 [i-1]"),
		Entry("one busy at each attempt", func(w *world) {
			w.director.SetTaskDuration(devdirector.KindDeploy, time.Hour)
			w.platform.manage("PATCH", "/service_instances/i-1?operation_type=recreate", object{"plan_id": smallPlan})
			w.director.SetTaskDuration(devdirector.KindDeploy, 0)
		}, 4, 1, "Number of busy instances which could not be processed: 1 [i-1]"),
		Entry("the broker can't list", func(w *world) {
			Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Path: "/configs", Status: 502})).To(Succeed())
		}, 1, 1, "listing the service instances"),
	)

	Describe("is finished with", func() {
		slow := func(w *world) { w.director.SetTaskDuration(devdirector.KindDeploy, 400*time.Millisecond) }

		It("exactly once each, although the command is killed midway and run again", func() {
			w := newWorldWithoutBroker()
			w.serveProcess("--config")
			ids := []string{"i-1", "i-2", "i-3", "i-4", "i-5", "i-6"}
			w.provisionAll(ids...)
			w.serve(newStemcell)
			slow(w)
			before := w.lastTask()
			file := w.companionFile(pace, "max_in_flight: 2")
			p := startODB("instances", "upgrade", "--config", file)
			Eventually(p.stdout.String).Should(ContainSubstring("[i-3] Result: operation accepted"))
			p.kill()
			code, out, errs := odb("instances", "upgrade", "--config", file, "--json")
			Expect(errs).To(BeEmpty())
			Expect(code).To(BeZero(), out)
			deploys := w.deploys(before)
			for _, id := range ids {
				Expect(deploys).To(HaveKeyWithValue(id, 1))
			}
			Expect(lastEvent(out)).To(HaveKeyWithValue("total", 6.0))
		})

		It("exactly once each, although the broker restarts midway", func() {
			w := newWorldWithoutBroker()
			ids := []string{"i-1", "i-2", "i-3", "i-4", "i-5"}
			serving := w.serveProcess("--config")
			w.provisionAll(ids...)
			serving.kill()
			serving = w.serveProcess("--config", newStemcell)
			slow(w)
			before := w.lastTask()
			config, url := w.dir+"/broker.yml", w.platform.url
			p := startODB("instances", "upgrade", "--config", companionFileFor(url, pace, "max_in_flight: 2"))
			Eventually(p.stdout.String).Should(ContainSubstring("[i-3] Result: operation accepted"))
			serving.kill()
			again := startODB("serve", "--config", config)
			Expect(p.end()).To(BeZero(), p.stdout.String()+p.stderr.String())
			again.kill()
			Expect(w.deploys(before)).To(Equal(map[string]int{"i-1": 1, "i-2": 1, "i-3": 1, "i-4": 1, "i-5": 1}))
			Expect(p.stdout.String()).To(ContainSubstring("Number of successful operations: 5;"))
		})

		It("exactly once each, although the Director is away for a while", func() {
			w := newWorld()
			w.provisionAll("i-1", "i-2")
			w.serve(newStemcell)
			before := w.lastTask()
			Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Path: "^/deployments", Status: 502})).To(Succeed())
			p := startODB("instances", "upgrade", "--config", w.companionFile(pace, "max_in_flight: 2"))
			Eventually(p.stdout.String).Should(ContainSubstring("No answer, asking again"))
			w.director.ClearFaults()
			Expect(p.end()).To(BeZero(), p.stdout.String()+p.stderr.String())
			Expect(w.deploys(before)).To(Equal(map[string]int{"i-1": 1, "i-2": 1}))
		})

		It("exactly once each, although Cloud Foundry is limiting, failing and forgetful", func() {
			w := newWorld(maintained("1.0.0"))
			ids := []string{"i-1", "i-2", "i-3", "i-4"}
			w.provisionAll(ids...)
			w.serve(maintained("2.0.0"))
			c := w.newCloud("2.0.0")
			c.knows("1.0.0", ids...)
			for _, fault := range []cftest.Fault{
				{Match: "GET /v3/service_instances", Status: 429, RetryAfter: time.Second, Times: 1},
				{Match: "PATCH /v3/service_instances/i-2", Status: 502, Times: 1, AfterHandling: true},
				{Match: "PATCH /v3/service_instances/i-3", Status: 502, Times: 1},
				{Match: "GET /v3/jobs/", Status: 503, Skip: 1, Times: 2},
			} {
				Expect(c.AddFault(fault)).To(Succeed())
			}
			before := w.lastTask()
			code, out, errs := odb("instances", "upgrade", "--config", w.companionFile(pace, c.file()), "--max-in-flight", "4", "--json")
			Expect(errs).To(BeEmpty())
			Expect(code).To(BeZero(), out)
			Expect(w.deploys(before)).To(Equal(map[string]int{"i-1": 1, "i-2": 1, "i-3": 1, "i-4": 1}))
			Expect(lastEvent(out)).To(And(HaveKeyWithValue("successful", 4.0), HaveKeyWithValue("skipped", 0.0)))
			Expect(c.outdated()).To(BeEmpty())
		})

		It("as far as it runs at the first signal, and at once at the second", func() {
			w, ends := slowWorld()
			w.director.SetTaskDuration("", 0)
			w.provisionAll("i-1", "i-2", "i-3")
			w.serve(newStemcell)
			w.director.SetTaskDuration("", time.Minute)
			file := w.companionFile(pace)
			p := startODB("instances", "upgrade", "--config", file)
			Eventually(p.stdout.String).Should(ContainSubstring("[i-1] Result: operation accepted"))
			Expect(p.cmd.Process.Signal(os.Interrupt)).To(Succeed())
			Eventually(p.stdout.String).Should(ContainSubstring("Starting nothing more"))
			ends()
			Expect(p.end()).To(Equal(1))
			Expect(p.stdout.String()).To(And(ContainSubstring("[i-1] Result: Service Instance operation success"),
				ContainSubstring("Number of successful operations: 1;"), ContainSubstring("Number of service instances not started: 2")))

			p = startODB("instances", "upgrade", "--config", file)
			Eventually(p.stdout.String).Should(ContainSubstring("[i-2] Result: operation accepted"))
			Expect(p.cmd.Process.Signal(os.Interrupt)).To(Succeed())
			Eventually(p.stdout.String).Should(ContainSubstring("Starting nothing more"))
			Expect(p.cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
			Expect(p.end()).To(Equal(1))
			Expect(p.stdout.String()).To(ContainSubstring("Number of operations left running: 1 [i-2]"))
			Expect(slices.ContainsFunc(w.tasks(), func(t directorTask) bool { return t.State == "processing" })).To(BeTrue())
		})
	})
})
