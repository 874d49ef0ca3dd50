package fleet

import (
	"errors"
	"fmt"
	"time"
)

// Options say who is worked on and how. Only Members is needed; the defaults are those of the BOSH jobs (spec/errands.md §3).
type Options struct {
	Members  []Member // in the order in which they are begun
	Canaries Canaries
	// MaxInFlight is how many operations run at one time; 1 if 0.
	MaxInFlight int
	// Attempts is how often a member is begun that is busy each time; 5 if 0. The second attempt comes AttemptInterval (60 s if 0)
	// after the first, and the pauses double from then on, up to eight times the interval. Members not yet begun go first.
	Attempts        int
	AttemptInterval time.Duration
	// PollingInterval is the longest time between two polls of an operation, and between two Progress events; 60 s if 0.
	PollingInterval time.Duration
	// Patience is for how long nothing but Unavailable is borne from one member; 10 minutes if 0.
	Patience time.Duration
	// StopAfter is the number of failures from which nothing more is begun; 0 for no such number.
	StopAfter int
	// Drain, when it is closed (or sends), lets the run begin nothing more and wait for what runs. May be nil.
	Drain <-chan struct{}
	// Events is told everything that happens, one event at a time; may be nil. What it takes its time for holds the run up.
	Events func(Event)
}

// Canaries are the members that are worked on first. Unless they end well, nobody else is begun.
type Canaries struct {
	// Number is how many; 0 for all that Selection matches, or for none if it is empty.
	Number int
	// Selection says who may be one; if it is empty, anybody may. IDs in it have to be members.
	Selection Filter
	// Criteria is the selection in words, for the log; by default the Selection's own.
	Criteria string
}

// The errors of Options, all of them from before anything was begun.
var (
	// ErrNoCanary is for a canary selection that matches no member while there are some.
	ErrNoCanary = errors.New("no service instance matches the canary selection")
	// ErrUnknownCanary is for ids in the canary selection that aren't members.
	ErrUnknownCanary = errors.New("a canary is not among the service instances")
	// ErrOptions is for numbers that make no sense, and members without an id or with the same one.
	ErrOptions = errors.New("fleet options")
)

const (
	defaultMaxInFlight     = 1
	defaultAttempts        = 5
	defaultAttemptInterval = time.Minute
	defaultPollingInterval = time.Minute
	defaultPatience        = 10 * time.Minute
)

// withDefaults fills in what is zero and refuses what is negative.
func (o Options) withDefaults() (Options, error) {
	for name, negative := range map[string]bool{
		"MaxInFlight": o.MaxInFlight < 0, "Attempts": o.Attempts < 0, "AttemptInterval": o.AttemptInterval < 0,
		"PollingInterval": o.PollingInterval < 0, "Patience": o.Patience < 0, "StopAfter": o.StopAfter < 0, "Canaries.Number": o.Canaries.Number < 0,
	} {
		if negative {
			return o, fmt.Errorf("%w: %s must not be negative", ErrOptions, name)
		}
	}
	o.MaxInFlight = orDefault(o.MaxInFlight, defaultMaxInFlight)
	o.Attempts = orDefault(o.Attempts, defaultAttempts)
	o.AttemptInterval = orDefault(o.AttemptInterval, defaultAttemptInterval)
	o.PollingInterval = orDefault(o.PollingInterval, defaultPollingInterval)
	o.Patience = orDefault(o.Patience, defaultPatience)
	if o.Canaries.Criteria == "" {
		o.Canaries.Criteria = o.Canaries.Selection.String()
	}
	return o, nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
