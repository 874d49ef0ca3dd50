package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/config"
)

// censusOf is a census made of a function.
type censusOf func(ctx context.Context) (map[string]string, error)

func (c censusOf) Plans(ctx context.Context) (map[string]string, error) { return c(ctx) }

// request is one that a simulation carries from step to step.
type request struct {
	admission
	arrived  int
	was      string // the instance's plan, if it has one
	counting *counting
	admitted bool
	written  bool
	// seen are all plans that each instance had or was reserved for since the request arrived.
	seen residents
}

// simulation interleaves requests, counts and deletions step by step; what there truly is stands in there.
type simulation struct {
	randomly
	t        *testing.T
	quotas   *quotas
	now      time.Time
	there    map[string]string // plan, by instance id: what a census sees
	requests map[string]*request
	count    map[string]string // what the count under way has read; nil if it has not yet
	refused  int
	admitted int
}

// occupied are all places that are taken: by what is there, and by what has been admitted and may yet be.
func (s *simulation) occupied() residents {
	taken := residents{}
	for id, planID := range s.there {
		taken[id] = []string{planID}
	}
	for id, r := range s.requests {
		if r.admitted {
			taken[id] = append(taken[id], r.plan.ID)
			if r.was != "" {
				taken[id] = append(taken[id], r.was)
			}
		}
	}
	return taken
}

// look lets the requests see what is the case now, and makes sure that no limit is broken.
func (s *simulation) look() {
	taken := s.occupied()
	for _, r := range s.requests {
		for id, plans := range taken {
			r.seen[id] = slices.Compact(slices.Sorted(slices.Values(append(r.seen[id], plans...))))
		}
	}
	for id, plans := range taken {
		others := maps.Clone(taken)
		delete(others, id)
		for _, planID := range plans {
			if broken := naiveBreaches(s.quotas.offering, others, nil, planID); len(broken) > 0 {
				s.t.Fatalf("over the limit: %v, with %v", broken, taken)
			}
		}
	}
}

func (s *simulation) step() {
	s.now = s.now.Add(time.Duration(s.IntN(1500)) * time.Millisecond)
	id := fmt.Sprint(s.IntN(12))
	r := s.requests[id]
	switch planID, there := s.there[id]; {
	case r == nil && there && s.IntN(3) == 0:
		delete(s.there, id)
	case r == nil:
		target := s.quotas.offering.plans[quotaPlans[s.IntN(len(quotaPlans))]]
		if planID == target.ID {
			return
		}
		s.requests[id] = &request{admission: admission{instanceID: id, plan: target, creates: !there}, arrived: s.quotas.arrive(), was: planID, seen: residents{}}
	case r.admitted:
		s.goOn(r)
	case r.counting != nil:
		s.goOnCounting(r)
	default:
		s.decide(r)
	}
	s.look()
}

func (s *simulation) decide(r *request) {
	decided := s.quotas.decide(r.admission, r.arrived)
	switch {
	case !decided.certain:
		var mine bool
		if r.counting, mine = s.quotas.join(); mine {
			s.count = nil
		}
	case len(decided.breaches) == 0:
		r.admitted = true
		s.admitted++
	default:
		others := maps.Clone(r.seen)
		delete(others, r.instanceID)
		var was []string
		if !r.creates {
			was = []string{r.was}
		}
		if len(naiveBreaches(s.quotas.offering, others, was, r.plan.ID)) == 0 {
			s.t.Fatalf("refused for nothing: %v, seen %v", decided.breaches, others)
		}
		s.refused++
		delete(s.requests, r.instanceID)
	}
}

// goOnCounting lets the count read, and later end.
func (s *simulation) goOnCounting(r *request) {
	switch {
	case s.quotas.counting != r.counting:
		r.counting = nil // ended
	case s.count == nil:
		s.count = maps.Clone(s.there)
	default:
		s.quotas.counting = nil
		s.quotas.settle(s.quotas.tally(r.counting.begun, s.count))
		r.counting = nil
	}
}

// goOn writes what was admitted, maybe takes it back, and ends the request.
func (s *simulation) goOn(r *request) {
	switch what := s.IntN(4); {
	case !r.written:
		s.there[r.instanceID], r.written = r.plan.ID, true
		if what == 0 { // refused before anything was written
			s.takeBack(r)
		}
	case what == 0:
		s.takeBack(r)
	default:
		s.quotas.release(r.instanceID)
		delete(s.requests, r.instanceID)
	}
}

func (s *simulation) takeBack(r *request) {
	if s.there[r.instanceID] = r.was; r.creates {
		delete(s.there, r.instanceID)
	}
	s.quotas.release(r.instanceID)
	delete(s.requests, r.instanceID)
}

func TestNoInterleavingBreaksALimitOrRefusesForNothing(t *testing.T) {
	g := NewWithT(t)
	refused, admitted := 0, 0
	for seed := range uint64(300) {
		s := &simulation{randomly: seeded(seed), t: t, now: time.Now(), there: map[string]string{}, requests: map[string]*request{}}
		s.quotas = newQuotas(newLedger(), s.offering(), censusOf(func(context.Context) (map[string]string, error) { return maps.Clone(s.there), nil }), func() time.Time { return s.now })
		for range 250 {
			s.step()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		for len(s.requests) > 0 {
			for _, id := range slices.Sorted(maps.Keys(s.requests)) {
				if r := s.requests[id]; r.admitted {
					s.goOn(r)
				} else {
					delete(s.requests, id)
				}
			}
		}
		s.quotas.counting = nil // nobody is left who waits for it
		for _, planID := range quotaPlans {
			a := admission{instanceID: "last", plan: s.quotas.offering.plans[planID], creates: true}
			want := naiveBreaches(s.quotas.offering, s.occupied(), nil, planID)
			release, err := s.quotas.reserve(t.Context(), a)
			g.Expect(err == nil).To(Equal(len(want) == 0), "seed %d: %v, but %v", seed, err, want)
			if err == nil {
				release()
			}
		}
		refused, admitted = refused+s.refused, admitted+s.admitted
	}
	g.Expect(refused).To(BeNumerically(">", 1_000))
	g.Expect(admitted).To(BeNumerically(">", 1_000))
}

// limitedTo is an offering of one plan, limited in number.
func limitedTo(limit int) offering {
	o, err := newOffering(config.ServiceCatalog{ID: "service", Plans: []config.Plan{{ID: "small", Quotas: config.Quotas{ServiceInstanceLimit: &limit}}, {ID: "free"}}}, false)
	if err != nil {
		panic(err)
	}
	return o
}

func TestOneCountServesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		var asked atomic.Int32
		q := newQuotas(newLedger(), limitedTo(1), censusOf(func(context.Context) (map[string]string, error) {
			asked.Add(1)
			time.Sleep(time.Second)
			return map[string]string{}, nil
		}), time.Now)
		var admitted atomic.Int32
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				if _, err := q.reserve(t.Context(), admission{instanceID: fmt.Sprint(i), plan: q.offering.plans["small"], creates: true}); err == nil {
					admitted.Add(1)
				}
			})
		}
		all.Wait()
		g.Expect(admitted.Load()).To(BeEquivalentTo(1))
		g.Expect(asked.Load()).To(BeNumerically("<=", 2))

		asked.Store(0)
		_, err := q.reserve(t.Context(), admission{instanceID: "free", plan: q.offering.plans["free"], creates: true})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(asked.Load()).To(BeZero(), "nothing limits that plan")
	})
}

func TestAdmissionsShortlyAfterOneAnotherShareACount(t *testing.T) {
	g := NewWithT(t)
	asked, now := 0, time.Now()
	q := newQuotas(newLedger(), limitedTo(10), censusOf(func(context.Context) (map[string]string, error) {
		asked++
		return map[string]string{}, nil
	}), func() time.Time { return now })
	reserve := func(id string) {
		_, err := q.reserve(t.Context(), admission{instanceID: id, plan: q.offering.plans["small"], creates: true})
		g.Expect(err).NotTo(HaveOccurred())
	}
	reserve("1")
	reserve("2")
	g.Expect(asked).To(Equal(1))
	now = now.Add(countKept + time.Second)
	reserve("3")
	g.Expect(asked).To(Equal(2))
}

func TestCountThatFailsIsTriedAgainByTheNext(t *testing.T) {
	g := NewWithT(t)
	away := errors.New("away")
	var fail any = away
	q := newQuotas(newLedger(), limitedTo(1), censusOf(func(context.Context) (map[string]string, error) {
		if fail == "panic" {
			panic(fail)
		}
		failure, _ := fail.(error)
		return map[string]string{}, failure
	}), time.Now)
	a := admission{instanceID: "1", plan: q.offering.plans["small"], creates: true}
	_, err := q.reserve(t.Context(), a)
	g.Expect(err).To(MatchError(away))
	fail = "panic"
	g.Expect(func() { _, _ = q.reserve(t.Context(), a) }).To(Panic())
	fail = nil
	_, err = q.reserve(t.Context(), a)
	g.Expect(err).NotTo(HaveOccurred())
}

func TestWhoWaitsForACountGivesUpWithItsContext(t *testing.T) {
	g := NewWithT(t)
	q := newQuotas(newLedger(), limitedTo(1), nil, time.Now)
	q.join() // somebody counts, and takes long
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ErrStopped)
	_, err := q.reserve(ctx, admission{instanceID: "1", plan: q.offering.plans["small"], creates: true})
	g.Expect(err).To(MatchError(ErrStopped))
}

// BenchmarkReserve is what an admission costs among many instances, with a new count (the census' own time apart) and without.
func BenchmarkReserve(b *testing.B) {
	plans := map[string]string{}
	for i := range 50_000 {
		plans[fmt.Sprint("i-", i)] = "small"
	}
	for _, new := range []bool{true, false} {
		b.Run(fmt.Sprintf("count=%t", new), func(b *testing.B) {
			q := newQuotas(newLedger(), limitedTo(1<<40), censusOf(func(context.Context) (map[string]string, error) { return plans, nil }), time.Now)
			for b.Loop() {
				release, err := q.reserve(b.Context(), admission{instanceID: "new", plan: q.offering.plans["small"], creates: true})
				if err != nil {
					b.Fatal(err)
				}
				if release(); !new {
					delete(q.reserved, "new")
				}
			}
		})
	}
}
