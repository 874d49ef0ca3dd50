package fleet

import "time"

// Event is one thing that happened in a run: one of the types below. Renderers switch over them.
type Event interface {
	// name is the event's name in JSON.
	name() string
}

// Started is the first event.
type Started struct {
	Members     []Member `json:"-"`
	Total       int      `json:"total"`
	MaxInFlight int      `json:"max_in_flight"`
}

// The phases of a run.
const (
	PhaseCanaries = "canaries"
	PhaseRest     = "rest"
)

// PhaseBegun comes before the first member of a phase is begun.
type PhaseBegun struct {
	Phase    string `json:"phase"`
	Members  int    `json:"members"` // how many are worked on; of canaries, how many have to end well
	Criteria string `json:"criteria,omitempty"`
}

// PhaseEnded comes when nothing of the phase runs any more. OK is false if there were failures, or if canaries didn't end well.
type PhaseEnded struct {
	Phase string `json:"phase"`
	OK    bool   `json:"ok"`
}

// MemberBegun comes before the Work begins the operation on a member.
type MemberBegun struct {
	Member  Member `json:"instance"`
	Number  int    `json:"number"` // its place in Options.Members, from 1
	Total   int    `json:"total"`
	Canary  bool   `json:"canary,omitempty"`
	Attempt int    `json:"attempt"` // from 1
}

// MemberAccepted comes when the operation runs.
type MemberAccepted struct {
	Member Member `json:"instance"`
	Task   int    `json:"task,omitempty"` // the Director's; 0 if it isn't known
}

// MemberStage comes when a poll tells another stage or description than the last one, and after trouble.
type MemberStage struct {
	Member      Member `json:"instance"`
	Task        int    `json:"task,omitempty"`
	Stage       string `json:"stage,omitempty"`
	Description string `json:"description,omitempty"`
}

// MemberEnded comes when the run has finished with a member: Succeeded, Skipped, Failed, Gone or Orphan; or Busy on the last attempt.
type MemberEnded struct {
	Member Member        `json:"instance"`
	State  State         `json:"state"`
	Task   int           `json:"task,omitempty"`
	Reason string        `json:"reason,omitempty"` // of a failure
	Took   time.Duration `json:"-"`                // since it was begun
	Err    error         `json:"-"`                // of a failure that was an error; may be a PanicError
}

// MemberBusy comes when a member is busy and will be tried again.
type MemberBusy struct {
	Member   Member        `json:"instance"`
	Attempt  int           `json:"attempt"` // the one that was in vain, from 1
	Attempts int           `json:"attempts"`
	RetryIn  time.Duration `json:"-"` // at the earliest
}

// MemberTrouble comes when a call got no answer and will be made again.
type MemberTrouble struct {
	Member  Member        `json:"instance"`
	Call    Call          `json:"call"`
	Err     error         `json:"-"`
	RetryIn time.Duration `json:"-"`
}

// Call is which of a Work's methods is meant.
type Call string

// The two calls.
const (
	CallBegin Call = "begin"
	CallPoll  Call = "poll"
)

// Halted comes when nothing more will be begun, while something may still run.
type Halted struct {
	Why     Stop `json:"why"`
	Running int  `json:"running"`
}

// Ticked comes each polling interval, and at the end of each phase, with what there is so far.
type Ticked struct {
	Progress Summary
}

// Finished is the last event.
type Finished struct {
	Summary Summary
}

func (Started) name() string        { return "started" }
func (PhaseBegun) name() string     { return "phase_begun" }
func (PhaseEnded) name() string     { return "phase_ended" }
func (MemberBegun) name() string    { return "begun" }
func (MemberAccepted) name() string { return "accepted" }
func (MemberStage) name() string    { return "stage" }
func (MemberEnded) name() string    { return "ended" }
func (MemberBusy) name() string     { return "busy" }
func (MemberTrouble) name() string  { return "trouble" }
func (Halted) name() string         { return "halted" }
func (Ticked) name() string         { return "progress" }
func (Finished) name() string       { return "summary" }
