package fleet

import (
	"context"
	"fmt"
)

// Member is one service instance of the fleet. ID is what makes it unique; the rest may be empty, and is there for filters and for
// those who read.
type Member struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	PlanID string `json:"plan_id,omitempty"` // the plan's id in the catalog
	Plan   string `json:"plan,omitempty"`    // its name
	Org    string `json:"org,omitempty"`     // the organization's name
	Space  string `json:"space,omitempty"`   // the space's name
}

// Work is the operation that is carried over the fleet. Both methods are called from several goroutines, for different members;
// they end soon after their ctx does, and put deadlines of their own on what they ask of others.
//
// An error of type Unavailable is no verdict and the call is made again later; any other error fails the member.
type Work interface {
	// Begin starts the operation on a member, and answers Accepted if it runs from then on, or any other State if there is
	// nothing to wait for. It is called again for a member that was Busy, or about which the last call could tell nothing
	// (Unavailable); so it has to be safe to repeat after a lost answer.
	Begin(ctx context.Context, member Member) (Progress, error)
	// Poll asks how far the operation is: Accepted while it runs. handle is the latest that a Progress of this member had.
	Poll(ctx context.Context, member Member, handle string) (Progress, error)
}

// Progress is what a Work says of one member.
type Progress struct {
	State  State
	Handle string // what Poll needs to find the operation again; "" keeps the one known
	Task   int    // the Director's task; 0 keeps the one known
	// Stage is where the operation is ("Updating instance: cache/0"), Description what is to be said of a failure. Both are shown.
	Stage, Description string
}

// State is where a member stands.
type State uint8

// A member that is Gone or an Orphan is finished with, and that is no failure (spec/errands.md §3).
const (
	Accepted  State = iota + 1 // the operation runs
	Succeeded                  // it has ended well
	Skipped                    // there was nothing to do: up to date
	Failed                     // it has ended badly, or couldn't be begun
	Busy                       // another operation runs on the instance
	Gone                       // the platform doesn't know the instance any more
	Orphan                     // the platform knows it, but it has no deployment
)

var stateNames = [...]string{"", "accepted", "succeeded", "skipped", "failed", "busy", "deleted", "orphan"}

// String is the state in one word, as in the JSON events.
func (s State) String() string {
	if int(s) < len(stateNames) && s > 0 {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText writes the state's word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Unavailable is the error of a call that got no answer, or none that says anything of the member (nobody there, 5xx, 429, a
// deadline). The call is made again, with growing pauses, as long as Options.Patience lasts.
type Unavailable struct{ Err error }

func (u Unavailable) Error() string { return u.Err.Error() }
func (u Unavailable) Unwrap() error { return u.Err }

// PanicError is the error of a member on which the Work panicked: the member fails, the run goes on, and the stack is told.
type PanicError struct {
	Value any
	Stack []byte
}

func (p PanicError) Error() string { return fmt.Sprintf("a fault of this program: panic: %v", p.Value) }
