package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// report is what the goroutine that follows a member tells the run.
type report struct {
	kind     reportKind
	member   int
	progress Progress
	err      error
	call     Call          // of trouble
	retryIn  time.Duration // of trouble
	took     time.Duration // of an end: since it was begun
	ran      time.Duration // of an end: since it was accepted, or 0
	// silentSince is, of an end that is no answer, since when there was none.
	silentSince time.Time
}

type reportKind int

const (
	reportAccepted reportKind = iota
	reportStage
	reportAnswer // nothing new, but there was an answer
	reportTrouble
	reportEnded
)

// send hands the report over, unless nobody takes it any more.
func (r *run) send(ctx context.Context, report report) {
	select {
	case r.reports <- report:
	case <-ctx.Done():
	}
}

// follow begins the operation on a member and polls it to its end. It has a goroutine of its own, and of the run it uses what never
// changes, the reports, and the durations.
func (r *run) follow(ctx context.Context, member int) {
	began := time.Now()
	ended := report{kind: reportEnded, member: member}
	answer := r.ask(ctx, member, CallBegin, func() (Progress, error) { return r.work.Begin(ctx, r.Members[member]) })
	if answer.err == nil && answer.progress.State == Accepted {
		accepted := time.Now()
		answer = r.watch(ctx, member, answer.progress)
		ended.ran = time.Since(accepted)
	}
	ended.progress, ended.err, ended.silentSince, ended.took = answer.progress, answer.err, answer.silentSince, time.Since(began)
	r.send(ctx, ended)
}

// watch polls an operation until it is no longer Accepted.
func (r *run) watch(ctx context.Context, member int, known Progress) answer {
	r.send(ctx, report{kind: reportAccepted, member: member, progress: known})
	since, planID := time.Now(), r.Members[member].PlanID
	for {
		if err := sleep(ctx, pollPause(time.Since(since), r.durations.usual(planID), r.PollingInterval), nil); err != nil {
			return answer{progress: known, err: err}
		}
		answer := r.ask(ctx, member, CallPoll, func() (Progress, error) { return r.work.Poll(ctx, r.Members[member], known.Handle) })
		latest := answer.progress
		if latest.Task == 0 {
			latest.Task = known.Task
		}
		if latest.Handle == "" {
			latest.Handle = known.Handle
		}
		answer.progress = latest
		if answer.err != nil || latest.State != Accepted {
			return answer
		}
		kind := reportAnswer
		if answer.late || latest.Stage != known.Stage || latest.Description != known.Description || latest.Task != known.Task {
			kind = reportStage
		}
		known = latest
		r.send(ctx, report{kind: kind, member: member, progress: known})
	}
}

// answer is what a call came to in the end.
type answer struct {
	progress    Progress
	err         error
	late        bool      // there was no answer at first
	silentSince time.Time // if err is Unavailable
}

// ask makes the call until there is an answer, or patience is at an end. An operation that isn't known to run isn't begun any more
// once the run is halted; one that runs is polled all the same.
func (r *run) ask(ctx context.Context, member int, call Call, do func() (Progress, error)) answer {
	var halted <-chan struct{}
	if call == CallBegin {
		halted = r.halted
	}
	var silentSince time.Time
	for calls := 1; ; calls++ {
		progress, err := guarded(do)
		if !errors.As(err, new(Unavailable)) {
			return answer{progress: progress, err: err, late: calls > 1}
		}
		if silentSince.IsZero() {
			silentSince = time.Now()
		}
		silent := time.Since(silentSince)
		if silent >= r.Patience {
			return answer{err: fmt.Errorf("no answer for %s: %w", silent.Round(time.Second), err), silentSince: silentSince}
		}
		pause := min(troublePause(calls, r.PollingInterval), r.Patience-silent)
		r.send(ctx, report{kind: reportTrouble, member: member, call: call, err: err, retryIn: pause})
		if stopped := sleep(ctx, pause, halted); stopped != nil {
			return answer{err: fmt.Errorf("%w, after no answer: %w", stopped, err), silentSince: silentSince}
		}
	}
}

// guarded makes a panic an error.
func guarded(do func() (Progress, error)) (progress Progress, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return do()
}

// errHalted says that an operation wasn't begun again since the run begins nothing more.
var errHalted = errors.New("not tried again since the run was stopped")

// sleep waits, and says what cut it short.
func sleep(ctx context.Context, pause time.Duration, halted <-chan struct{}) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-halted:
		return errHalted
	case <-ctx.Done():
		return ctx.Err()
	}
}
