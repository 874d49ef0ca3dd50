package devdirector

import (
	"slices"
	"time"
)

// Outcome scripts what becomes of a task: how long it takes, how it fails.
type Outcome struct {
	// Deployment and Kind select tasks; "" is any.
	Deployment string
	Kind       Kind
	// Error fails the task, in Stage (or in the task of that name within a stage, as "Rendering templates"); without a Stage in "Updating instance" (deploy), "Deleting instances" (delete)
	// or "Running errand". A task that doesn't come to the stage fails at its end.
	Error *TaskError
	Stage string
	// WorkerDies leaves the task processing; after three minutes it is a timeout, and its lock expires after four.
	WorkerDies bool
	// Duration, if set, is how long the task takes.
	Duration *time.Duration
	// Times is for how many tasks the outcome holds; 0 is once, a negative number always.
	Times int
}

// AddOutcome scripts the next task that fits.
func (d *Director) AddOutcome(o Outcome) {
	if o.Times == 0 {
		o.Times = 1
	}
	d.enter()
	defer d.leave()
	d.world.outcomes = append(d.world.outcomes, &o)
}

// ClearOutcomes forgets all outcomes that didn't come to pass.
func (d *Director) ClearOutcomes() {
	d.enter()
	defer d.leave()
	d.world.outcomes = nil
}

// SetTaskDuration changes how long tasks take from now on; kind "" is all kinds that have no duration of their own.
func (d *Director) SetTaskDuration(kind Kind, duration time.Duration) {
	d.enter()
	defer d.leave()
	if kind == "" {
		d.world.durations.all = duration
	} else {
		d.world.durations.byKind[kind] = duration
	}
}

// SetErrand changes what an errand does from now on.
func (d *Director) SetErrand(name string, e Errand) {
	d.enter()
	defer d.leave()
	d.world.errands[name] = e
}

type durations struct {
	all    time.Duration
	byKind map[Kind]time.Duration
}

func (w *world) duration(t *task, p *planner) time.Duration {
	if p.outcome.Duration != nil {
		return *p.outcome.Duration
	}
	whole := w.durations.all
	if own, is := w.durations.byKind[t.Kind]; is {
		whole = own
	}
	return time.Duration(float64(whole) * p.share())
}

// takeOutcome finds the outcome that a task is to have; without one it ends well.
func (w *world) takeOutcome(t *task) *Outcome {
	at := slices.IndexFunc(w.outcomes, func(o *Outcome) bool {
		return (o.Deployment == "" || o.Deployment == t.Deployment) && (o.Kind == "" || o.Kind == t.Kind)
	})
	if at < 0 {
		return &Outcome{}
	}
	found := *w.outcomes[at]
	if w.outcomes[at].Times > 0 {
		w.outcomes[at].Times--
		if w.outcomes[at].Times == 0 {
			w.outcomes = slices.Delete(w.outcomes, at, at+1)
		}
	}
	if found.Stage == "" {
		found.Stage = failingStage(t.Kind)
	}
	if t.Kind == KindDelete && t.Work.Force {
		found.Error = nil // what fails is leaked, the deployment goes
	}
	return &found
}

// failsIn tells whether the outcome is a failure in what the event is about.
func (o *Outcome) failsIn(e stageEvent) bool {
	return o.Error != nil && (o.Stage == e.stage || o.Stage == e.task)
}

func failingStage(kind Kind) string {
	switch kind {
	case KindDelete:
		return stageDeleting
	case KindErrand:
		return StageErrand
	}
	return StageUpdating
}
