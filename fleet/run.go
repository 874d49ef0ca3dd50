package fleet

import (
	"context"
	"errors"
	"math"
	"time"
)

// Run carries the work over the members: canaries first, then the rest; it begins the next one as soon as there is room for it, and
// returns when nothing runs any more and nothing more is to be begun. What came of it is in the Summary (see Summary.End and
// Summary.Err); an error means that the options are wrong and nothing was begun.
//
// When ctx ends, Run returns at once and leaves to itself what runs. To wait for it, and only begin nothing more, there is
// Options.Drain.
func Run(ctx context.Context, options Options, work Work) (Summary, error) {
	options, err := options.withDefaults()
	if err != nil {
		return Summary{}, err
	}
	lineup, err := lineUp(options)
	if err != nil {
		return Summary{}, err
	}
	r := &run{
		Options: options, work: work, began: time.Now(), durations: newDurations(),
		states: make([]State, len(options.Members)), failures: map[int]Failure{},
		reports: make(chan report), halted: make(chan struct{}),
	}
	r.tell(Started{Members: options.Members, Total: len(options.Members), MaxInFlight: options.MaxInFlight})
	r.phases(ctx, lineup)
	summary := r.summary()
	r.tell(Finished{Summary: summary})
	return summary, nil
}

// run is one run. Only its own goroutine, which is Run's caller's, touches it, apart from what follow.go says.
type run struct {
	Options
	work      Work
	began     time.Time
	durations *durations
	states    []State // by member: 0 not begun, Accepted also while it is being begun, and what came of it
	failures  map[int]Failure
	reports   chan report
	halted    chan struct{} // closed when nothing more is begun
	stop      Stop
	answered  time.Time // when a call last had an answer, whatever it said
}

func (r *run) tell(event Event) {
	if r.Events != nil {
		r.Events(event)
	}
}

// phases goes through the canaries, if there are any, and the rest.
func (r *run) phases(ctx context.Context, lineup lineup) {
	rest := phase{wanted: math.MaxInt, limit: r.MaxInFlight, busy: map[int]int{}}
	if lineup.wanted > 0 {
		canaries := phase{canaries: true, fresh: lineup.candidates, wanted: lineup.wanted, limit: r.MaxInFlight, busy: map[int]int{}}
		r.tell(PhaseBegun{Phase: PhaseCanaries, Members: lineup.wanted, Criteria: r.Canaries.Criteria})
		r.carryOut(ctx, &canaries)
		if r.stop == "" && canaries.missing() {
			r.halt(&canaries, StopCanaries)
		}
		r.tell(Ticked{Progress: r.summary()})
		r.tell(PhaseEnded{Phase: PhaseCanaries, OK: r.stop == ""})
		// Those that were busy go on waiting, and have the attempts that are left to them.
		rest.retries, rest.busy = canaries.retries, canaries.busy
	}
	for i, state := range r.states {
		if state == 0 {
			rest.fresh = append(rest.fresh, int32(i))
		}
	}
	if r.stop != "" || rest.over() {
		return
	}
	r.tell(PhaseBegun{Phase: PhaseRest, Members: len(rest.fresh) + len(rest.retries)})
	r.carryOut(ctx, &rest)
	r.tell(Ticked{Progress: r.summary()})
	r.tell(PhaseEnded{Phase: PhaseRest, OK: r.stop == "" && len(r.failures) == 0 && rest.givenUp == 0})
}

// carryOut begins whom the phase says and takes in what is reported of them, until the phase is over or ctx ends.
func (r *run) carryOut(ctx context.Context, p *phase) {
	ticker := time.NewTicker(r.PollingInterval)
	defer ticker.Stop()
	drain := r.Drain
	for {
		select {
		case <-ctx.Done():
			r.stop, p.stopped = StopLeft, true
			return
		case <-drain:
			drain = nil
			r.halt(p, StopDrained)
		default:
		}
		wake := r.beginAll(ctx, p)
		if p.over() {
			return
		}
		select {
		case <-ctx.Done():
		case <-drain:
			drain = nil
			r.halt(p, StopDrained)
		case report := <-r.reports:
			r.take(p, report)
		case <-ticker.C:
			r.tell(Ticked{Progress: r.summary()})
		case <-wake:
		}
	}
}

// beginAll begins everybody for whom there is room, and tells when to look again if somebody has to be left alone until then.
func (r *run) beginAll(ctx context.Context, p *phase) <-chan time.Time {
	for {
		now := time.Now()
		member, begin, wake := p.next(now)
		if !begin {
			if wake.IsZero() {
				return nil
			}
			return time.After(wake.Sub(now))
		}
		r.states[member] = Accepted
		r.tell(MemberBegun{
			Member: r.Members[member], Number: member + 1, Total: len(r.Members), Canary: p.canaries, Attempt: p.attempt(member),
		})
		go r.follow(ctx, member)
	}
}

// halt begins nothing more.
func (r *run) halt(p *phase, why Stop) {
	p.stopped = true
	if r.stop != "" {
		return
	}
	r.stop = why
	close(r.halted)
	r.tell(Halted{Why: why, Running: p.running})
}

// take takes in what a member's goroutine reports.
func (r *run) take(p *phase, report report) {
	member := r.Members[report.member]
	if !errors.As(report.err, new(Unavailable)) {
		r.answered = time.Now()
	}
	switch report.kind {
	case reportAccepted:
		r.tell(MemberAccepted{Member: member, Task: report.progress.Task})
	case reportStage:
		r.tell(MemberStage{Member: member, Task: report.progress.Task, Stage: report.progress.Stage, Description: report.progress.Description})
	case reportTrouble:
		r.tell(MemberTrouble{Member: member, Call: report.call, Err: report.err, RetryIn: report.retryIn})
	case reportEnded:
		r.ended(p, report)
	}
}

// ended takes in how a member's operation ended, and halts the run if that was one failure too many.
func (r *run) ended(p *phase, report report) {
	member, state := r.Members[report.member], report.progress.State
	if state == Busy && report.err == nil {
		r.wasBusy(p, report)
		return
	}
	ended := MemberEnded{Member: member, State: state, Task: report.progress.Task, Took: report.took, Err: report.err}
	if reason := failureReason(report.progress, report.err); reason != "" {
		ended.State, ended.Reason = Failed, reason
		r.failures[report.member] = Failure{ID: member.ID, Task: ended.Task, Reason: reason, Err: report.err}
	}
	r.states[report.member] = ended.State
	p.ended(ended.State)
	if ended.State == Succeeded && report.ran > 0 {
		r.durations.add(member.PlanID, report.ran)
	}
	r.tell(ended)
	switch {
	case ended.State != Failed:
	case errors.As(report.err, new(Unavailable)) && r.answered.Before(report.silentSince):
		r.halt(p, StopUnreachable)
	case p.canaries:
		r.halt(p, StopCanaries)
	case r.StopAfter > 0 && len(r.failures) >= r.StopAfter:
		r.halt(p, StopFailures)
	}
}

// wasBusy takes in that a member was busy, and tells whether it is the last word.
func (r *run) wasBusy(p *phase, report report) {
	member := r.Members[report.member]
	r.states[report.member] = Busy
	attempt := p.attempt(report.member)
	again, pause := p.wasBusy(report.member, time.Now(), r.Attempts, r.AttemptInterval)
	if again && !p.stopped {
		r.tell(MemberBusy{Member: member, Attempt: attempt, Attempts: r.Attempts, RetryIn: pause})
		return
	}
	r.tell(MemberEnded{Member: member, State: Busy, Task: report.progress.Task, Took: report.took})
}

// failureReason is why an answer is a failure; "" if it is none.
func failureReason(progress Progress, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case progress.State == Failed && progress.Description != "":
		return progress.Description
	case progress.State == Failed:
		return "no reason was given"
	case progress.State < Accepted || progress.State > Orphan:
		return "a fault of this program: the answer had no known state: " + progress.State.String()
	}
	return ""
}

// summary counts what there is so far.
func (r *run) summary() Summary {
	s := Summary{Total: len(r.Members), Busy: []string{}, Failed: []Failure{}, Running: []string{}, Stopped: r.stop, Took: time.Since(r.began)}
	for i, state := range r.states {
		switch state {
		case Succeeded:
			s.Successful++
		case Skipped:
			s.Skipped++
		case Orphan:
			s.Orphans++
		case Gone:
			s.Deleted++
		case Busy:
			s.Busy = append(s.Busy, r.Members[i].ID)
		case Failed:
			s.Failed = append(s.Failed, r.failures[i])
		case Accepted:
			s.Running = append(s.Running, r.Members[i].ID)
		default:
			s.NotBegun++
		}
	}
	if s.NotBegun == 0 && len(s.Running) == 0 && s.Stopped != StopUnreachable {
		s.Stopped = ""
	}
	return s
}
