package devdirector

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The paths under /_dev are for tools that run the Director as a process of its own:
//
//	GET    /_dev/stats        Stats;  DELETE sets them to zero
//	POST   /_dev/deployments  {"count":N,"prefix":"…","manifest":"…"}: see Seed
//	POST   /_dev/faults       a Fault, {"kind":"status","path":"^/tasks","times":2,"status":500,…};  DELETE clears them
//	POST   /_dev/outcomes     an Outcome, {"deployment":"…","kind":"…","error":{"code":N,"message":"…"},…};  DELETE clears them
//	POST   /_dev/knobs        {"latency":"20ms","task_duration":"5s","kind":"run_errand","errand":{…}}: each is optional
//
// Durations are Go's ("1m30s").
const controlPrefix = "/_dev/"

// SetLatency changes how long each answer is delayed, in real time.
func (d *Director) SetLatency(latency time.Duration) { d.latency.Store(int64(latency)) }

// errControl is what a control request is refused with.
var errControl = errors.New("bad request")

func (d *Director) control(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, bodyMaximum)
	var answer any = map[string]any{}
	var err error
	switch r.Method + " " + r.URL.Path {
	case "GET " + controlPrefix + "stats":
		answer = d.Stats()
	case "DELETE " + controlPrefix + "stats":
		d.ResetStats()
	case "POST " + controlPrefix + "deployments":
		err = withBody(r, func(b seedBody) error { return d.Seed(Seed(b)) })
	case "POST " + controlPrefix + "faults":
		err = withBody(r, d.addFaultBody)
	case "DELETE " + controlPrefix + "faults":
		d.ClearFaults()
	case "POST " + controlPrefix + "outcomes":
		err = withBody(r, d.addOutcomeBody)
	case "DELETE " + controlPrefix + "outcomes":
		d.ClearOutcomes()
	case "POST " + controlPrefix + "knobs":
		err = withBody(r, d.turnKnobs)
	default:
		http.NotFound(w, r)
		return
	}
	status := http.StatusOK
	if err != nil {
		status, answer = http.StatusBadRequest, map[string]string{"error": err.Error()}
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(encode(answer)) // a client that is gone is no fault of ours
}

// withBody decodes a body strictly: a misspelt knob would be a test that tests nothing.
func withBody[T any](r *http.Request, use func(T) error) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	var body T
	if err := decoder.Decode(&body); err != nil {
		return fmt.Errorf("%w: %w", errControl, err)
	}
	return use(body)
}

type seedBody struct {
	Count    int    `json:"count"`
	Prefix   string `json:"prefix"`
	Manifest string `json:"manifest"`
}

type faultBody struct {
	Kind          FaultKind `json:"kind"`
	Method        string    `json:"method"`
	Path          string    `json:"path"`
	Skip          int       `json:"skip"`
	Times         int       `json:"times"`
	Status        int       `json:"status"`
	Body          string    `json:"body"`
	Delay         duration  `json:"delay"`
	AfterHandling bool      `json:"after_handling"`
}

func (d *Director) addFaultBody(b faultBody) error {
	return d.AddFault(Fault{
		Kind: b.Kind, Method: b.Method, Path: b.Path, Skip: b.Skip, Times: b.Times, Status: b.Status, Body: b.Body,
		Delay: time.Duration(b.Delay), AfterHandling: b.AfterHandling,
	})
}

type outcomeBody struct {
	Deployment string     `json:"deployment"`
	Kind       Kind       `json:"kind"`
	Error      *TaskError `json:"error"`
	Stage      string     `json:"stage"`
	WorkerDies bool       `json:"worker_dies"`
	Duration   *duration  `json:"duration"`
	Times      int        `json:"times"`
}

func (d *Director) addOutcomeBody(b outcomeBody) error {
	d.AddOutcome(Outcome{
		Deployment: b.Deployment, Kind: b.Kind, Error: b.Error, Stage: b.Stage, WorkerDies: b.WorkerDies,
		Duration: (*time.Duration)(b.Duration), Times: b.Times,
	})
	return nil
}

type knobsBody struct {
	Latency      *duration `json:"latency"`
	TaskDuration *duration `json:"task_duration"`
	// Kind is the kind of task that TaskDuration is for; "" is all that have none of their own.
	Kind   Kind        `json:"kind"`
	Errand *errandBody `json:"errand"`
}

type errandBody struct {
	Name     string   `json:"name"`
	ExitCode int      `json:"exit_code"`
	Stdout   string   `json:"stdout"`
	Stderr   string   `json:"stderr"`
	Duration duration `json:"duration"`
}

func (d *Director) turnKnobs(b knobsBody) error {
	if b.Latency != nil {
		d.SetLatency(time.Duration(*b.Latency))
	}
	if b.TaskDuration != nil {
		d.SetTaskDuration(b.Kind, time.Duration(*b.TaskDuration))
	}
	if e := b.Errand; e != nil {
		d.SetErrand(e.Name, Errand{ExitCode: e.ExitCode, Stdout: e.Stdout, Stderr: e.Stderr, Duration: time.Duration(e.Duration)})
	}
	return nil
}

// duration is a time.Duration written as text.
type duration time.Duration

// UnmarshalText reads "1m30s".
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}
