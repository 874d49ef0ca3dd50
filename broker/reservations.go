package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"sync"
	"time"
)

// Census is where it is known which instances of the offering there are.
type Census interface {
	// Plans gives the plan id of each instance, by instance id; an empty one where the plan isn't known.
	Plans(ctx context.Context) (map[string]string, error)
}

// countKept is how long admissions may rely on one count. Whatever this broker admits meanwhile is counted on top of it, and
// nothing is refused without a new one, so that only what others do at the same time is seen later.
const countKept = 5 * time.Second

// quotas admits instances within the limits. Admissions are decided one after the other under a lock of their own, which is
// held for arithmetic only; an admitted instance is reserved from then on, so that two can't take the last place.
//
// The count and the reservations are made to fit by order: a reservation is dropped only for a count that was begun after the
// reservation's request had ended. Until then it is counted on top, by instance id, so that no instance is counted twice or
// missed, whether its request went well or not.
type quotas struct {
	*ledger
	offering offering
	census   Census
	now      func() time.Time
	// claimed gives the places that are asked for in any of several brokers; nil if there is but one. See claims.go.
	claimed func(context.Context) (map[string]claimedPlace, error)
}

// ledger is what was counted and what is reserved, whatever the limits are.
type ledger struct {
	mu       sync.Mutex
	moment   int // a clock that only orders: counts begun, requests arrived and ended
	latest   count
	counting *counting // under way; nil if none is
	reserved map[string]*reservation
}

// count is what the census said.
type count struct {
	begun int               // the moment before it was asked
	at    time.Time         // when it was answered
	plans map[string]string // by instance id; nil if nobody has counted yet
	sizes map[string]int    // instances, by plan id
	// claims are the places asked for in all brokers, by instance id, read before the census: what is no longer claimed then
	// has been submitted before, and is counted.
	claims map[string]claimedPlace
}

// counting is a count under way, that everybody who needs one waits for.
type counting struct {
	begun int
	done  chan struct{}
	err   error
}

// reservation is an admitted instance's. Until its outcome is counted it takes its place in both plans; a new instance has but
// one.
type reservation struct {
	move
	ended int // the moment when its request ended; 0 before
}

func newLedger() *ledger { return &ledger{reserved: map[string]*reservation{}} }

func newQuotas(l *ledger, offering offering, census Census, now func() time.Time) *quotas {
	return &quotas{ledger: l, offering: offering, census: census, now: now}
}

// reserve admits an instance to its plan or refuses it with all limits that it would exceed. The caller holds the instance's
// lock, and calls release when the instance's record and deployment are submitted, or when they won't be. Nobody is asked for a
// count where nothing is limited, or if a recent one will do.
func (q *quotas) reserve(ctx context.Context, a admission) (release func(), err error) {
	if !q.offering.limits(a) {
		return func() {}, nil
	}
	arrived := q.arrive()
	for looks := 1; ; {
		decided := q.decide(a, arrived)
		switch {
		case decided.certain && len(decided.breaches) == 0:
			return func() { q.release(a.instanceID) }, nil
		case decided.certain && (!decided.contested || looks == contestedLooks):
			return nil, q.offering.overQuota(a, decided.breaches)
		case decided.certain:
			looks++
			if err := pause(ctx, claimSettling); err != nil {
				return nil, err
			}
			arrived = q.arrive()
		}
		if err := q.recount(ctx); err != nil {
			return nil, fmt.Errorf("counting the instances: %w", err)
		}
	}
}

// contestedLooks is how often an admission looks whether others have withdrawn who asked for the same place later.
const contestedLooks = 4

// admissionDecision is what a count says of an admission.
type admissionDecision struct {
	breaches []demand
	// certain is false if a newer count is needed to tell.
	certain bool
	// contested says that only claims that come later stand in the way. They withdraw if they have seen this one.
	contested bool
}

func (q *quotas) arrive() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next()
}

// next is a new moment. The caller holds the lock.
func (q *quotas) next() int {
	q.moment++
	return q.moment
}

// decide admits an instance if the latest count allows it. It is not certain if a newer count is needed to tell: an old one
// doesn't know whose place has become free, nor what other brokers have admitted.
func (q *quotas) decide(a admission, arrived int) admissionDecision {
	q.mu.Lock()
	defer q.mu.Unlock()
	fresh := q.latest.begun > arrived
	_, uncounted := q.reserved[a.instanceID] // by an earlier request: which plan the instance has now isn't known yet
	if !fresh && (uncounted || q.claimed != nil || q.latest.plans == nil || q.now().Sub(q.latest.at) > countKept) {
		return admissionDecision{}
	}
	from := q.latest.plans[a.instanceID]
	if from == "" {
		from = a.from
	}
	if breaches := q.offering.breaches(a, q.others(a.instanceID, math.MaxInt), from); len(breaches) > 0 {
		earlier := q.offering.breaches(a, q.others(a.instanceID, q.latest.claims[a.instanceID].order), from)
		return admissionDecision{breaches: breaches, certain: fresh, contested: len(earlier) == 0}
	}
	if a.creates {
		from = a.plan.ID
	}
	q.reserved[a.instanceID] = &reservation{move: move{from: from, to: a.plan.ID}}
	return admissionDecision{certain: true}
}

// others are all instances but one: those reserved, which the count may have missed or seen half-way, those that other brokers
// have claimed places for in an order before the given one, and the rest as counted.
func (q *quotas) others(instanceID string, before int) population {
	others := population{plans: maps.Clone(q.latest.sizes)}
	if planID, counted := q.latest.plans[instanceID]; counted {
		others.plans[planID]--
	}
	moves := map[string]move{}
	for id, c := range q.latest.claims {
		if id != instanceID && c.order < before {
			moves[id] = c.move
		}
	}
	for id, r := range q.reserved { // none is the instance's own: decide has seen to that
		moves[id] = r.move
	}
	for id, m := range moves {
		if planID, counted := q.latest.plans[id]; counted {
			others.plans[planID]--
		}
		others.moving = append(others.moving, m)
	}
	return others
}

func (q *quotas) release(instanceID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reserved[instanceID].ended = q.next()
}

// recount asks the census, or waits for the answer that somebody else is waiting for already.
func (q *quotas) recount(ctx context.Context) error {
	c, mine := q.join()
	if mine {
		q.count(ctx, c)
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *quotas) join() (c *counting, mine bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.counting != nil {
		return q.counting, false
	}
	q.counting = &counting{begun: q.next(), done: make(chan struct{}), err: errors.New("the count was not finished")}
	return q.counting, true
}

// count asks the census and lets those go who wait for it, whatever happens.
func (q *quotas) count(ctx context.Context, c *counting) {
	var latest count
	defer func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.counting = nil; c.err == nil {
			q.settle(latest)
		}
		close(c.done)
	}()
	latest, c.err = q.ask(ctx, c.begun)
}

func (q *quotas) ask(ctx context.Context, begun int) (latest count, err error) {
	var claims map[string]claimedPlace
	if q.claimed != nil {
		if claims, err = q.claimed(ctx); err != nil {
			return latest, err
		}
	}
	plans, err := q.census.Plans(ctx)
	latest = q.tally(begun, plans)
	latest.claims = claims
	return latest, err
}

func (q *quotas) tally(begun int, plans map[string]string) count {
	c := count{begun: begun, at: q.now(), plans: plans, sizes: map[string]int{}}
	for _, planID := range plans {
		c.sizes[planID]++
	}
	return c
}

// settle replaces the count, and drops the reservations that it has seen the outcome of.
func (q *quotas) settle(latest count) {
	q.latest = latest
	maps.DeleteFunc(q.reserved, func(_ string, r *reservation) bool { return r.ended > 0 && r.ended < latest.begun })
}
