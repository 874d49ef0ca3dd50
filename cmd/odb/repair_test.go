package main

import (
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/cfclient/cftest"
	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("odb orphans", func() {
	It("lists what is there of instances that the platform doesn't know, and deletes it", func() {
		list := listInstances(`[{"service_instance_id":"i-3","plan_id":"small-plan-guid"}]`)
		w := newWorld(list.configured())
		w.provisionAll("i-1", "i-2", "i-3")
		file := w.companionFile(pace)

		code, out, _ := odb("orphans", "list", "--config", file)
		Expect(code).To(BeZero())
		Expect(out).To(MatchRegexp(`(?m)^i-1 +small-plan-guid +deployment, configs +\S+Z +not to be removed: it changed \S+ ago`))
		code, out, _ = odb("orphans", "list", "--config", file, "--grace", "0s")
		Expect(code).To(BeZero())
		Expect(out).To(MatchRegexp(`^INSTANCE +PLAN ID +HAS +CHANGED +REMARK\ni-1 +small-plan-guid +deployment, configs +\S+Z +-\ni-2 `))
		Expect(out).NotTo(ContainSubstring("i-3"))
		_, out, _ = odb("orphans", "list", "--config", file, "--grace", "0s", "--json")
		Expect(out).To(ContainSubstring(`"service_instance_id": "i-2"`))

		By("sparing what the broker would spare")
		code, out, errs := odb("orphans", "delete", "--config", file, "i-1", "service-instance_i-3")
		Expect(code).To(Equal(3))
		Expect(out).To(ContainSubstring("Number of service instances that failed to process: 2 [i-1, i-3]"))
		Expect(errs).To(And(ContainSubstring("the platform knows service instance i-3: delete it there"), ContainSubstring("grace")))

		By("deleting one by name, and all others when told to be sure")
		code, out, errs = odb("orphans", "delete", "--config", file, "--grace", "0s", "service-instance_i-1")
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero(), out)
		code, _, errs = odb("orphans", "delete", "--config", file, "--grace", "0s", "--all")
		Expect(code).To(Equal(2))
		Expect(errs).To(ContainSubstring("--yes"))
		code, out, _ = odb("orphans", "delete", "--config", file, "--grace", "0s", "--all", "--yes", "--json")
		Expect(code).To(BeZero())
		Expect(lastEvent(out)).To(And(HaveKeyWithValue("total", 1.0), HaveKeyWithValue("successful", 1.0)))
		Expect(w.configs("i-1")).To(BeEmpty())
		Expect(w.configs("i-2")).To(BeEmpty())
		Expect(w.configs("i-3")).NotTo(BeEmpty())
	})

	It("asks Cloud Foundry, too, before it deletes anything", func() {
		w := newWorld()
		w.provisionAll("i-1", "i-2")
		c := w.newCloud("")
		c.knows("", "i-1")
		code, out, errs := odb("orphans", "delete", "--config", w.companionFile(pace, c.file()), "--grace", "0s", "i-1", "i-2")
		Expect(code).To(Equal(3))
		Expect(errs).To(ContainSubstring("Cloud Foundry knows the instance: delete it there"))
		Expect(out).To(ContainSubstring("[i-2] Result: Service Instance operation success"))
		Expect(w.configs("i-1")).NotTo(BeEmpty())
	})
})

var _ = Describe("odb instances repair", func() {
	It("shows what each one knows, and that it fits together", func() {
		stores := newStores()
		w := newWorld(stores.configured())
		w.provisionFully(guid)
		c := w.newCloud("")
		c.knows("", guid)
		code, out, errs := odb("instances", "repair", guid, "--config", w.companionFile(c.file()))
		Expect(errs).To(BeEmpty())
		Expect(out).To(MatchRegexp(fmt.Sprintf(`^instance: +%[1]s\nCloud Foundry: +cache-%[1]s, space %[2]s; create succeeded \nDirector: +deployment deployed; last task \d+ done \(create deployment\); configs cloud, odb-instance; remembered with plan small-plan-guid\nCredHub: +/odb/service-guid/service-instance_%[1]s/pw, /c/service-guid/%[1]s/b-1/credentials, /c/service-guid/%[1]s/b-1/note\nUAA: +a client\nit fits together\n$`, guid, c.space)))
		Expect(code).To(BeZero())
		code, out, _ = odb("instances", "repair", guid, "--config", w.companionFile(c.file()), "--apply", "--grace", "0s")
		Expect(out).To(Equal("there was nothing to mend\n"))
		Expect(code).To(BeZero())
	})

	It("removes what a deletion has left", func() {
		stores := newStores()
		w := newWorld(stores.configured())
		w.provisionFully(guid)
		_, err := w.directorClient().DeleteDeployment(GinkgoT().Context(), boshclient.DeleteDeployment{Name: "service-instance_" + guid})
		Expect(err).NotTo(HaveOccurred())
		file := w.companionFile()
		code, out, _ := odb("instances", "repair", guid, "--config", file, "--platform", "unknown")
		Expect(code).To(Equal(3))
		Expect(out).To(And(ContainSubstring("Director:  deployment missing"), ContainSubstring("leftover_secrets: "), ContainSubstring("(repair --apply does it)")))
		code, out, _ = odb("instances", "repair", guid, "--config", file, "--platform", "unknown", "--apply", "--grace", "0s", "--finding", "leftover_secrets")
		Expect(out).To(Equal("mended leftover_secrets: removed\n"))
		Expect(code).To(BeZero())
		code, out, _ = odb("instances", "repair", guid, "--config", file, "--platform", "unknown", "--apply", "--grace", "0s", "--json")
		Expect(code).To(BeZero())
		Expect(out).To(And(ContainSubstring(`"code": "leftover_uaa_client"`), ContainSubstring(`"skipped": []`)))
		Expect(stores.credhub.Names()).To(BeEmpty())
		code, out, _ = odb("instances", "repair", guid, "--config", file, "--platform", "unknown")
		Expect(code).To(BeZero())
		Expect(out).To(ContainSubstring("it fits together"))
	})

	It("makes Cloud Foundry forget a failed creation, and nothing that somebody can use", func() {
		w := newWorld()
		w.provisionAll("i-2")
		w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Error: &devdirector.TaskError{Code: 450001, Message: "redis/0 is not running"}})
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		c := w.newCloud("")
		c.knows("", "i-1", "i-2")
		file := w.companionFile(c.file())
		code, out, _ := odb("instances", "repair", "i-1", "--config", file)
		Expect(code).To(Equal(3))
		Expect(out).To(ContainSubstring("create_failed: its first deploy has never succeeded"))
		code, out, _ = odb("instances", "repair", "i-1", "--config", file, "--apply", "--grace", "0s")
		Expect(code).To(Equal(3), "Cloud Foundry knows it")
		Expect(out).To(HavePrefix("left create_failed: delete it on the platform"))
		code, out, errs := odb("instances", "repair", "i-1", "--config", file, "--apply", "--grace", "0s", "--purge")
		Expect(errs).To(BeEmpty())
		Expect(out).To(Equal("Cloud Foundry has forgotten the instance\nmended orphan: the deletion was begun\n"))
		Expect(code).To(BeZero())
		_, there := c.Instance("i-1")
		Expect(there).To(BeFalse())
		Expect(w.configs("i-1")).To(BeEmpty())

		code, _, errs = odb("instances", "repair", "i-2", "--config", file, "--apply", "--purge")
		Expect(code).To(Equal(1))
		Expect(errs).To(ContainSubstring("only an instance whose creation failed"))
		_, there = c.Instance("i-2")
		Expect(there).To(BeTrue())
	})

	It("says who can't be asked", func() {
		w := newWorld()
		c := w.newCloud("")
		Expect(c.AddFault(cftest.Fault{Match: "GET /v3/service_instances/", Status: http.StatusForbidden})).To(Succeed())
		code, _, errs := odb("instances", "repair", "i-1", "--config", w.companionFile(c.file()))
		Expect(code).To(Equal(1))
		Expect(errs).To(ContainSubstring("asking Cloud Foundry: "))
		for _, args := range [][]string{{"--purge"}, {"--apply", "--purge"}, {"--finding", "orphan"}} {
			code, _, _ = odb(append([]string{"instances", "repair", "i-1", "--config", w.companionFile()}, args...)...)
			Expect(code).To(Equal(2), "%v", args)
		}
	})
})
