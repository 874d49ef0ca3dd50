package fleet_test

import (
	"slices"
	"time"

	. "github.com/on-demand-broker/odb/fleet"
)

// see is told the events, and takes note.
func (s *schedule) see(event Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		s.fail("an event after the last one: %#v", event)
	}
	switch e := event.(type) {
	case PhaseBegun:
		if e.Phase == PhaseRest && len(s.running) > 0 {
			s.fail("the rest began while canaries ran")
		}
		s.phase, s.good = e, 0
	case MemberBegun:
		s.seeBegun(e)
	case MemberBusy:
		if s.halted {
			s.fail("%s is to be tried again after the run was halted", e.Member.ID)
		}
		delete(s.running, e.Member.ID)
		s.busy[e.Member.ID] = time.Now().Add(e.RetryIn)
	case MemberEnded:
		if _, twice := s.ended[e.Member.ID]; twice || !s.running[e.Member.ID] {
			s.fail("%s ended as %s, and it wasn't running", e.Member.ID, e.State)
		}
		delete(s.running, e.Member.ID)
		s.ended[e.Member.ID] = e.State
		if e.State == Succeeded || e.State == Skipped {
			s.good++
		}
	case Halted:
		s.halted = true
	case Finished:
		s.over = true
	}
}

func (s *schedule) seeBegun(e MemberBegun) {
	id := e.Member.ID
	s.begun[id]++
	_, ended := s.ended[id]
	due, waited := s.busy[id]
	switch {
	case s.halted:
		s.fail("%s was begun after the run was halted", id)
	case s.running[id] || ended:
		s.fail("%s was begun while it ran, or had ended", id)
	case s.begun[id] != e.Attempt || (e.Attempt > 1) != waited:
		s.fail("%s: begun %d times, but attempt %d", id, s.begun[id], e.Attempt)
	case time.Now().Before(due):
		s.fail("%s was begun before it was due", id)
	case e.Canary != (s.phase.Phase == PhaseCanaries):
		s.fail("%s is a canary: %v, in phase %q", id, e.Canary, s.phase.Phase)
	case e.Canary && !s.options.Canaries.Selection.Matches(e.Member):
		s.fail("%s is no canary", id)
	}
	delete(s.busy, id)
	s.running[id] = true
}

// look is taken when nothing can happen before time goes on.
func (s *schedule) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.options.MaxInFlight
	if s.phase.Phase == PhaseCanaries {
		room = min(room, s.phase.Members-s.good)
	}
	waiting := 0
	for _, member := range s.options.Members {
		if s.begun[member.ID] == 0 && (s.phase.Phase == PhaseRest || s.options.Canaries.Selection.Matches(member)) {
			waiting++
		}
		if due, busy := s.busy[member.ID]; busy && due.Before(time.Now()) {
			waiting++
		}
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	switch {
	case len(s.running) > room || s.world.inFlight > room:
		s.fail("%d run, %d are in flight, there is room for %d", len(s.running), s.world.inFlight, room)
	case !s.halted && !s.over && waiting > 0 && len(s.running) < room:
		s.fail("%d wait while %d run and there is room for %d", waiting, len(s.running), room)
	}
}

// compare compares the summary with the events, and these with the members' fates.
func (s *schedule) compare(summary Summary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.most > s.options.MaxInFlight {
		s.fail("%d were in flight", s.world.most)
	}
	counts, notBegun, waitingStill := map[State]int{}, 0, 0
	for _, member := range s.options.Members {
		state, ended := s.ended[member.ID]
		switch {
		case ended:
			counts[state]++
		case !s.busy[member.ID].IsZero():
			waitingStill++
		case s.begun[member.ID] == 0:
			notBegun++
		default:
			s.fail("%s was begun and never ended", member.ID)
		}
		if want := s.fates[member.ID]; ended && state != want.outcome && state != Busy && !s.givenUp(summary, member.ID) {
			s.fail("%s ended as %s, and should have as %s", member.ID, state, want.outcome)
		}
		if state == Busy && s.begun[member.ID] != s.options.Attempts && !s.halted {
			s.fail("%s was given up after %d attempts of %d", member.ID, s.begun[member.ID], s.options.Attempts)
		}
	}
	got := []int{summary.Successful, summary.Skipped, summary.Deleted, summary.Orphans, len(summary.Failed), len(summary.Busy), summary.NotBegun, len(summary.Running)}
	want := []int{counts[Succeeded], counts[Skipped], counts[Gone], counts[Orphan], counts[Failed], counts[Busy] + waitingStill, notBegun, 0}
	if !slices.Equal(got, want) || summary.Total != len(s.options.Members) {
		s.fail("the summary says %v of %d, and it was %v", got, summary.Total, want)
	}
	s.compareEnd(summary, notBegun+waitingStill)
}

// givenUp says that the member failed because the run was stopped while there was no answer to its beginning.
func (s *schedule) givenUp(summary Summary, id string) bool {
	return s.halted && slices.ContainsFunc(summary.Failed, func(f Failure) bool {
		return f.ID == id && f.Reason == "not tried again since the run was stopped, after no answer: oops"
	})
}

func (s *schedule) compareEnd(summary Summary, left int) {
	switch {
	case left > 0 && !s.halted:
		s.fail("%d are left, and nothing halted the run", left)
	case s.halted && !s.drained && len(summary.Failed) == 0 && summary.End() != EndSomeBusy:
		s.fail("the run was halted for no reason")
	case len(summary.Failed) > 0 && summary.End() != EndSomeFailed:
		s.fail("some failed, and its end is: %s", summary.End())
	case summary.End() == EndWell && (left > 0 || len(summary.Busy) > 0):
		s.fail("its end is well with %d left", left)
	}
}
