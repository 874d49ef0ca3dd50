package fleet

import "time"

// outlook is what the time that is left is reckoned from.
type outlook struct {
	workers int
	pending int             // not begun, or busy and to be begun again
	ages    []time.Duration // of those that run
	ended   int             // how many have ended, and what they took together
	took    time.Duration
	ran     int // how many of those had an operation to wait for, and what these took
	ranTook time.Duration
}

// left is how long it will take until everything has ended if it goes on as before; false as long as nothing has ended.
func (o outlook) left() (time.Duration, bool) {
	if o.ended == 0 {
		return 0, false
	}
	usual := o.took / time.Duration(o.ended)
	running := usual
	if o.ran > 0 {
		running = o.ranTook / time.Duration(o.ran)
	}
	total, longest := time.Duration(o.pending)*usual, time.Duration(0)
	for _, age := range o.ages {
		rest := max(0, running-age)
		total += rest
		longest = max(longest, rest)
	}
	return max(longest, total/time.Duration(max(1, o.workers))), true
}
