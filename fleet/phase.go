package fleet

import (
	"container/heap"
	"time"
)

// phase decides who is begun next. It has no clock and no goroutines: what happens is told to it, and it answers.
type phase struct {
	canaries bool
	fresh    []int32     // not begun yet, by index, in order
	retries  retries     // busy ones, and when they are due
	busy     map[int]int // how often each was found busy
	running  int
	wanted   int // that many good ends are enough
	good     int
	givenUp  int // busy at their last attempt
	limit    int // of those running
	stopped  bool
}

// next is the member to begin now; or else when to ask again, or the zero time if that depends on those that run.
func (p *phase) next(now time.Time) (member int, begin bool, wake time.Time) {
	switch {
	case p.stopped, p.running >= min(p.limit, p.wanted-p.good):
		return 0, false, time.Time{}
	case len(p.fresh) > 0:
		member, p.fresh = int(p.fresh[0]), p.fresh[1:]
	case len(p.retries) == 0:
		return 0, false, time.Time{}
	case p.retries[0].due.After(now):
		return 0, false, p.retries[0].due
	default:
		member = heap.Pop(&p.retries).(retry).member
	}
	p.running++
	return member, true, time.Time{}
}

// ended takes in that a running member ended, with any state but Busy. Deleted ones and orphans prove nothing: they are no canaries.
func (p *phase) ended(state State) {
	p.running--
	if state == Succeeded || state == Skipped {
		p.good++
	}
}

// wasBusy takes in that a running member was busy, and says whether there is another attempt for it, and in how long.
func (p *phase) wasBusy(member int, now time.Time, attempts int, interval time.Duration) (again bool, pause time.Duration) {
	p.running--
	p.busy[member]++
	if p.busy[member] >= attempts {
		p.givenUp++
		return false, 0
	}
	pause = attemptPause(interval, p.busy[member])
	heap.Push(&p.retries, retry{member: member, due: now.Add(pause)})
	return true, pause
}

// attempt is which attempt at the member the next one is, from 1.
func (p *phase) attempt(member int) int { return p.busy[member] + 1 }

// over says that nothing runs and nothing more will be begun.
func (p *phase) over() bool {
	return p.running == 0 && (p.stopped || p.good >= p.wanted || (len(p.fresh) == 0 && len(p.retries) == 0))
}

// missing says that too few ended well since some stayed busy. Where all others are deleted or orphans, nothing is missing.
func (p *phase) missing() bool { return p.good < p.wanted && p.givenUp > 0 }

// retry is a busy member and when it is due again.
type retry struct {
	member int
	due    time.Time
}

// retries is a container/heap, the one that is due first at its top; equal ones in the order of the members.
type retries []retry

func (r retries) Len() int { return len(r) }
func (r retries) Less(i, j int) bool {
	if r[i].due.Equal(r[j].due) {
		return r[i].member < r[j].member
	}
	return r[i].due.Before(r[j].due)
}
func (r retries) Swap(i, j int) { r[i], r[j] = r[j], r[i] }
func (r *retries) Push(x any)   { *r = append(*r, x.(retry)) }
func (r *retries) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}
