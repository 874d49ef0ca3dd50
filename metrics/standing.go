package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Standing is what there is at the time of a scrape.
type Standing struct {
	Running   map[string]int // operations, by type
	Instances map[string]int // by plan; nil if they weren't counted yet
	CountedAt time.Time
	Quotas    []Quota
	Ready     map[string]bool // by dependency
}

// Quota is a limit and what is used of it.
type Quota struct {
	Plan     string // empty for the service as a whole
	Resource string
	Limit    int
	Used     int // of no meaning if Instances is nil
}

// standingCollector asks at each scrape, so that plans and dependencies go with the configuration that they are of.
type standingCollector struct {
	ask                                             func() Standing
	running, instances, counted, limit, used, ready *prometheus.Desc
}

// Reads has each scrape ask for what there is. The answer must come at once, whoever is away.
func (r *Registry) Reads(ask func() Standing) {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	r.registry.MustRegister(&standingCollector{
		ask:       ask,
		running:   describe("operations_running", "Operations that this process began and that have not ended, as far as it knows.", "type"),
		instances: describe("service_instances", "Service instances that there are.", "plan"),
		counted:   describe("service_instances_counted_timestamp_seconds", "When the service instances were counted."),
		limit:     describe("quota_limit", "How much there may be; plan is empty for the service as a whole.", "plan", "resource"),
		used:      describe("quota_used", "How much is used of what is limited; plan is empty for the service as a whole.", "plan", "resource"),
		ready:     describe("dependency_ready", "1 if whom the broker depends on answered the last time, else 0.", "dependency"),
	})
}

// Describe implements prometheus.Collector.
func (c *standingCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.running, c.instances, c.counted, c.limit, c.used, c.ready} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *standingCollector) Collect(metrics chan<- prometheus.Metric) {
	tell := func(desc *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	s := c.ask()
	for operation, running := range s.Running {
		tell(c.running, float64(running), operation)
	}
	for dependency, ready := range s.Ready {
		value := 0.0
		if ready {
			value = 1
		}
		tell(c.ready, value, dependency)
	}
	for _, q := range s.Quotas {
		tell(c.limit, float64(q.Limit), q.Plan, q.Resource)
		if s.Instances != nil {
			tell(c.used, float64(q.Used), q.Plan, q.Resource)
		}
	}
	for plan, instances := range s.Instances {
		tell(c.instances, float64(instances), plan)
	}
	if s.Instances != nil {
		tell(c.counted, float64(s.CountedAt.UnixMilli())/1000)
	}
}
