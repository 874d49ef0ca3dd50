package broker

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/config"
)

// rush is many creations at one moment, through two brokers, within one limit. Each request to the Director takes a time of its
// own, which the seed decides.
type rush struct {
	seed     int
	director *director
	offering config.ServiceCatalog
	mu       sync.Mutex
	sent     map[string]int
}

// takes lets a request take its time.
func (r *rush) takes(who int, request string) {
	r.mu.Lock()
	key := fmt.Sprint(r.seed, who, request)
	r.sent[key]++
	hash := fnv.New32a()
	fmt.Fprint(hash, key, r.sent[key])
	r.mu.Unlock()
	took := time.Duration(hash.Sum32()%20_000) * time.Microsecond
	if hash.Sum32()/20_000%8 == 0 { // some are slow
		took *= 10
	}
	time.Sleep(took)
}

// census counts as the Director does: deployments, from their submission on, and the plans that are remembered.
func (r *rush) census(who int) censusOf {
	return func(context.Context) (map[string]string, error) {
		plans := map[string]string{}
		r.takes(who, "deployments")
		r.director.mu.Lock()
		for _, t := range r.director.tasks {
			id, _ := instanceOf(t.Deployment)
			plans[id] = ""
		}
		r.director.mu.Unlock()
		r.takes(who, "records")
		r.director.mu.Lock()
		defer r.director.mu.Unlock()
		for id := range plans {
			known, err := decodeRecord(r.director.configs[configKey{recordType, deploymentName(id)}].Content)
			plans[id] = known.PlanID
			if err != nil {
				return nil, err
			}
		}
		return plans, nil
	}
}

func (r *rush) broker(who int) *Broker {
	l := &line{director: r.director, gate: func(_ context.Context, request string, _ kind) fault {
		r.takes(who, request)
		return none
	}}
	b, err := New(Options{
		Deployments: l, Tasks: l, Configs: l, Health: l, Adapter: adapter{&history{}}, Catalog: r.offering,
		Switches: Switches{SideBySide: true}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		panic(err)
	}
	b.quotas.census = r.census(who)
	return b
}

// run sends all creations at once and returns what the admitted ones cost together.
func (r *rush) run(creations int) (cost int) {
	brokers := []*Broker{r.broker(0), r.broker(1)}
	var all sync.WaitGroup
	for i := range creations {
		all.Go(func() {
			plan := []string{"small", "large"}[i/2%2]
			_, _ = brokers[i%2].Provision(WithRequest(context.Background(), Request{ID: fmt.Sprint("r-", i)}), fmt.Sprint("i-", i),
				domain.ProvisionDetails{ServiceID: "service-id", PlanID: plan}, true)
		})
	}
	all.Wait()
	for _, t := range r.director.tasks {
		known, _ := decodeRecord(r.director.configs[configKey{recordType, t.Deployment}].Content)
		cost += map[string]int{"small": 1, "large": 2}[known.PlanID]
	}
	for _, b := range brokers {
		b.Stop()
	}
	return cost
}

func TestTwoBrokersKeepALimitTogether(t *testing.T) {
	g := NewWithT(t)
	const limit, seeds = 5, 200
	costs := func(n int) config.Quotas {
		return config.Quotas{Resources: map[string]config.ResourceQuota{"ips": {Cost: n}}}
	}
	used := 0
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			r := &rush{seed: seed, sent: map[string]int{}, offering: config.ServiceCatalog{
				ID: "service-id", Name: "service", GlobalQuotas: config.Quotas{Resources: map[string]config.ResourceQuota{"ips": {Limit: limit}}},
				Plans: []config.Plan{{ID: "small", Name: "small", Quotas: costs(1)}, {ID: "large", Name: "large", Quotas: costs(2)}},
			}}
			r.director = newDirector(func(bool) (string, []int) { return boshclient.StateDone, nil })
			cost := r.run(8)
			g.Expect(cost).To(BeNumerically("<=", limit), "seed %d", seed)
			g.Expect(cost).To(BeNumerically(">", 0), "seed %d: somebody must get in", seed)
			g.Expect(r.director.configsOf(boshclient.ConfigFilter{Type: claimType})).To(BeEmpty())
			used += cost
		})
	}
	g.Expect(used).To(BeNumerically(">", seeds*limit*3/4), "what there is is given away")
}
