package adapterclient

import (
	"errors"
	"strconv"
	"time"
)

// Run is one run of the adapter.
type Run struct {
	Verb string
	// Exit is the exit code, or one of the words Exit….
	Exit string
	Took time.Duration
}

// What a Run that has no exit code of its own ended with.
const (
	ExitNotStarted = "not-started"
	ExitTimeout    = "timeout"
	ExitStopped    = "stopped" // by the caller
	ExitSignal     = "signal"  // that the broker didn't send
	ExitOutput     = "output"  // more than may be on stdout
)

// exitOf names an ending, with what was made of it.
func exitOf(ending *ending, judged error) string {
	switch {
	case errors.Is(judged, ErrOutput):
		return ExitOutput
	case errors.Is(judged, ErrTimeout):
		return ExitTimeout
	case ending.stopped:
		return ExitStopped
	case ending.signal != 0:
		return ExitSignal
	default:
		return strconv.Itoa(ending.code)
	}
}
