package devdirector

import (
	"container/heap"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// wakeup is something due at a time.
type wakeup struct {
	at    time.Time
	order int
	do    func(at time.Time)
}

// wakeups is a heap: the earliest first, those of one time in the order in which they were made.
type wakeups []*wakeup

func (h wakeups) Len() int { return len(h) }
func (h wakeups) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].order < h[j].order
	}
	return h[i].at.Before(h[j].at)
}
func (h wakeups) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *wakeups) Push(x any)   { *h = append(*h, x.(*wakeup)) }
func (h *wakeups) Pop() any {
	last := len(*h) - 1
	w := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return w
}

func (w *world) wake(at time.Time, do func(time.Time)) *wakeup {
	w.lastWake++
	made := &wakeup{at: at, order: w.lastWake, do: do}
	heap.Push(&w.wakeups, made)
	return made
}

// advance does all that is due by now, each at its own time.
func (w *world) advance(now time.Time) {
	for len(w.wakeups) > 0 && !w.wakeups[0].at.After(now) {
		due := heap.Pop(&w.wakeups).(*wakeup)
		if due.do != nil {
			w.now = due.at
			due.do(due.at)
		}
	}
	w.now = now
}

// lock is held by one task; others wait in line.
type lock struct {
	holder  *task
	waiting []*task
	expires time.Time
}

// submit hands a task to the workers.
func (w *world) submit(t *task) {
	w.keepTask(t)
	if w.options.QueueDelay == 0 {
		w.enqueue(t, w.now)
		return
	}
	w.wake(w.now.Add(w.options.QueueDelay), func(at time.Time) { w.enqueue(t, at) })
}

func (w *world) enqueue(t *task, at time.Time) {
	w.queue = append(w.queue, t)
	w.dispatch(at)
}

func (w *world) dispatch(at time.Time) {
	for w.busy < w.options.Workers && len(w.queue) > 0 {
		t := w.queue[0]
		w.queue = w.queue[1:]
		w.start(t, at)
	}
}

func (w *world) start(t *task, at time.Time) {
	if t.State == StateCancelling {
		w.end(t, at, StateCancelled, cancelledResult)
		return
	}
	w.busy++
	t.working = true
	t.State, t.Started, t.Changed = StateProcessing, at, at
	if !t.Kind.locks() {
		w.begin(t, at)
		return
	}
	held := w.locks[t.Deployment]
	if held == nil {
		w.acquire(t, at)
		return
	}
	held.waiting = append(held.waiting, t)
	t.wakeup = w.wake(at.Add(lockWait), func(at time.Time) { w.giveUpLock(t, at) })
}

func (w *world) acquire(t *task, at time.Time) {
	held := w.locks[t.Deployment]
	if held == nil {
		held = &lock{}
		w.locks[t.Deployment] = held
	}
	held.holder, held.expires = t, at.Add(lockExpiry)
	w.recordLock(t, "acquire", at)
	w.begin(t, at)
}

func (w *world) giveUpLock(t *task, at time.Time) {
	held := w.locks[t.Deployment]
	held.waiting = slices.DeleteFunc(held.waiting, func(other *task) bool { return other == t })
	w.fail(t, at, &TaskError{Code: 100, Message: fmt.Sprintf(
		"Failed to acquire lock for lock:deployment:%s uid: %s. Locking task id is %d, description: '%s'",
		t.Deployment, newUUID(), held.holder.ID, held.holder.Description)})
}

func (w *world) release(t *task, at time.Time) {
	held := w.locks[t.Deployment]
	if held == nil || held.holder != t {
		return
	}
	if t.State == StateTimeout && at.Before(held.expires) {
		// Nobody is there to release it.
		w.wake(held.expires, func(at time.Time) { w.release(t, at) })
		return
	}
	w.recordLock(t, "release", at)
	if len(held.waiting) == 0 {
		delete(w.locks, t.Deployment)
		return
	}
	next := held.waiting[0]
	held.waiting = held.waiting[1:]
	next.wakeup.do = nil
	w.acquire(next, at)
}

// begin makes the task's plan, and starts to follow it.
func (w *world) begin(t *task, at time.Time) {
	t.Events, t.Output = nil, nil
	t.steps = w.plan(t, at)
	w.follow(t, at)
}

// follow runs the steps that are due at once and wakes up for the next.
func (w *world) follow(t *task, at time.Time) {
	for !t.Ended() {
		if len(t.steps) == 0 {
			w.end(t, at, StateDone, t.success)
			return
		}
		if wait := t.steps[0].wait; wait > 0 {
			t.wakeup = w.wake(at.Add(wait), func(at time.Time) {
				w.step(t, at)
				w.follow(t, at)
			})
			return
		}
		w.step(t, at)
	}
}

// step does the task's next step. Each is a checkpoint: a task that is to be cancelled ends there.
func (w *world) step(t *task, at time.Time) {
	s := t.steps[0]
	t.steps = t.steps[1:]
	if s.event != nil {
		t.Events = s.event.appendLine(t.Events, at)
	}
	if s.do != nil {
		s.do(at)
	}
	switch {
	case s.fail != nil:
		w.fail(t, at, s.fail)
	case t.State == StateCancelling && len(t.steps) > 0 && !t.unwinding:
		w.stop(t, at, s.event)
	}
}

// stop ends a task that is to be cancelled, in the middle of a stage perhaps.
func (w *world) stop(t *task, at time.Time, last *stageEvent) {
	cancelled := cancelledError(t.ID)
	if last != nil && last.state != "finished" {
		t.Events = last.failed(cancelled.Message).appendLine(t.Events, at)
	}
	w.fail(t, at, cancelled)
}

const cancelledResult = "task cancelled"

func cancelledError(id int) *TaskError {
	return &TaskError{Code: codeCancelled, Message: "Task " + strconv.Itoa(id) + " cancelled"}
}

func (w *world) fail(t *task, at time.Time, cause *TaskError) {
	t.Events = cause.appendLine(t.Events, at)
	if cause.Code == codeCancelled {
		w.end(t, at, StateCancelled, cancelledResult)
		return
	}
	w.recordFailure(t, cause.Message, at)
	w.end(t, at, StateError, truncate(cause.Message))
}

// abandon is the end of a task whose worker died: it has no result, and is as of when it started.
func (w *world) abandon(t *task, at time.Time) {
	w.end(t, at, StateTimeout, "")
	t.Result, t.Changed = nil, t.Started
	w.keepTask(t)
}

// end ends a task, lets its lock go to who waits for it and its worker to who queues.
func (w *world) end(t *task, at time.Time, state, result string) {
	t.State, t.Result, t.Changed = state, &result, at
	t.steps, t.wakeup, t.compiling, t.Work, t.tree = nil, nil, nil, work{}, nil
	if t.working {
		t.working = false
		w.busy--
	}
	w.release(t, at)
	w.keepTask(t)
	if dep, is := w.deployments[t.Deployment]; is && t.Kind.changes() {
		w.keepDeployment(dep)
		w.keepCounters()
	}
	w.forget(t.Kind, t)
	w.dispatch(at)
}

// cancel asks a task to end. A step that can be interrupted is, any other is waited for.
func (w *world) cancel(t *task) {
	t.State = StateCancelling
	if !t.Started.IsZero() {
		t.Changed = t.Started
	}
	w.keepTask(t)
	if len(t.steps) == 0 || t.steps[0].onCancel == nil {
		return
	}
	t.wakeup.do = nil
	t.steps, t.unwinding = t.steps[0].onCancel, true
	w.follow(t, w.now)
}
