package fleet

import (
	"errors"
	"fmt"
	"strings"
)

// Plain writes the log lines that operators have always searched for (spec/errands.md §3). Use it from one goroutine at a time.
type Plain struct {
	prefix string
	print  func(line string) error
	err    error
}

// NewPlain hands each line, without its end, to print. Each begins with what in brackets ("[upgrade-all] …").
func NewPlain(what string, print func(line string) error) *Plain {
	return &Plain{prefix: "[" + what + "] ", print: print}
}

// Close tells the first error of print.
func (p *Plain) Close() error { return p.err }

func (p *Plain) line(format string, values ...any) {
	if err := p.print(p.prefix + fmt.Sprintf(format, values...)); err != nil && p.err == nil {
		p.err = err
	}
}

// Render writes the event's lines. Stages have none.
func (p *Plain) Render(event Event) {
	switch e := event.(type) {
	case Started:
		p.started(e)
	case PhaseBegun:
		p.phaseBegun(e)
	case PhaseEnded:
		if e.Phase == PhaseCanaries && e.OK {
			p.line("FINISHED CANARIES")
		}
	case MemberBegun:
		p.line("[%s] Starting to process service instance %d of %d%s", e.Member.ID, e.Number, e.Total, attemptNote(e.Attempt))
	case MemberAccepted:
		p.line("[%s] Result: operation accepted", e.Member.ID)
		p.line("[%s] Waiting for operation to complete%s", e.Member.ID, taskNote(e.Task))
	case MemberEnded:
		p.ended(e)
	case MemberBusy:
		p.line("[%s] Result: operation in progress", e.Member.ID)
		p.line("[%s] Attempt %d of %d was in vain, the next is in %s or later", e.Member.ID, e.Attempt, e.Attempts, e.RetryIn)
	case MemberTrouble:
		p.line("[%s] No answer, asking again in %s: %s", e.Member.ID, e.RetryIn, oneLine(e.Err.Error()))
	case Halted:
		p.line("Starting nothing more: %s; operations still running: %d", e.Why.sentence(), e.Running)
	case Ticked:
		p.line("Progress summary: %s", soFar(e.Progress))
	case Finished:
		p.finished(e.Summary)
	}
}

func (p *Plain) started(e Started) {
	p.line("STARTING OPERATION with %d concurrent workers", e.MaxInFlight)
	ids := make([]string, len(e.Members))
	for i, member := range e.Members {
		ids[i] = member.ID
	}
	p.line("Service Instances: %s", strings.Join(ids, " "))
	p.line("Total Service Instances found: %d", e.Total)
}

func (p *Plain) phaseBegun(e PhaseBegun) {
	switch {
	case e.Phase == PhaseCanaries && e.Criteria != "":
		p.line("STARTING CANARIES: %d canaries with selection criteria: %s", e.Members, oneLine(e.Criteria))
	case e.Phase == PhaseCanaries:
		p.line("STARTING CANARIES: %d canaries", e.Members)
	default:
		p.line("Processing all remaining service instances: %d", e.Members)
	}
}

// resultText is how it ended with a member, in the words of the line "Result: …".
func resultText(state State) string {
	switch state {
	case Succeeded:
		return "Service Instance operation success"
	case Skipped:
		return "instance already up to date - operation skipped"
	case Busy:
		return "operation in progress"
	case Gone:
		return "already deleted from platform"
	case Orphan:
		return "orphan service instance detected - no corresponding bosh deployment"
	}
	return "Service Instance operation failure"
}

func (p *Plain) ended(e MemberEnded) {
	p.line("[%s] Result: %s", e.Member.ID, resultText(e.State))
	switch e.State {
	case Failed:
		p.line("[%s] Operation failed%s: %s", e.Member.ID, taskNote(e.Task), oneLine(e.Reason))
	case Busy:
		p.line("[%s] Given up: busy at each attempt", e.Member.ID)
	}
	if fault := (PanicError{}); errors.As(e.Err, &fault) {
		p.line("[%s] %s", e.Member.ID, fault.Stack)
	}
}

func (p *Plain) finished(s Summary) {
	status := "SUCCESS"
	if s.End() != EndWell {
		status = "FAILED"
	}
	p.line("FINISHED PROCESSING Status: %s; Summary: %s", status, inTheEnd(s))
}

func attemptNote(attempt int) string {
	if attempt == 1 {
		return ""
	}
	return fmt.Sprintf(", attempt %d", attempt)
}

func taskNote(task int) string {
	if task == 0 {
		return ""
	}
	return fmt.Sprintf(": bosh task id %d", task)
}

// soFar and inTheEnd are the counts as the lines "Progress summary" and "FINISHED PROCESSING" have always told them, and what those
// didn't know when there is any.
func soFar(s Summary) string {
	return fmt.Sprintf("Number of successful operations so far: %d; Number of skipped operations so far: %d; "+
		"Number of service instance orphans detected so far: %d; Number of deleted instances before operation could happen: %d; "+
		"Number of operations in progress (to retry) so far: %d; Number of service instances that failed to process so far: %d; "+
		"Number of operations running: %d; Number of service instances not started: %d",
		s.Successful, s.Skipped, s.Orphans, s.Deleted, len(s.Busy), len(s.Failed), len(s.Running), s.NotBegun)
}

func inTheEnd(s Summary) string {
	failed := make([]string, len(s.Failed))
	for i, failure := range s.Failed {
		failed[i] = failure.ID
	}
	text := fmt.Sprintf("Number of successful operations: %d; Number of skipped operations: %d; "+
		"Number of service instance orphans detected: %d; Number of deleted instances before operation could happen: %d; "+
		"Number of busy instances which could not be processed: %d%s; Number of service instances that failed to process: %d%s",
		s.Successful, s.Skipped, s.Orphans, s.Deleted, len(s.Busy), list(s.Busy), len(failed), list(failed))
	if len(s.Running) > 0 {
		text += fmt.Sprintf("; Number of operations left running: %d%s", len(s.Running), list(s.Running))
	}
	if s.NotBegun > 0 {
		text += fmt.Sprintf("; Number of service instances not started: %d", s.NotBegun)
	}
	return text
}

// list is the ids in brackets, or nothing.
func list(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " [" + strings.Join(ids, ", ") + "]"
}
