package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

// directorCensus counts in the Director: an instance is there as long as its deployment is, from the moment that its creation
// is submitted until its deletion is done, whatever the platform knows of it. Cloud Controller's own count won't do: it has an
// instance before it asks the broker for it, and keeps those that were refused, so that who is refused would be in the way of
// the next one. The plan is what is remembered, or else what the platform says, of an instance that the predecessor made.
type directorCensus struct{ *Broker }

// Plans asks for the deployments and for what is remembered, both at once, and the platform if that isn't all.
func (b directorCensus) Plans(ctx context.Context) (map[string]string, error) {
	var deployments []boshclient.DeploymentSummary
	var remembered map[string]ownership
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) {
			deployments, err = b.Maintaining.Deployments(ctx)
			return err
		},
		func(ctx context.Context) (err error) {
			remembered, err = b.remembered(ctx)
			return err
		},
	)
	if err != nil {
		return nil, err
	}
	plans := make(map[string]string, len(deployments))
	var unknown []string
	for _, deployment := range deployments {
		instanceID, isInstance := instanceOf(deployment.Name)
		known, found := remembered[instanceID]
		if !isInstance || (found && known.serviceID != b.offering.ID) {
			continue
		}
		if plans[instanceID] = known.planID; !found {
			unknown = append(unknown, instanceID)
		}
	}
	told, err := b.told.plans(ctx, unknown)
	if err != nil {
		return nil, err
	}
	maps.Copy(plans, told)
	b.Logger.InfoContext(ctx, "instances.counted", slog.Int("instances", len(plans)), slog.Int("of_unknown_plan", len(unknown)-len(told)))
	return plans, nil
}

// ownership is what a count needs of a record: of fifty thousand, the rest would be most of it.
type ownership struct{ serviceID, planID string }

// remembered is whose the instances of all offerings are, by instance id; empty where that can't be had.
func (b directorCensus) remembered(ctx context.Context) (map[string]ownership, error) {
	byID := map[string]ownership{}
	err := b.eachRecord(ctx, func(r knownInstance) { byID[r.instanceID] = ownership{r.ServiceID, r.PlanID} })
	switch {
	case errors.Is(err, errNotRemembered): // which was told at the start
		return nil, nil
	case forbidden(err):
		b.Logger.WarnContext(ctx, "quotas.plans-unknown", slog.String("error", err.Error()))
		return nil, nil
	case err != nil:
		return nil, err
	}
	return byID, nil
}

// askAgain is how often whoever knows the platform's instances is asked for those that it didn't know.
const askAgain = time.Minute

// toldPlans are the plans of instances that nothing is remembered of, as the platform says. They stay as they are: a change of
// plan goes through the broker, which remembers it.
type toldPlans struct {
	source Instances // nil if nobody knows
	now    func() time.Time

	mu    sync.Mutex
	known map[string]string // plan id, by instance id
	asked map[string]time.Time
}

func newToldPlans(source Instances, now func() time.Time) *toldPlans {
	return &toldPlans{source: source, now: now, known: map[string]string{}, asked: map[string]time.Time{}}
}

// plans gives the plans of those of the instances that somebody knows. The list is asked for as a whole, and only if one of them
// is new, or is still unknown after a while.
func (t *toldPlans) plans(ctx context.Context, instanceIDs []string) (map[string]string, error) {
	if t.source == nil || len(instanceIDs) == 0 {
		return nil, nil
	}
	if t.due(instanceIDs) {
		ctx, cancel := context.WithTimeout(ctx, countTimeout)
		defer cancel()
		began := t.now()
		instances, err := t.source.List(ctx, nil)
		if err != nil {
			return nil, fmt.Errorf("asking for the plans of instances that are not remembered: %w", err)
		}
		t.keep(instanceIDs, instances, began)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	told := map[string]string{}
	for _, id := range instanceIDs {
		if planID, known := t.known[id]; known {
			told[id] = planID
		}
	}
	return told, nil
}

func (t *toldPlans) due(instanceIDs []string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range instanceIDs {
		if _, known := t.known[id]; !known && t.now().Sub(t.asked[id]) > askAgain {
			return true
		}
	}
	return false
}

// keep remembers of the instances in question what the list says, and nothing of others.
func (t *toldPlans) keep(instanceIDs []string, instances []Instance, at time.Time) {
	listed := make(map[string]string, len(instances))
	for _, instance := range instances {
		listed[instance.ID] = instance.PlanID
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.known)
	clear(t.asked)
	for _, id := range instanceIDs {
		if t.asked[id] = at; listed[id] != "" {
			t.known[id] = listed[id]
		}
	}
}
