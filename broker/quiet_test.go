package broker

import (
	"slices"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
)

// becomeQuiet lets all that was begun come to its end: because the platform polls, or because the broker goes on by itself.
func (h *history) becomeQuiet() {
	if h.oneIn(2) {
		h.restart()
	}
	if h.oneIn(2) {
		h.untilQuiet(h.carryOn)
		tasks := len(h.director.tasks)
		h.untilQuiet(h.pollAll)
		for _, t := range h.director.tasks[tasks:] {
			if h.remembered(t.ContextID) {
				h.wrong("task %d (%s, %s) waited for a poll", t.ID, t.Description, t.ContextID)
			}
		}
		return
	}
	h.untilQuiet(h.pollAll)
	h.untilQuiet(func() { h.carryOn(); h.pollAll() })
}

// pollAll asks for all operations, in half of the cases one after another: at one moment some meet others at work on the instance.
func (h *history) pollAll() {
	apart := h.oneIn(2)
	for _, r := range h.requests {
		h.poll(r)
		if apart {
			h.exhaust()
		}
	}
}

// remembered tells whether an operation is on record.
func (h *history) remembered(contextID string) bool {
	for _, c := range h.director.configsOf(boshclient.ConfigFilter{Type: recordType}) {
		if r, err := decodeRecord(c.Content); err == nil && r.Operation.ContextID == contextID {
			return true
		}
	}
	return false
}

// quietRounds are enough for whatever is waited for to be over: what may arrive late, or what a killed broker has claimed.
func (h *history) quietRounds() int {
	if h.sideBySide {
		return 5
	}
	return 3
}

func (h *history) untilQuiet(ask func()) {
	type state struct{ moments, stored, configs int }
	var last state
	for quiet, round := 0, 0; quiet < h.quietRounds(); round++ {
		if round > 100 {
			h.wrong("there is no end to it")
			return
		}
		h.exhaust()
		ask()
		h.exhaust()
		h.sleep(lateArrival * 2 / 3)
		now := state{h.director.moments, h.director.stored, len(h.director.configs)}
		if quiet++; now != last {
			quiet = 0
		}
		last = now
	}
}

// exhaust lets happen what can happen without anybody asking for anything.
func (h *history) exhaust() {
	for {
		h.step++
		h.settle()
		switch {
		case h.waits() > 0 && !(h.oneIn(4) && len(h.director.running()) > 0):
			h.release()
		case len(h.director.running()) > 0:
			h.progress()
		case len(h.late) > 0:
			h.arrive()
		case len(h.active) > 0:
			h.sleep(claimSettling)
		default:
			return
		}
	}
}

// operation is that of a request; as it would be if it was never handed out.
func (h *history) operation(r *sentRequest) Operation {
	if r.handedOut == "" {
		plan := h.processes[0].broker.offering.plans["plan-id"]
		o := Operation{OperationType: r.verb, BoshContextID: r.id, Errands: plan.postDeploy()}
		if o.deletes() {
			o.Errands = plan.preDelete()
		}
		return o
	}
	if r.decoded == nil {
		o, err := decodeOperation(r.handedOut)
		if err != nil {
			h.t.Fatal(err)
		}
		r.decoded = &o
	}
	return *r.decoded
}

// tasksOf are the tasks that the broker submitted for a request, oldest first.
func (h *history) tasksOf(r *sentRequest) []*directorTask {
	o := h.operation(r)
	single := len(o.steps()) == 1
	var tasks []*directorTask
	for _, t := range h.director.tasks {
		if single && t.ID == o.BoshTaskID || !single && t.ContextID == r.id && !t.foreign {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// superseded tells whether another request was begun on the instance after this one.
func (h *history) superseded(r *sentRequest) bool {
	return h.supersededAt(r) > 0 || (h.triedAgain(r) && h.unrecorded(r))
}

// triedAgain tells whether there was a later request for the instance: its record takes the place of the earlier one.
func (h *history) triedAgain(r *sentRequest) bool {
	i := slices.Index(h.requests, r)
	return slices.ContainsFunc(h.requests[i+1:], func(other *sentRequest) bool { return other.instanceID == r.instanceID })
}

func (h *history) supersededAt(r *sentRequest) int {
	own := h.tasksOf(r)
	if len(own) == 0 {
		return 0
	}
	for _, t := range h.director.tasks {
		if t.Deployment == deploymentName(r.instanceID) && !t.foreign && !h.lateIDs[t.ID] && t.born > own[0].born && !slices.Contains(own, t) {
			return t.born
		}
	}
	return 0
}

// check holds what the Director did against what it was to do.
func (h *history) check() {
	for i, r := range h.requests {
		if tasks := h.tasksOf(r); len(tasks) > 0 {
			h.checkOrder(r, tasks)
			h.checkEnd(r, tasks)
		}
		h.checkCancelled(r)
		h.checkLeftovers(r, h.requests[i+1:])
	}
	for key := range h.director.versions {
		if key.configType == claimType {
			h.wrong("a claim on %s is left", key.name)
		}
	}
}

// checkOrder says that each step was begun once, after the one before had passed.
func (h *history) checkOrder(r *sentRequest, tasks []*directorTask) {
	o := h.operation(r)
	steps, name := stepsOf(o, tasks), deploymentName(r.instanceID)
	for i, t := range tasks {
		switch {
		case i >= len(steps) || !steps[i].isOf(o, name, t.Task) && i > 0:
			h.wrong("%s %s: task %d (%s) is one too many", r.verb, r.id, t.ID, t.Description)
			return
		case i == 0:
		case tasks[i-1].ended == 0 || tasks[i-1].ended > t.born:
			h.wrong("%s %s: task %d (%s) was begun before the one before had ended", r.verb, r.id, t.ID, t.Description)
		case !h.passedOver(o, steps[i-1], tasks[i-1]):
			h.wrong("%s %s: task %d (%s) was begun though the one before had failed", r.verb, r.id, t.ID, t.Description)
		}
		if over := h.supersededAt(r); i > 0 && !h.unrecorded(r) && over > 0 && t.born > over && !h.lateIDs[t.ID] {
			h.wrong("%s %s: task %d (%s) was begun after another operation had been", r.verb, r.id, t.ID, t.Description)
		}
	}
}

// stepsOf are the steps that have tasks of their own: to cancel a creation is none of them, and one that didn't come far enough
// leaves nothing for errands to run on.
func stepsOf(o Operation, tasks []*directorTask) []step {
	steps := o.steps()
	if o.Cancels == "" {
		return steps
	}
	if steps = steps[1:]; tasks[0].Description == "delete deployment "+tasks[0].Deployment {
		return steps[len(steps)-1:]
	}
	return steps
}

// cancelled tells whether a deletion took the place of the request, which was for a creation: also one of which the platform wasn't told.
func (h *history) cancelled(r *sentRequest) bool { return h.director.cancels[r.id] }

// checkCancelled says that of a creation nothing was begun after its deletion, and that the deletion waited for its end.
func (h *history) checkCancelled(r *sentRequest) {
	o := h.operation(r)
	if o.Cancels == "" || o.BoshContextID != r.id || h.pruned {
		return
	}
	tasks := h.tasksOf(r)
	if len(tasks) == 0 {
		if !h.vanished[r.instanceID] && !h.refusals[r.id] && !h.superseded(r) {
			h.wrong("%s %s has never begun", r.verb, r.id)
		}
		return
	}
	for _, t := range h.director.tasks {
		if t.ContextID == o.Cancels && !t.foreign && !h.lateIDs[t.ID] && (t.born > tasks[0].born || t.ended == 0 || t.ended > tasks[0].born) {
			h.wrong("%s %s began while task %d (%s) of the creation had not ended", r.verb, r.id, t.ID, t.Description)
		}
	}
}

func (h *history) passedOver(o Operation, s step, t *directorTask) bool {
	return t.passed() || (s.kind == stepErrand && o.OperationType == OperationForceDelete)
}

// checkEnd says that an operation ended as its tasks say, and was told of so.
func (h *history) checkEnd(r *sentRequest, tasks []*directorTask) {
	o := h.operation(r)
	steps, last := stepsOf(o, tasks), tasks[len(tasks)-1]
	want := domain.Succeeded
	switch complete := len(tasks) >= len(steps); {
	case len(tasks) > len(steps):
		return // said already
	case !h.passedOver(o, steps[len(tasks)-1], last):
		want = domain.Failed
	case complete:
	case h.cancelled(r):
		want = domain.Failed
	case h.pruned || h.superseded(r) || h.refusals[r.id] && h.vanished[r.instanceID]:
		return
	case h.refusals[r.id] || h.vanished[r.instanceID] && !o.deletes():
		want = domain.Failed
	case h.vanished[r.instanceID]:
	case r.handedOut != "" || h.remembered(r.id):
		h.wrong("%s %s stopped after task %d (%s)", r.verb, r.id, last.ID, last.Description)
		return
	}
	if h.pruned && r.deletes() {
		return // the deployment tells
	}
	overtaken := h.pruned || h.superseded(r) || h.vanished[r.instanceID] && h.triedAgain(r)
	if r.handedOut != "" && r.said != want && !(r.said == "" && overtaken) {
		h.wrong("%s %s is %q at the end, but its tasks say %s", r.verb, r.id, r.said, want)
	}
}

// checkLeftovers says that nothing is left of an instance that was deleted, and not asked for again.
func (h *history) checkLeftovers(r *sentRequest, later []*sentRequest) {
	late := slices.ContainsFunc(h.director.tasks, func(t *directorTask) bool {
		return h.lateIDs[t.ID] && t.Deployment == deploymentName(r.instanceID)
	})
	if late || r.said != domain.Succeeded || !h.operation(r).deletes() {
		return
	}
	if slices.ContainsFunc(later, func(other *sentRequest) bool { return other.instanceID == r.instanceID && !other.deletes() }) {
		return
	}
	if _, ok := h.director.deployments[deploymentName(r.instanceID)]; ok {
		h.wrong("%s %s succeeded, but the deployment is there", r.verb, r.id)
	}
	for _, c := range h.director.configsOf(boshclient.ConfigFilter{Name: deploymentName(r.instanceID)}) {
		h.wrong("%s %s left the %s config", r.verb, r.id, c.Type)
	}
}

func (r *sentRequest) deletes() bool {
	return r.verb == OperationDelete || r.verb == OperationForceDelete
}
