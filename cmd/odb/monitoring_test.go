package main

import (
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

// scrape is what the broker tells Prometheus.
func (w *world) scrape() string {
	GinkgoHelper()
	a := w.platform.do(http.MethodGet, "/metrics", nil)
	Expect(a.status).To(Equal(http.StatusOK), a.text)
	return a.text
}

// shows waits until a scrape has a line, with the given start.
func (w *world) shows(line string) {
	GinkgoHelper()
	Eventually(w.scrape).Should(MatchRegexp("(?m)^" + regexp.QuoteMeta(line)))
}

var _ = Describe("GET /metrics", func() {
	It("counts requests, by routes and not by paths", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.platform.provisioned("i-2")
		w.platform.do(http.MethodGet, "/v2/service_instances/i-1/nothing-like-that", nil)
		w.platform.do("BREW", "/v2/catalog", nil)
		w.shows(`odb_http_requests_total{method="PUT",route="/v2/service_instances/:instance_id",status="202"} 2`)
		w.shows(`odb_http_request_duration_seconds_count{method="PUT",route="/v2/service_instances/:instance_id"} 2`)
		w.shows(`odb_http_requests_total{method="GET",route="other",status="404"} 1`)
		w.shows(`odb_http_requests_total{method="other",route="/v2/catalog",status="405"} 1`)
		Expect(w.scrape()).NotTo(ContainSubstring("i-1"))
	})

	It("counts the adapter's runs, by how they ended", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{ExitCode: 42})).To(Succeed())
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusUnprocessableEntity))
		w.shows(`odb_adapter_runs_total{exit="0",subcommand="generate-manifest"} 1`)
		w.shows(`odb_adapter_runs_total{exit="42",subcommand="create-binding"} 1`)
		w.shows(`odb_adapter_run_duration_seconds_count{subcommand="create-binding"} 1`)
	})

	It("counts what is asked of the Director, by kinds of requests", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.shows(`odb_director_requests_total{endpoint="/deployments",method="POST",status="30`)
		w.shows(`odb_director_request_duration_seconds_count{endpoint="/deployments",method="POST"} 1`)
		w.shows(`odb_director_requests_total{endpoint="/tasks/:x",method="GET",status="200"}`)
		Expect(w.scrape()).NotTo(ContainSubstring("service-instance_"))
	})

	It("counts what is asked of others, and goes on counting when the configuration has changed", func() {
		credhub := credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		cf := newFoundation()
		cf.knows(smallPlan, largePlan)
		w := newWorldWithoutBroker()
		p := w.serveProcess("--config", cf.configured(), credentialsIn(credhub))
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		w.shows(`odb_dependency_requests_total{dependency="cf",method="GET",status="200"}`)
		w.shows(`odb_dependency_requests_total{dependency="credhub",method="PUT",status="200"}`)
		provisions := `odb_http_requests_total{method="PUT",route="/v2/service_instances/:instance_id",status="202"} `
		w.shows(provisions + "1")
		before := regexp.MustCompile(`hash="(\w+)"`).FindStringSubmatch(w.scrape())[1]

		w.rewrite(w.dir+"/broker.yml", "one node", "one node of its own")
		p.hangUp("reloaded")
		w.platform.provisioned("i-2")
		w.shows(provisions + "2")
		Expect(w.scrape()).NotTo(ContainSubstring(before))
		Expect(strings.Count(w.scrape(), "odb_config_info{")).To(Equal(1))
	})

	It("tells which program runs, and with what", func() {
		w := newWorld()
		w.shows(`odb_build_info{commit="`)
		w.shows(`odb_config_info{hash="`)
		Expect(w.scrape()).To(ContainSubstring(`service="redis"} 1`))
		Expect(w.scrape()).To(And(ContainSubstring("process_resident_memory_bytes "), ContainSubstring("go_goroutines ")))
	})

	It("is for those who have credentials", func() {
		w := newWorld()
		a := w.platform.do(http.MethodGet, "/metrics", nil, func(r *http.Request) { r.SetBasicAuth(platformUser, "guessed") })
		Expect(a.status).To(Equal(http.StatusUnauthorized))
		Expect(a.text).NotTo(ContainSubstring("odb_"))
	})

	It("has what OPERATING.md lists, and nothing else", func() {
		cf := newFoundation()
		cf.knows(smallPlan, largePlan)
		w := newWorld(cf.configured(), globalQuotas("{service_instance_limit: 9}"))
		w.platform.provisioned("i-1")
		w.shows("odb_quota_used{")
		w.shows(`odb_dependency_ready{dependency="cf"} 1`)
		exported := map[string]bool{}
		for _, found := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(w.scrape(), -1) {
			exported[found[1]] = true
		}
		Expect(slices.Sorted(maps.Keys(exported))).To(Equal(documentedMetrics()))
	})
})

// documentedMetrics are the names in the first cells of the section's tables.
func documentedMetrics() []string {
	GinkgoHelper()
	page, err := os.ReadFile("../../docs/OPERATING.md")
	Expect(err).NotTo(HaveOccurred())
	_, section, found := strings.Cut(string(page), "\n## Metrics\n")
	Expect(found).To(BeTrue(), "docs/OPERATING.md has no section on metrics")
	section, _, _ = strings.Cut(section, "\n## ")
	var names []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			names = append(names, name[1])
		}
	}
	slices.Sort(names)
	return names
}
