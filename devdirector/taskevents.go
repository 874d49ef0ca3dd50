package devdirector

import (
	"strconv"
	"time"
)

// TaskError is how a task fails: the Director's code and text.
type TaskError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

const codeCancelled = 10001

func (e *TaskError) appendLine(b []byte, at time.Time) []byte {
	b = append(b, `{"time":`...)
	b = strconv.AppendInt(b, at.Unix(), 10)
	b = append(b, `,"error":{"code":`...)
	b = strconv.AppendInt(b, int64(e.Code), 10)
	b = append(b, `,"message":`...)
	b = appendJSONString(b, e.Message)
	return append(b, "}}\n"...)
}

// stageEvent is one line of a task's event output.
type stageEvent struct {
	stage    string
	tag      string // the instance group, if the stage is about one
	total    int
	task     string
	index    int
	state    string
	progress int
	status   string // data.status
	err      string // data.error
}

func (e *stageEvent) failed(message string) *stageEvent {
	failed := *e
	failed.state, failed.progress, failed.status, failed.err = "failed", 100, "", message
	return &failed
}

func (e *stageEvent) appendLine(b []byte, at time.Time) []byte {
	b = append(b, `{"time":`...)
	b = strconv.AppendInt(b, at.Unix(), 10)
	b = append(b, `,"stage":`...)
	b = appendJSONString(b, e.stage)
	b = append(b, `,"tags":[`...)
	if e.tag != "" {
		b = appendJSONString(b, e.tag)
	}
	b = append(b, `],"total":`...)
	b = strconv.AppendInt(b, int64(e.total), 10)
	b = append(b, `,"task":`...)
	b = appendJSONString(b, e.task)
	b = append(b, `,"index":`...)
	b = strconv.AppendInt(b, int64(e.index), 10)
	b = append(b, `,"state":"`...)
	b = append(b, e.state...)
	b = append(b, `","progress":`...)
	b = strconv.AppendInt(b, int64(e.progress), 10)
	switch {
	case e.status != "":
		b = append(b, `,"data":{"status":`...)
		b = append(appendJSONString(b, e.status), '}')
	case e.err != "":
		b = append(b, `,"data":{"error":`...)
		b = append(appendJSONString(b, e.err), '}')
	}
	return append(b, "}\n"...)
}

func appendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return append(b, encode(s)...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func itoa(n int) string { return strconv.Itoa(n) }

// step is a moment in a task: wait, then a line of event output, then an effect, then perhaps the task's failure.
type step struct {
	wait  time.Duration
	event *stageEvent
	do    func(at time.Time)
	fail  *TaskError
	// onCancel, if set, is how the task goes on when it is cancelled during the wait.
	onCancel []step
}

// planner builds the steps of a task.
type planner struct {
	steps   []step
	weights []float64
	outcome *Outcome
	failed  bool
}

// add appends a step; its wait is a share, by weight, of the task's duration.
func (p *planner) add(weight float64, s step) {
	if p.failed {
		return
	}
	p.steps = append(p.steps, s)
	p.weights = append(p.weights, weight)
}

// fail ends the plan, in the middle of a stage or (open nil) between two.
func (p *planner) fail(open *stageEvent, cause *TaskError) {
	if open != nil {
		p.add(0.5, step{event: open.failed(cause.Message), fail: cause})
	} else {
		p.add(0, step{fail: cause})
	}
	p.failed = true
}

// stage appends one task of a stage: started and finished. effect, if not nil, is what has happened in the end.
func (p *planner) stage(e stageEvent, weight float64, effect func(at time.Time)) {
	p.begin(e)
	p.finish(e, weight, effect)
}

func (p *planner) begin(e stageEvent) {
	e.state = "started"
	p.add(0, step{event: &e})
}

func (p *planner) finish(e stageEvent, weight float64, effect func(at time.Time)) {
	if p.outcome.failsIn(e) {
		p.fail(&e, p.outcome.Error)
		return
	}
	e.state, e.progress = "finished", 100
	p.add(weight, step{event: &e, do: effect})
}

// wholeWeight is about what the steps of a task weigh together that doesn't fail early.
const wholeWeight = 9

// share is the part of a whole task that the plan is: one that fails early takes less time.
func (p *planner) share() float64 {
	if !p.failed {
		return 1
	}
	var sum float64
	for _, weight := range p.weights {
		sum += weight
	}
	return min(1, sum/wholeWeight)
}

// timed spreads the task's duration over the steps; they add up to it exactly.
func (p *planner) timed(total time.Duration) []step {
	var sum float64
	for _, weight := range p.weights {
		sum += weight
	}
	var weights float64
	var passed time.Duration
	for i, weight := range p.weights {
		if weight == 0 {
			continue
		}
		weights += weight
		until := time.Duration(float64(total) * (weights / sum))
		p.steps[i].wait += until - passed
		passed = until
	}
	return p.steps
}
