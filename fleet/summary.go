package fleet

import (
	"fmt"
	"strings"
	"time"
)

// Summary is what came of a run. Each member is counted exactly once:
// Total = Successful + Skipped + Orphans + Deleted + len(Busy) + len(Failed) + len(Running) + NotBegun.
type Summary struct {
	Total      int       `json:"total"`
	Successful int       `json:"successful"`
	Skipped    int       `json:"skipped"`
	Orphans    int       `json:"orphans"`
	Deleted    int       `json:"deleted"`
	Busy       []string  `json:"busy"`      // ids of those that were busy at their latest attempt
	Failed     []Failure `json:"failed"`    // in the order of the members
	Running    []string  `json:"running"`   // ids of those that run, or were left running
	NotBegun   int       `json:"not_begun"` // not even tried
	Stopped    Stop      `json:"stopped,omitempty"`
	// Took is the run's time.
	Took time.Duration `json:"-"`
}

// Failure is a member that failed.
type Failure struct {
	ID     string `json:"id"`
	Task   int    `json:"task,omitempty"` // the Director's; 0 if there is none or it isn't known
	Reason string `json:"reason"`
	Err    error  `json:"-"` // what Reason is the text of, if it was an error
}

// String is the failure on one line.
func (f Failure) String() string {
	return fmt.Sprintf("[%s] operation failed%s: %s", f.ID, taskNote(f.Task), oneLine(f.Reason))
}

// Stop is why a run begins nothing more while there is more to begin; "" if there is no reason.
type Stop string

// The reasons.
const (
	StopDrained     Stop = "drained"     // Options.Drain: it waits for what runs
	StopLeft        Stop = "left"        // ctx: what runs is left to itself
	StopCanaries    Stop = "canaries"    // canaries failed or stayed busy
	StopFailures    Stop = "failures"    // as many failures as Options.StopAfter
	StopUnreachable Stop = "unreachable" // for as long as Options.Patience there was no answer at all
)

// sentence says the reason to an operator.
func (s Stop) sentence() string {
	switch s {
	case StopDrained:
		return "the run was stopped"
	case StopLeft:
		return "the run was broken off"
	case StopCanaries:
		return "not all canaries were processed successfully"
	case StopFailures:
		return "the run was stopped because of the failures"
	case StopUnreachable:
		return "the run was stopped since nobody answered any more"
	}
	return ""
}

// End is the kind of end that a run came to. Commands make their exit codes from it.
type End int

// The kinds of ends.
const (
	EndWell       End = iota // everybody is finished with; deleted ones and orphans too
	EndFailure               // the run was stopped from outside, or nobody answered it, before everybody was finished with
	EndSomeFailed            // at least one member failed
	EndSomeBusy              // none failed, but at least one stayed busy
)

var endNames = [...]string{"well", "failure", "some-failed", "some-busy"}

// String is the end in a word or two, as in the JSON summary.
func (e End) String() string { return endNames[e] }

// End tells the kind of end, the worst there was.
func (s Summary) End() End {
	switch {
	case s.Stopped == StopUnreachable:
		return EndFailure
	case len(s.Failed) > 0:
		return EndSomeFailed
	case s.Stopped == StopDrained || s.Stopped == StopLeft:
		return EndFailure
	case len(s.Busy) > 0:
		return EndSomeBusy
	}
	return EndWell
}

// Err is nil if the run came to a good end, and otherwise an Incomplete.
func (s Summary) Err() error {
	if s.End() == EndWell {
		return nil
	}
	return Incomplete{Summary: s}
}

// Incomplete is the error of a run that didn't come to a good end. Its text lists each failure with the member's id and task.
type Incomplete struct{ Summary Summary }

func (i Incomplete) Error() string {
	problems := i.Summary.problems()
	if len(problems) == 1 {
		return problems[0]
	}
	return fmt.Sprintf("%d errors occurred:\n* %s", len(problems), strings.Join(problems, "\n* "))
}

// Unwrap are the failures' errors.
func (i Incomplete) Unwrap() []error {
	var causes []error
	for _, failure := range i.Summary.Failed {
		if failure.Err != nil {
			causes = append(causes, failure.Err)
		}
	}
	return causes
}

// problems are sentences, a failure each, and why some were never finished with.
func (s Summary) problems() []string {
	var problems []string
	for _, failure := range s.Failed {
		problems = append(problems, failure.String())
	}
	if len(s.Busy) > 0 {
		problems = append(problems, "other operations were in progress on these service instances at each attempt: "+strings.Join(s.Busy, ", "))
	}
	if len(s.Running) > 0 {
		problems = append(problems, "operations may still run on these service instances: "+strings.Join(s.Running, ", "))
	}
	if why := s.Stopped.sentence(); why != "" {
		problems = append(problems, fmt.Sprintf("%s; %d of %d service instances were not begun", why, s.NotBegun, s.Total))
	}
	return problems
}
