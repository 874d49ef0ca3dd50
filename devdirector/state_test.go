package devdirector_test

import (
	"net/http"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("the state folder", func() {
	var (
		folder string
		clock  *devdirector.ManualClock
	)

	BeforeEach(func() {
		folder = filepath.Join(GinkgoT().TempDir(), "state")
		clock = devdirector.NewManualClock(began)
	})
	options := func(folder string) devdirector.Options {
		return devdirector.Options{StateDir: folder, Clock: clock, TaskDuration: time.Minute, Workers: 1, TLS: true, MaxTasks: 3}
	}
	// killed is the folder as a kill at this very moment would leave it.
	killed := func() string {
		GinkgoHelper()
		left := GinkgoT().TempDir()
		Expect(os.CopyFS(left, os.DirFS(folder))).To(Succeed())
		return left
	}

	It("brings back what was there when the Director was killed", func() {
		d := start(options(folder))
		bosh := callerOf(d)
		bosh.deploy(manifestOf("a", 2), "X-Bosh-Context-Id", "ctx")
		clock.Advance(time.Minute)
		bosh.send(http.MethodPost, "/configs", `{"type":"odb","name":"x","content":"a: 1"}`, "Content-Type", "application/json")
		bosh.send(http.MethodPost, "/configs", `{"type":"odb","name":"x","content":"a: 2"}`, "Content-Type", "application/json")
		bosh.send(http.MethodPost, "/links", `{"link_provider_id":"1","link_consumer":{"owner_object":{"name":"app","type":"external"}}}`, "Content-Type", "application/json")
		ask := func(bosh *caller) []string {
			var list []string
			for _, path := range []string{
				"/deployments", "/deployments/a", "/deployments/a/instances", "/deployments/a/variables", "/tasks?context_id=ctx",
				"/tasks/1/output?type=event", "/configs?latest=false", "/links?deployment=a", "/link_providers?deployment=a", "/events",
			} {
				list = append(list, bosh.get(path).body)
			}
			return list
		}
		before := ask(bosh)
		Expect(before[8]).To(ContainSubstring(`"name":"redis"`))

		again := start(options(killed()))
		Expect(again.CACert()).To(Equal(d.CACert()), "clients go on trusting it")
		Expect(ask(callerOf(again))).To(Equal(before))
		bosh = callerOf(again)
		bosh.deploy(manifestOf("b", 1))
		clock.Advance(time.Minute)
		Expect(bosh.vms("b")[0].IPs).To(Equal([]string{"10.244.0.4"}), "an address that isn't taken")
	})

	It("lets tasks that ran start over, in their order", func() {
		bosh := callerOf(start(options(folder)))
		first, second := bosh.deploy(manifestOf("a", 1)), bosh.deploy(manifestOf("b", 1))
		third := bosh.deploy(manifestOf("c", 1))
		Expect(bosh.send(http.MethodDelete, "/task/3", "").status).To(Equal(http.StatusNoContent))
		clock.Advance(30 * time.Second)
		Expect(bosh.task(first).State).To(Equal("processing"))

		bosh = callerOf(start(options(killed())))
		Expect(bosh.task(first).State).To(Equal("processing"))
		Expect(bosh.task(second).State).To(Equal("queued"))
		clock.Advance(59 * time.Second)
		Expect(bosh.task(first).State).To(Equal("processing"))
		clock.Advance(time.Second)
		Expect(bosh.task(first).State).To(Equal("done"))
		clock.Advance(time.Minute)
		Expect(bosh.task(second).State).To(Equal("done"))
		Expect(bosh.task(third).State).To(Equal("cancelled"))
		Expect(bosh.get("/deployments/b").body).To(ContainSubstring("name: b"))
	})

	It("doesn't mind a last line that was cut short, but one in the middle", func() {
		d := start(options(folder))
		callerOf(d).deploy(manifestOf("a", 1))
		Expect(d.Close()).To(Succeed())
		log := filepath.Join(folder, "state.ndjson")
		text, err := os.ReadFile(log)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(log, append(text, `{"kind":"task","key":"9","va`...), 0o600)).To(Succeed())
		again, err := devdirector.Start(options(folder))
		Expect(err).NotTo(HaveOccurred())
		Expect(again.Close()).To(Succeed())

		Expect(os.WriteFile(log, append([]byte("rubbish\n"), text...), 0o600)).To(Succeed())
		_, err = devdirector.Start(options(folder))
		Expect(err).To(MatchError(ContainSubstring("state.ndjson:1: ")))
	})

	It("forgets what was deleted", func() {
		bosh := callerOf(start(options(folder)))
		for range 3 {
			bosh.deploy(manifestOf("a", 1))
			clock.Advance(time.Minute)
			bosh.send(http.MethodDelete, "/deployments/a", "")
			clock.Advance(time.Minute)
		}
		bosh.get("/tasks") // so that the Director notices
		again := callerOf(start(options(killed())))
		Expect(again.get("/deployments").body).To(Equal("[]"))
		Expect(again.task(6).State).To(Equal("done"))
	})

	It("belongs to one Director at a time", func() {
		start(options(folder))
		_, err := devdirector.Start(options(folder))
		Expect(err).To(MatchError(ContainSubstring("in use by another Director")))
	})
})
