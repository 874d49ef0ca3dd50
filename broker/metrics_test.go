package broker

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/config"
)

func TestMetricsOf(t *testing.T) {
	limit := func(n int) *int { return &n }
	catalog := config.ServiceCatalog{Name: "redis",
		GlobalQuotas: config.Quotas{ServiceInstanceLimit: limit(10), Resources: map[string]config.ResourceQuota{"ips": {Limit: 5}, "disks": {Limit: 0}}},
		Plans: []config.Plan{
			{ID: "s", Name: "small", Quotas: config.Quotas{ServiceInstanceLimit: limit(2), Resources: map[string]config.ResourceQuota{
				"ips": {Cost: 1, Limit: 4}, "memory": {Cost: 100}, "free": {Limit: 7}}}},
			{ID: "l", Name: "large", Quotas: config.Quotas{Resources: map[string]config.ResourceQuota{"ips": {Cost: 3}}}},
		}}
	got := map[string]float64{}
	var keys []string
	for _, m := range metricsOf(catalog, map[string]int{"s": 3, "l": 1, "gone": 1}) {
		got[m.Key] = m.Value
		keys = append(keys, m.Key)
		NewWithT(t).Expect(m.Unit).To(Equal("count"))
	}
	g := NewWithT(t)
	g.Expect(keys).To(HaveLen(len(got)), "each is told once")
	g.Expect(got).To(Equal(map[string]float64{
		"/on-demand-broker/redis/small/total_instances": 3, "/on-demand-broker/redis/small/quota_remaining": -1,
		"/on-demand-broker/redis/small/ips/used": 3, "/on-demand-broker/redis/small/ips/remaining": 1, "/on-demand-broker/redis/small/memory/used": 300,
		"/on-demand-broker/redis/large/total_instances": 1, "/on-demand-broker/redis/large/ips/used": 3,
		"/on-demand-broker/redis/total_instances": 5, "/on-demand-broker/redis/quota_remaining": 5,
		"/on-demand-broker/redis/ips/used": 6, "/on-demand-broker/redis/ips/remaining": -1,
		"/on-demand-broker/redis/disks/used": 0, "/on-demand-broker/redis/disks/remaining": 0,
	}))
}
