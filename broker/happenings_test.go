package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing/synctest"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// live goes through the history.
func (h *history) live() {
	for range 40 + h.rng.IntN(80) {
		h.happen()
	}
	h.settle()
	h.calm, h.calmSince = true, h.step
	h.becomeQuiet()
	for _, r := range h.requests { // one by one: of those before some may have met another one at work on the instance
		h.poll(r)
		h.exhaust()
	}
	h.check()
	for _, p := range h.processes {
		p.broker.Stop()
	}
	synctest.Wait()
}

// happen lets one thing happen.
func (h *history) happen() {
	h.step++
	h.settle()
	switch n := h.rng.IntN(1000); {
	case n < 550 && h.waits() > 0:
		h.release()
	case n < 760:
		h.progress()
	case n < 940 && len(h.active) < 4:
		h.anybody()
	case n < 965:
		h.sleep(time.Duration(1+h.rng.IntN(15)) * time.Second)
	case n < 980:
		h.arrive()
	case n < 990:
		h.restart()
	case n < 993:
		h.vanish()
	case n < 997:
		h.stranger()
	case n < 999:
		h.prune()
	}
}

func (h *history) progress() {
	if running := h.director.running(); len(running) > 0 {
		t := running[h.rng.IntN(len(running))]
		h.director.progress(t)
		h.note("task %d (%s, %s): %s %v", t.ID, t.Description, t.ContextID, t.State, t.exitCodes)
	}
}

// arrive delivers a request that was late.
func (h *history) arrive() {
	if len(h.late) == 0 {
		return
	}
	before := len(h.director.tasks)
	h.late[0].act()
	h.late = h.late[1:]
	for _, t := range h.director.tasks[before:] {
		h.lateIDs[t.ID] = true
		if strings.HasPrefix(t.Description, "delete") { // perhaps of an instance that was made anew meanwhile
			h.vanished[strings.TrimPrefix(t.Deployment, DeploymentPrefix)] = true
		}
		h.note("task %d (%s, %s) arrived late", t.ID, t.Description, t.ContextID)
	}
}

// sleep lets time pass. Nothing that is late is later than the broker reckons with.
func (h *history) sleep(d time.Duration) {
	for len(h.late) > 0 && time.Since(h.late[0].sent)+d >= lateArrival {
		h.arrive()
	}
	time.Sleep(d)
}

// vanish lets an operator delete a deployment without the broker.
func (h *history) vanish() {
	id := instances[h.rng.IntN(len(instances))]
	if _, ok := h.director.deployments[deploymentName(id)]; ok {
		h.note("%s vanishes", id)
		h.vanished[id] = true
		delete(h.director.deployments, deploymentName(id))
	}
}

// stranger runs something under the context id of one of the broker's operations.
func (h *history) stranger() {
	if len(h.requests) == 0 {
		return
	}
	r := h.requests[h.rng.IntN(len(h.requests))]
	name := deploymentName(r.instanceID)
	text := []string{errandPrefix + "theirs from deployment " + name, "restart instance"}[h.rng.IntN(2)]
	if len(h.tasksOf(r)) == 0 {
		return
	}
	id := h.director.submit(name, r.id, text, func(*directorTask) {})
	h.director.tasks[id-1].foreign = true
	h.note("task %d (%s, %s) is somebody else's", id, text, r.id)
}

// prune lets the Director forget the oldest tasks that have ended: but not of errands that only their order tells apart, and not
// so soon that the submission after them is still on its way.
func (h *history) prune() {
	if h.sameNames || len(h.late) > 0 {
		return
	}
	for _, t := range h.director.tasks[:len(h.director.tasks)/2] {
		if !t.Ended() {
			return
		}
		h.note("task %d is forgotten", t.ID)
		t.pruned, h.pruned = true, true
	}
}

// anybody asks the broker for something.
func (h *history) anybody() {
	switch n := h.rng.IntN(10); {
	case n < 5 && len(h.requests) > 0:
		h.poll(h.requests[h.rng.IntN(len(h.requests))])
	case n < 8:
		h.carryOn()
	case h.verbs > 0:
		h.verbs--
		h.verb(instances[h.rng.IntN(len(instances))])
	}
}

func (h *history) carryOn() {
	h.act("carries on", func(ctx context.Context, b *Broker, self *actor) func() {
		resumed := self.process.resumed || b.Resume(ctx) == nil
		if h.sideBySide && self.process.resumed {
			_ = b.takeOver(ctx)
		}
		b.CarryOn(ctx)
		return func() { self.process.resumed = resumed }
	})
}

// poll asks how an operation stands, and holds the answer against the earlier ones.
func (h *history) poll(r *sentRequest) {
	if r.handedOut == "" {
		return
	}
	h.act("polls "+r.id, func(ctx context.Context, b *Broker, self *actor) func() {
		answer, err := b.LastOperation(WithRequest(ctx, Request{ID: "poll"}), r.instanceID, domain.PollDetails{OperationData: r.handedOut})
		return func() {
			h.note("actor %d: %s is %s %s %v", self.id, r.id, answer.State, answer.Description, err)
			if err != nil {
				if h.calm && self.began > h.calmSince && !h.pruned && !h.triedAgain(r) {
					h.wrong("%s %s can't be told about: %v", r.verb, r.id, err)
				}
				return
			}
			if r.said != "" && r.saidAt <= self.began && answer.State != r.said && !h.mayForget(r, answer.State) {
				h.wrong("%s %s was %s, and now is %s", r.verb, r.id, r.said, answer.State)
			}
			if answer.State != domain.InProgress {
				r.said, r.saidAt = answer.State, h.step
			}
		}
	})
}

// mayForget tells whether the broker may say something else than before. Of a deletion without tasks the deployment tells. And what
// isn't on record can't be known to a broker that was restarted, or to another one: that a step was refused, or had nothing to work
// on, or that a deletion took a creation's place, once that is over. It also makes sure again that nothing is left of an instance,
// and finds that a later deletion saw to it.
func (h *history) mayForget(r *sentRequest, now domain.LastOperationState) bool {
	if h.pruned && r.deletes() {
		return true
	}
	if h.restarted < r.saidAt && !h.sideBySide {
		return false
	}
	if h.sideBySide && now == domain.InProgress && h.operation(r).Configs != nil {
		return true // the other one makes sure at this moment that it is cleaned up
	}
	return h.unrecorded(r) || h.cancelled(r) || (r.deletes() && (now == domain.InProgress || h.triedAgain(r)))
}

// unrecorded tells whether the broker has no record of what was asked for.
func (h *history) unrecorded(r *sentRequest) bool {
	return h.options.Switches.DisableBOSHConfigs || strings.HasPrefix(r.id, "old-")
}

// verb is what the platform sends: mostly what fits, sometimes what doesn't.
func (h *history) verb(instanceID string) {
	r := &sentRequest{id: fmt.Sprintf("r-%d", len(h.requests)+1), instanceID: instanceID, verb: OperationCreate}
	known, exists := h.director.deployments[deploymentName(instanceID)]
	switch {
	case known.BeingCreated || h.hasty && h.isAskedFor(instanceID):
		r.verb = []OperationType{OperationDelete, OperationForceDelete}[h.rng.IntN(2)]
	case exists != h.oneIn(10):
		r.verb = []OperationType{OperationUpdate, OperationDelete, OperationForceDelete}[h.rng.IntN(3)]
	}
	h.requests = append(h.requests, r)
	h.act(fmt.Sprintf("sends %s %s of %s", r.verb, r.id, instanceID), func(ctx context.Context, b *Broker, self *actor) func() {
		operation, err := send(WithRequest(ctx, Request{ID: r.id}), b, r)
		return func() {
			h.note("actor %d: %s %v", self.id, operation, err)
			r.handedOut = operation
			if err != nil {
				h.verbs = min(h.verbs+h.rng.IntN(2), 5) // the platform may try again
			}
		}
	})
}

// isAskedFor tells whether the last that was asked for an instance was to create it.
func (h *history) isAskedFor(instanceID string) (asked bool) {
	for _, r := range h.requests {
		if r.instanceID == instanceID {
			asked = r.verb == OperationCreate
		}
	}
	return asked
}

func send(ctx context.Context, b *Broker, r *sentRequest) (operation string, err error) {
	const service, plan = "service-id", "plan-id"
	switch r.verb {
	case OperationCreate:
		answer, err := b.Provision(ctx, r.instanceID, domain.ProvisionDetails{ServiceID: service, PlanID: plan}, true)
		return answer.OperationData, err
	case OperationUpdate:
		answer, err := b.Update(ctx, r.instanceID, domain.UpdateDetails{ServiceID: service, PlanID: plan, RawParameters: json.RawMessage(`{"a":1}`)}, true)
		return answer.OperationData, err
	default:
		answer, err := b.Deprovision(ctx, r.instanceID, domain.DeprovisionDetails{ServiceID: service, PlanID: plan, Force: r.verb == OperationForceDelete}, true)
		return answer.OperationData, err
	}
}
