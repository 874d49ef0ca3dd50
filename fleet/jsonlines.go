package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// JSONLines writes each event as a JSON object on a line of its own, with "time" and "event" first; the last one is the summary, with
// its "end". Durations are in seconds. Use it from one goroutine at a time.
type JSONLines struct {
	out io.Writer
	err error
}

// NewJSONLines writes to out.
func NewJSONLines(out io.Writer) *JSONLines { return &JSONLines{out: out} }

// Close tells the first error of writing.
func (j *JSONLines) Close() error { return j.err }

// Render writes the event's line.
func (j *JSONLines) Render(event Event) {
	if j.err == nil {
		j.err = j.write(event)
	}
}

func (j *JSONLines) write(event Event) error {
	head, err := json.Marshal(struct {
		Time  time.Time `json:"time"`
		Event string    `json:"event"`
	}{time.Now().UTC(), event.name()})
	if err != nil {
		return fmt.Errorf("the event %s as JSON: %w", event.name(), err)
	}
	body, err := json.Marshal(bodyOf(event))
	if err != nil {
		return fmt.Errorf("the event %s as JSON: %w", event.name(), err)
	}
	// Both are objects, and neither is empty: they become one.
	line := append(head[:len(head)-1], ',')
	line = append(append(line, body[1:]...), '\n')
	_, err = j.out.Write(line)
	return err
}

// bodyOf is the event with what has no form in JSON of its own: durations, errors and stacks.
func bodyOf(event Event) any {
	switch e := event.(type) {
	case MemberEnded:
		fault := PanicError{}
		errors.As(e.Err, &fault)
		return struct {
			MemberEnded
			Seconds float64 `json:"seconds"`
			Stack   string  `json:"stack,omitempty"`
		}{e, e.Took.Seconds(), string(fault.Stack)}
	case MemberBusy:
		return struct {
			MemberBusy
			RetryIn float64 `json:"retry_in"`
		}{e, e.RetryIn.Seconds()}
	case MemberTrouble:
		return struct {
			MemberTrouble
			Reason  string  `json:"reason"`
			RetryIn float64 `json:"retry_in"`
		}{e, e.Err.Error(), e.RetryIn.Seconds()}
	case Ticked:
		return counts{e.Progress, e.Progress.Took.Seconds()}
	case Finished:
		return struct {
			End string `json:"end"`
			counts
		}{e.Summary.End().String(), counts{e.Summary, e.Summary.Took.Seconds()}}
	}
	return event
}

// counts is a Summary with its time.
type counts struct {
	Summary
	Seconds float64 `json:"seconds"`
}
