package broker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// admission is what an instance is to be admitted to: its plan, at its creation or by a change of plan.
type admission struct {
	instanceID string
	plan       *plan
	creates    bool
	// from is the plan id that the platform says the instance has, for when the count doesn't know better; maybe empty.
	from string
}

// admit asks the quotas for what a deploy adds: a new instance, or one that leaves its plan for another. What is remembered
// tells the plan if the platform doesn't.
func (b *Broker) admit(ctx context.Context, d deployment) (release func(), err error) {
	a := admission{instanceID: d.instanceID, plan: d.plan, creates: d.operation == OperationCreate}
	if !a.creates {
		known := d.before.record
		if d.movesFrom == nil || (known != nil && known.PlanID == d.plan.ID) {
			return func() {}, nil
		}
		if a.from = *d.movesFrom; a.from == "" && known != nil {
			a.from = known.PlanID
		}
	}
	if h := heldClaimOf(ctx); h != nil && b.offering.limits(a) {
		if err := h.ask(ctx, b.offering.ID, move{from: cmp.Or(a.from, a.plan.ID), to: a.plan.ID}); err != nil {
			return nil, err
		}
	}
	return b.quotas.reserve(ctx, a)
}

// population is how many instances there are of each plan, by plan id; those whose plan isn't known have none. An instance
// that is being moved may end up in either plan, so it takes its place in both.
type population struct {
	plans  map[string]int
	moving []move
}

// move is from one plan to another, by plan id.
type move struct{ from, to string }

func (p population) total() int {
	total := len(p.moving)
	for _, instances := range p.plans {
		total += instances
	}
	return total
}

func (p population) of(planID string) int {
	instances := p.plans[planID]
	for _, m := range p.moving {
		if m.from == planID || m.to == planID {
			instances++
		}
	}
	return instances
}

// uses is what all of them use of a resource, each by its own plan's cost.
func (p population) uses(resource string, cost func(planID, resource string) int) int {
	used := 0
	for planID, instances := range p.plans {
		used += instances * cost(planID, resource)
	}
	for _, m := range p.moving {
		used += max(cost(m.from, resource), cost(m.to, resource))
	}
	return used
}

// cost is what one instance of a plan uses of a resource; nothing if the plan isn't in the catalog.
func (o offering) cost(planID, resource string) int {
	if p := o.plans[planID]; p != nil {
		return p.Quotas.Resources[resource].Cost
	}
	return 0
}

// demand is one limit and how an admission stands to it.
type demand struct {
	scope    scope
	resource string // empty if the instances themselves are limited
	limit    int
	used     int // by all other instances
	requires int // by this one, once it is admitted
	credited int // what this one uses already
}

type scope string

const (
	inPlan   scope = "plan"
	globally scope = "global"
)

// exceeded tells whether the limit refuses the admission. What asks for no more than it has is never refused: a limit that
// was lowered doesn't keep anybody from a smaller plan.
func (d demand) exceeded() bool {
	return d.requires > d.credited && d.used+d.requires > d.limit
}

// limits tells whether any limit touches an admission.
func (o offering) limits(a admission) bool { return len(o.demands(a, population{}, "")) > 0 }

// demands are all limits that an admission touches. others are the other instances, and from is the id of the plan that the
// instance has; empty if it has none.
func (o offering) demands(a admission, others population, from string) []demand {
	global, own := o.GlobalQuotas, a.plan.Quotas
	stays := !a.creates && from == a.plan.ID
	var demands []demand
	if limit := own.ServiceInstanceLimit; limit != nil {
		d := demand{scope: inPlan, limit: *limit, used: others.of(a.plan.ID), requires: 1}
		if stays {
			d.credited = 1
		}
		demands = append(demands, d)
	}
	if limit := global.ServiceInstanceLimit; limit != nil && a.creates {
		demands = append(demands, demand{scope: globally, limit: *limit, used: others.total(), requires: 1})
	}
	for _, resource := range slices.Sorted(maps.Keys(global.Resources)) {
		if cost := own.Resources[resource].Cost; cost != 0 {
			d := demand{scope: globally, resource: resource, limit: global.Resources[resource].Limit, used: others.uses(resource, o.cost), requires: cost}
			if !a.creates {
				d.credited = o.cost(from, resource)
			}
			demands = append(demands, d)
		}
	}
	for _, resource := range slices.Sorted(maps.Keys(own.Resources)) {
		if quota := own.Resources[resource]; quota.Cost != 0 && quota.Limit != 0 { // 0 means no limit here
			d := demand{scope: inPlan, resource: resource, limit: quota.Limit, used: quota.Cost * others.of(a.plan.ID), requires: quota.Cost}
			if stays {
				d.credited = quota.Cost
			}
			demands = append(demands, d)
		}
	}
	return demands
}

// breaches are the demands that refuse the admission.
func (o offering) breaches(a admission, others population, from string) []demand {
	return slices.DeleteFunc(o.demands(a, others, from), func(d demand) bool { return !d.exceeded() })
}

// overQuota words all breaches at once. Cloud Controller takes a 422 that it has no name for as an instance that may be there
// half-made, and deletes it; so the refusal of a creation is a 400.
func (o offering) overQuota(a admission, breaches []demand) *Error {
	kind := Refused
	if a.creates {
		kind = BadRequest
	}
	var texts []string
	resources := map[scope][]string{}
	for _, d := range breaches {
		switch {
		case d.resource != "":
			resources[d.scope] = append(resources[d.scope], fmt.Sprintf("%s: (limit %d, used %d, requires %d)", d.resource, d.limit, d.used, d.requires))
		case d.scope == inPlan:
			texts = append(texts, fmt.Sprintf("plan instance limit exceeded: plan %s is limited to %d. Total instances: %d", a.plan.Name, d.limit, d.used))
		default:
			texts = append(texts, fmt.Sprintf("global instance limit exceeded: service %s is limited to %d. Total instances: %d", o.Name, d.limit, d.used))
		}
	}
	for _, s := range []scope{globally, inPlan} {
		if len(resources[s]) > 0 {
			texts = append(texts, fmt.Sprintf("%s quotas [%s] would be exceeded by an instance of plan %s", s, strings.Join(resources[s], ", "), a.plan.Name))
		}
	}
	return refuse(kind, "%s", strings.Join(texts, ", "))
}
