package broker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/config"
)

// randomly makes small catalogs and instances that often meet their limits.
type randomly struct{ *rand.Rand }

func seeded(seed uint64) randomly { return randomly{rand.New(rand.NewPCG(seed, 135))} }

var (
	quotaPlans     = []string{"small", "large", "huge"}
	quotaResources = []string{"ips", "memory"}
)

func (r randomly) instanceLimit(most int) *int {
	if r.IntN(3) == 0 {
		return nil
	}
	limit := r.IntN(most)
	return &limit
}

func (r randomly) offering() offering {
	catalog := config.ServiceCatalog{ID: "service", Name: "redis", GlobalQuotas: config.Quotas{ServiceInstanceLimit: r.instanceLimit(9), Resources: map[string]config.ResourceQuota{}}}
	for _, resource := range quotaResources {
		if r.IntN(2) == 0 {
			catalog.GlobalQuotas.Resources[resource] = config.ResourceQuota{Limit: r.IntN(16)}
		}
	}
	for _, id := range quotaPlans {
		p := config.Plan{ID: id, Name: id, Quotas: config.Quotas{ServiceInstanceLimit: r.instanceLimit(5), Resources: map[string]config.ResourceQuota{}}}
		for _, resource := range quotaResources {
			if r.IntN(3) > 0 {
				p.Quotas.Resources[resource] = config.ResourceQuota{Limit: r.IntN(8), Cost: r.IntN(4)}
			}
		}
		catalog.Plans = append(catalog.Plans, p)
	}
	o, err := newOffering(catalog, false)
	if err != nil {
		panic(err)
	}
	return o
}

// residents are instances one by one, each with the plans that it takes a place in.
type residents map[string][]string

// naiveBreaches adds up instance by instance what there would be, and what there is.
func naiveBreaches(o offering, others residents, was []string, target string) []string {
	measure := func(limit int, name string, weight func(plans []string) int) []string {
		used := 0
		for _, plans := range others {
			used += weight(plans)
		}
		with, without := used+weight([]string{target}), used+weight(was)
		if with > limit && with > without {
			return []string{fmt.Sprintf("%s: %d %d %d", name, limit, used, with-used)}
		}
		return nil
	}
	costliest := func(resource string) func([]string) int {
		return func(plans []string) int {
			most := 0
			for _, id := range plans {
				for _, p := range o.Plans {
					if p.ID == id {
						most = max(most, p.Quotas.Resources[resource].Cost)
					}
				}
			}
			return most
		}
	}
	inTarget := func(weight int) func([]string) int {
		return func(plans []string) int {
			if slices.Contains(plans, target) {
				return weight
			}
			return 0
		}
	}
	var found []string
	own := o.plans[target].Quotas
	if own.ServiceInstanceLimit != nil {
		found = append(found, measure(*own.ServiceInstanceLimit, "plan", inTarget(1))...)
	}
	if o.GlobalQuotas.ServiceInstanceLimit != nil {
		found = append(found, measure(*o.GlobalQuotas.ServiceInstanceLimit, "global", func(plans []string) int { return min(1, len(plans)) })...)
	}
	for _, resource := range quotaResources {
		if quota, listed := o.GlobalQuotas.Resources[resource]; listed {
			found = append(found, measure(quota.Limit, "global "+resource, costliest(resource))...)
		}
	}
	for _, resource := range quotaResources {
		if quota := own.Resources[resource]; quota.Limit != 0 {
			found = append(found, measure(quota.Limit, "plan "+resource, inTarget(quota.Cost))...)
		}
	}
	return found
}

func TestBreachesAreWhatAddingUpInstanceByInstanceFinds(t *testing.T) {
	g := NewWithT(t)
	breached, passed := 0, 0
	for seed := range uint64(5_000) {
		r := seeded(seed)
		o := r.offering()
		plans := append(quotaPlans, "", "gone")
		others, naive := population{plans: map[string]int{}}, residents{}
		for i := range r.IntN(10) {
			from, to := plans[r.IntN(len(plans))], quotaPlans[r.IntN(len(quotaPlans))]
			if r.IntN(4) == 0 {
				others.moving = append(others.moving, move{from: from, to: to})
				naive[fmt.Sprint(i)] = []string{from, to}
			} else {
				others.plans[from]++
				naive[fmt.Sprint(i)] = []string{from}
			}
		}
		a, from, was := admission{plan: o.plans[quotaPlans[r.IntN(len(quotaPlans))]], creates: r.IntN(2) == 0}, "", []string(nil)
		if !a.creates {
			from = plans[r.IntN(len(plans))]
			was = []string{from}
		}
		var found []string
		for _, d := range o.breaches(a, others, from) {
			name := string(d.scope)
			if d.resource != "" {
				name += " " + d.resource
			}
			found = append(found, fmt.Sprintf("%s: %d %d %d", name, d.limit, d.used, d.requires))
		}
		want := naiveBreaches(o, naive, was, a.plan.ID)
		g.Expect(found).To(Equal(want), "seed %d", seed)
		if len(want) > 0 {
			breached++
		} else {
			passed++
		}
	}
	g.Expect(breached).To(BeNumerically(">", 1_000))
	g.Expect(passed).To(BeNumerically(">", 1_000))
}

func TestRefusalTellsEveryBreachWithLimitUsedAndRequired(t *testing.T) {
	g := NewWithT(t)
	two := 2
	o, err := newOffering(config.ServiceCatalog{
		ID: "service", Name: "redis",
		GlobalQuotas: config.Quotas{ServiceInstanceLimit: &two, Resources: map[string]config.ResourceQuota{"ips": {Limit: 3}, "memory": {}, "unused": {}}},
		Plans: []config.Plan{{ID: "small", Name: "Small", Quotas: config.Quotas{ServiceInstanceLimit: &two, Resources: map[string]config.ResourceQuota{
			"ips": {Limit: 2, Cost: 1}, "memory": {Cost: 4}, "disks": {Limit: 5, Cost: 2},
		}}}, {ID: "large", Name: "Large", Quotas: config.Quotas{Resources: map[string]config.ResourceQuota{"ips": {Cost: 3}}}}},
	}, false)
	g.Expect(err).NotTo(HaveOccurred())
	a := admission{plan: o.plans["small"], creates: true}
	there := population{plans: map[string]int{"small": 2, "large": 1, "": 1}}

	refusal := o.overQuota(a, o.breaches(a, there, ""))
	g.Expect(refusal.Kind).To(Equal(BadRequest), "a 422 makes Cloud Controller delete the instance")
	g.Expect(refusal.Message).To(Equal("plan instance limit exceeded: plan Small is limited to 2. Total instances: 2, " +
		"global instance limit exceeded: service redis is limited to 2. Total instances: 4, " +
		"global quotas [ips: (limit 3, used 5, requires 1), memory: (limit 0, used 8, requires 4)] would be exceeded by an instance of plan Small, " +
		"plan quotas [disks: (limit 5, used 4, requires 2), ips: (limit 2, used 2, requires 1)] would be exceeded by an instance of plan Small"))

	a.creates = false
	refusal = o.overQuota(a, o.breaches(a, there, "large"))
	g.Expect(refusal.Kind).To(Equal(Refused))
	g.Expect(refusal.Message).To(And(ContainSubstring("plan instance limit"), ContainSubstring("[memory: (limit 0, used 8, requires 4)]"),
		Not(ContainSubstring("global instance limit"))), "the instance gives three ips back")
}
