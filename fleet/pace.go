package fleet

import (
	"slices"
	"sync"
	"time"
)

const (
	leastPoll = 250 * time.Millisecond
	// firstPoll is for operations of which nobody knows yet how long they take: none of a Director ends sooner.
	firstPoll = time.Second
	// An operation is polled again after this part of its age, so that its end is seen late by a few per cent of what it took, however
	// long that was.
	ageParts = 12
	// What has just outlasted the usual time is about to end, so that it is polled twice as often as its age alone would have it.
	overdueParts     = 2 * ageParts
	firstOverduePoll = 100 * time.Millisecond
	// The slowest pause between attempts at a busy member is this many intervals.
	longestAttemptPause = 8
	firstTroublePause   = time.Second
)

// pollPause is how long to wait before the next poll of an operation of this age. usual is what such operations took lately (0 if
// none has ended): until then there is nothing to see but stages, for which the polling interval is often enough.
func pollPause(age, usual, pollingInterval time.Duration) time.Duration {
	pause := max(leastPoll, age/ageParts)
	switch {
	case usual == 0 && age < leastPoll:
		pause = firstPoll
	case usual > age:
		pause = max(leastPoll, usual-age)
	case usual > 0:
		pause = min(pause, max(firstOverduePoll, age/overdueParts, age-usual))
	}
	return min(pause, pollingInterval)
}

// attemptPause is how long to leave a member alone that was busy so many times.
func attemptPause(interval time.Duration, busy int) time.Duration {
	factor := longestAttemptPause
	if busy <= 3 {
		factor = 1 << (busy - 1)
	}
	return time.Duration(factor) * interval
}

// troublePause is how long to wait after so many calls in a row without an answer.
func troublePause(calls int, pollingInterval time.Duration) time.Duration {
	pause := firstTroublePause << min(calls-1, 10)
	return min(pause, pollingInterval)
}

// kept is how many durations of a plan's operations are looked at.
const kept = 16

// durations are what operations took lately, by plan. They are the run's, and safe for concurrent use.
type durations struct {
	mu     sync.Mutex
	byPlan map[string][]time.Duration
}

func newDurations() *durations { return &durations{byPlan: map[string][]time.Duration{}} }

func (d *durations) add(planID string, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	latest := append(d.byPlan[planID], took)
	d.byPlan[planID] = latest[max(0, len(latest)-kept):]
}

// usual is the lower quartile of what the plan's operations took lately, and a little less, since an end is always seen late: it
// finds its way down to the true duration. 0 if none has ended.
func (d *durations) usual(planID string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	latest := slices.Sorted(slices.Values(d.byPlan[planID]))
	if len(latest) == 0 {
		return 0
	}
	quartile := latest[len(latest)/4]
	return quartile - quartile/50
}
