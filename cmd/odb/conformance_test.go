package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/osbcheck"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

// elsewhere are the rows that this suite's broker gives no occasion for, each with the reason.
var elsewhere = map[string]string{
	"C9": takesTime, "E11": takesTime, "G5": takesTime,
	"H9": "asynchronous bindings are made in the request where that is all that is accepted",
	"D8": "it lets instances be fetched",
	"I8": "the plan's bindings can be followed by others",
}

const takesTime = "instances take time"

// looksTakeTime lets the Director's time pass with the looks at its tasks, a second with each, and no task end before the fortieth:
// what runs is there to be asked about, however slow the machine is.
func looksTakeTime() (tasks setting, begin func(w *world)) {
	clock := devdirector.NewManualClock(time.Now())
	tasks = setting{director: func(o *devdirector.Options) { o.Clock, o.TaskDuration = clock, 40*time.Second }}
	return tasks, func(w *world) {
		done := make(chan struct{})
		DeferCleanup(func() { close(done) })
		go func() {
			for seen := 0; ; {
				looks := 0
				for route, n := range w.director.Stats().Requests {
					if strings.HasPrefix(route, "GET /tasks") {
						looks += n
					}
				}
				clock.Advance(time.Duration(looks-seen) * time.Second)
				seen = looks
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
		}()
	}
}

// The suite's broker offers all that there are rows for.
var offersAll = []setting{
	with("use_stdin: true", "use_stdin: true\n  enable_plan_schemas: true"),
	rotatableBindings,
	with("  tags: [cache]", "  tags: [cache]\n  maintenance_info: {version: 1.2.3, description: patches}\n  instances_retrievable: true\n  allow_context_updates: true"),
	with("    description: one node", "    description: one node\n    plan_updatable: false\n    maximum_polling_duration: 3600"),
	with("    description: three nodes", "    description: three nodes\n    bindable: false"),
}

var _ = Describe("the conformance suite", Ordered, Label("conformance"), func() {
	var results map[string]osbcheck.Result

	BeforeAll(func() {
		credhub := credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		slow, begin := looksTakeTime()
		offered := append(slices.Clone(offersAll), credentialsIn(credhub), slow)
		w := newWorldWithoutBroker(offered...)
		begin(w)
		Expect(w.adapter.Steer("generate-plan-schemas", adaptertest.Steering{Stdout: schemasAnswer("", "")})).To(Succeed())
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Labels: map[string]any{"tier": "gold"}})).To(Succeed())
		Expect(w.adapter.Steer("delete-binding", adaptertest.Steering{KnowBindings: true})).To(Succeed())
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{KnowBindings: true, Stdout: `{"credentials":{"password":"of {{binding}}"},
			"endpoints":[{"host":"10.0.0.1","ports":["6379"],"protocol":"tcp"}],
			"metadata":{"expires_at":"2027-01-31T10:00:00Z","renew_before":"2027-01-30T08:00:00Z"}}`})).To(Succeed())
		w.serveProcess("--config", offered...)
		p := startODB("osb-check", "--json", "--provision", "--poll-interval", "20ms", "--operation-timeout", "2m", "--url", w.platform.url, "--username", platformUser,
			"--password-file", w.file("password", platformPassword), "--provision-parameters", `{"memory": 1}`, "--update-parameters", `{"nodes": 2}`)
		p.end()
		var report osbcheck.Report
		Expect(json.Unmarshal([]byte(p.stdout.String()), &report)).To(Succeed(), p.stdout.String()+p.stderr.String())
		Expect(report.Left).To(BeEmpty())
		Expect(report.Broken).To(BeEmpty())
		deployments, err := w.directorClient().Deployments(context.Background())
		Expect(err).NotTo(HaveOccurred())
		Expect(deployments).To(BeEmpty(), "it takes away what it made")
		results = map[string]osbcheck.Result{}
		for _, r := range report.Results {
			results[r.Row] = r
		}
		var table strings.Builder
		Expect(printReport(&table, report)).To(Succeed())
		Expect(printCounts(&table, report)).To(Succeed())
		GinkgoWriter.Print(table.String())
	})

	for _, check := range osbcheck.Checks() {
		It(check.Row+": "+check.Title, func() {
			r := results[check.Row]
			if r.Outcome == osbcheck.Skipped {
				Expect(elsewhere).To(HaveKey(check.Row), "it was skipped: %s", r.Why)
				return
			}
			Expect(elsewhere).NotTo(HaveKey(check.Row), "there was an occasion for it")
			shown, err := json.Marshal(r.Exchange)
			Expect(err).NotTo(HaveOccurred())
			Expect(r.Outcome).NotTo(Equal(osbcheck.Failed), "%s: %s\n%s", check.Holds, r.Why, shown)
		})
	}
})

var _ = Describe("odb osb-check", func() {
	check := func(w *world, more ...string) *program {
		GinkgoHelper()
		return startODB(append([]string{"osb-check", "--poll-interval", "20ms", "--url", w.platform.url, "--username", platformUser,
			"--password-file", w.file("password", platformPassword)}, more...)...)
	}

	It("names tests that are there", func() {
		for _, c := range osbcheck.Checks() {
			if c.Test == "" {
				continue
			}
			file, name, found := strings.Cut(c.Test, " ")
			Expect(found).To(BeTrue(), c.Row)
			text, err := os.ReadFile("../../" + file)
			Expect(err).NotTo(HaveOccurred(), c.Row)
			Expect(string(text)).To(ContainSubstring(strings.Trim(name, `"`)), c.Row)
		}
	})

	It("only reads, unless it may do more", func() {
		w := newWorld()
		p := check(w)
		Expect(p.end()).To(BeNumerically("<=", 1))
		Expect(p.stdout.String()).To(And(MatchRegexp(`B1 +M +pass`), MatchRegexp(`C1 +M +skipped +.*not allowed`)))
		Expect(w.calls()).To(BeEmpty())
		Expect(w.director.Stats().TotalTasks).To(BeZero())
		p = check(w, "--failures")
		Expect(p.end()).To(BeNumerically("<=", 1))
		Expect(p.stdout.String()).To(And(Not(MatchRegexp(`B1 +M +pass`)), MatchRegexp(`\n[1-9]\d* pass, `)), "what isn't shown is counted")
	})

	It("takes away what it made when it is interrupted", func() {
		w := newWorld(tasksTake(500 * time.Millisecond))
		p := check(w, "--provision")
		Eventually(func() int { return w.director.Stats().TotalTasks }).Should(BeNumerically(">", 0))
		Expect(p.cmd.Process.Signal(os.Interrupt)).To(Succeed())
		Expect(p.end()).To(BeNumerically("<=", 1))
		Expect(p.stdout.String()).To(ContainSubstring("interrupted"))
		Expect(p.stderr.String()).To(ContainSubstring("odb: removing what may be left"))
		deployments, err := w.directorClient().Deployments(context.Background())
		Expect(err).NotTo(HaveOccurred())
		Expect(deployments).To(BeEmpty())
	})

	It("ends at once when it is interrupted again, and tells what may be left", func() {
		w := newWorld(tasksTake(time.Hour))
		p := check(w, "--provision")
		Eventually(func() int { return w.director.Stats().TotalTasks }).Should(BeNumerically(">", 0))
		Expect(p.cmd.Process.Signal(os.Interrupt)).To(Succeed())
		Eventually(p.stderr.String).Should(ContainSubstring("odb: removing what may be left"))
		Expect(p.cmd.Process.Signal(os.Interrupt)).To(Succeed())
		Expect(p.end()).To(Equal(1))
		Expect(p.stdout.String()).To(MatchRegexp(`Could not be removed: service instance \S+: it may be there`))
	})

	It("finds what a broker does wrong, each in its row", func() {
		slow, begin := looksTakeTime()
		w := newWorld(slow, bindingsKept("memory"),
			with("  tags: [cache]", "  tags: [cache]\n  maintenance_info: {version: 1.2.3}\n  instances_retrievable: true"))
		begin(w)
		w.platform.url = spoiling(w.platform.url)
		p := check(w, "--json", "--provision")
		Expect(p.end()).To(Equal(1))
		var report osbcheck.Report
		Expect(json.Unmarshal([]byte(p.stdout.String()), &report)).To(Succeed(), p.stdout.String()+p.stderr.String())
		found := []string{}
		for _, r := range report.Results {
			if r.Outcome == osbcheck.Failed {
				found = append(found, r.Row)
				Expect(r.Why).NotTo(BeEmpty(), r.Row)
			}
		}
		Expect(found).To(ConsistOf("A10", "A15", "A18", "A23", "C11", "C12", "C13", "C19", "D6", "E12", "E14", "F12", "F13", "G2", "G6", "G8", "G9", "G10", "H6", "J4", "J8", "L5"))
	})

	It("says what is wrong with how it was called, and with whom it can't reach", func() {
		w := newWorld()
		code, _, errs := odb("osb-check")
		Expect(code).To(Equal(2))
		Expect(errs).To(ContainSubstring("--url"))
		code, _, errs = odb("osb-check", "--url", w.platform.url, "--username", "nobody")
		Expect(code).To(Equal(1))
		Expect(errs).To(ContainSubstring("reading the catalog: answered 401"))
		for _, args := range [][]string{{"--url", "ftp://x"}, {"--url", "http://u:hush@x"}, {"--url", "http://x", "--bind-parameters", "[]"}} {
			code, _, errs = odb(append([]string{"osb-check"}, args...)...)
			Expect(code).To(Equal(1))
			Expect(errs).To(And(HavePrefix("odb: "), Not(ContainSubstring("hush"))))
		}
	})
})

// file writes a file of the world's.
func (w *world) file(name, text string) string {
	GinkgoHelper()
	path := w.dir + "/" + name
	Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	return path
}
