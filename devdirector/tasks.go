package devdirector

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Kind is a kind of task, by the Director's own name for it.
type Kind string

// The kinds of tasks.
const (
	KindDeploy  Kind = "update_deployment" // creates, updates and recreates a deployment
	KindDelete  Kind = "delete_deployment"
	KindErrand  Kind = "run_errand"
	KindVMs     Kind = "vms" // vms?format=full and instances?format=full
	KindAction  Kind = "instance_action"
	KindScan    Kind = "cck_scan"
	KindCleanup Kind = "cleanup_artifacts"
	KindSSH     Kind = "ssh"
	KindLogs    Kind = "fetch_logs"
)

// locks tells whether tasks of the kind hold their deployment's lock.
func (k Kind) locks() bool {
	return k == KindDeploy || k == KindDelete || k == KindErrand || k == KindAction || k == KindScan
}

// changes tells whether tasks of the kind change their deployment.
func (k Kind) changes() bool { return k == KindDeploy || k == KindErrand || k == KindAction }

// hidden tells whether GET /tasks shows the kind with verbose=2 only.
func (k Kind) hidden() bool { return k == KindVMs || k == KindSSH || k == KindLogs }

// The states of a task.
const (
	StateQueued     = "queued"
	StateProcessing = "processing"
	StateCancelling = "cancelling"
	StateDone       = "done"
	StateError      = "error"
	StateCancelled  = "cancelled"
	StateTimeout    = "timeout"
)

// task is a task of the Director. The exported fields are kept in the state folder.
type task struct {
	ID          int
	Kind        Kind
	Description string
	User        string
	Deployment  string
	ContextID   string
	Teams       []string
	State       string
	Changed     time.Time // the Director's timestamp: created, started, ended
	Started     time.Time
	Result      *string
	Events      []byte
	Output      []byte
	Work        work

	tree      *yaml.Node // the manifest as it was parsed when it was submitted; nil after a restart
	working   bool       // occupies a worker
	unwinding bool       // is being cancelled, step by step
	steps     []step
	wakeup    *wakeup
	success   string // the result, should it end well
	compiling []string
}

// work is what a task is to do; what of it counts depends on the kind.
type work struct {
	Manifest       string         `json:",omitempty"`
	DryRun         bool           `json:",omitempty"`
	Recreate       bool           `json:",omitempty"`
	Canaries       string         `json:",omitempty"`
	MaxInFlight    string         `json:",omitempty"`
	Force          bool           `json:",omitempty"`
	Errand         string         `json:",omitempty"`
	KeepAlive      bool           `json:",omitempty"`
	Targets        []errandTarget `json:",omitempty"`
	Group          string         `json:",omitempty"`
	Instance       string         `json:",omitempty"`
	State          string         `json:",omitempty"`
	OnlyWithVM     bool           `json:",omitempty"`
	CloudConfigs   []int          `json:",omitempty"`
	RuntimeConfigs []int          `json:",omitempty"`
}

// Ended tells whether the task has come to an end, whichever.
func (t *task) Ended() bool {
	switch t.State {
	case StateQueued, StateProcessing, StateCancelling:
		return false
	}
	return true
}

// newTask makes a task and submits it.
func (w *world) newTask(t task) *task {
	w.lastTask++
	t.ID, t.State, t.Changed = w.lastTask, StateQueued, w.now
	made := &t
	w.addTask(made)
	w.stats.task(t.Kind)
	w.submit(made)
	return made
}

func (w *world) addTask(t *task) {
	w.tasks[t.ID] = t
	w.history = append(w.history, t)
	if t.Deployment != "" {
		w.byDeployment[t.Deployment] = append(w.byDeployment[t.Deployment], t)
	}
	if t.ContextID != "" {
		w.byContext[t.ContextID] = append(w.byContext[t.ContextID], t)
	}
}

func (w *world) keepTask(t *task) { w.store.put(taskRecord, itoa(t.ID), t) }

// forget notes that a task has ended, and drops the oldest of its kind when there are too many.
func (w *world) forget(kind Kind, t *task) {
	w.ended[kind] = append(w.ended[kind], t)
	if w.options.MaxTasks < 0 || len(w.ended[kind]) <= w.options.MaxTasks {
		return
	}
	oldest := w.ended[kind][0]
	w.ended[kind] = w.ended[kind][1:]
	is := func(other *task) bool { return other == oldest }
	delete(w.tasks, oldest.ID)
	if at, found := slices.BinarySearchFunc(w.history, oldest.ID, func(t *task, id int) int { return t.ID - id }); found {
		w.history = slices.Delete(w.history, at, at+1)
	}
	w.byDeployment[oldest.Deployment] = slices.DeleteFunc(w.byDeployment[oldest.Deployment], is)
	if len(w.byDeployment[oldest.Deployment]) == 0 {
		delete(w.byDeployment, oldest.Deployment)
	}
	w.byContext[oldest.ContextID] = slices.DeleteFunc(w.byContext[oldest.ContextID], is)
	if len(w.byContext[oldest.ContextID]) == 0 {
		delete(w.byContext, oldest.ContextID)
	}
	w.store.drop(taskRecord, itoa(oldest.ID))
}

var lastWordOfLine = regexp.MustCompile(`(?m)\s+?(\S+)?$`)

// truncate cuts a result as the Director does: 128 characters, less the last word of each line.
func truncate(result string) string {
	const limit = 128
	runes := []rune(strings.TrimSpace(result))
	if len(runes) <= limit {
		return string(runes)
	}
	return lastWordOfLine.ReplaceAllString(string(runes[:limit+1]), "") + "..."
}
