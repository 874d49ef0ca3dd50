package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// Rotation asks for a binding that follows another one of its instance, which stays valid (OSB 2.17, Binding Rotation).
type Rotation struct {
	PredecessorID string
	// ServiceID and PlanID may be left out; they are the predecessor's then.
	ServiceID, PlanID string
}

// Rotate makes a binding with what its predecessor was asked for, and answers as Bind does.
func (b *Broker) Rotate(ctx context.Context, instanceID, bindingID string, r Rotation, asyncAllowed bool) (answer domain.Binding, err error) {
	ctx = about(ctx, instanceID, slog.String("binding_id", bindingID), slog.String("predecessor_binding_id", r.PredecessorID))
	planID := r.PlanID
	defer func(since time.Time) { b.atOnce(OperationBind, planID, since, &answer.IsAsync, &err) }(b.Now())
	wanted, err := b.admitRotation(ctx, bindingName{instanceID, bindingID}, r)
	if err != nil {
		return domain.Binding{}, b.failed(ctx, instanceID, OperationBind, err)
	}
	planID = wanted.plan.ID
	return b.bind(ctx, wanted, asyncAllowed)
}

func (b *Broker) admitRotation(ctx context.Context, name bindingName, r Rotation) (wantedBinding, error) {
	known, err := b.predecessor(ctx, name, r)
	if err != nil {
		return wantedBinding{}, err
	}
	var details domain.BindDetails
	if err := json.Unmarshal(known.Request, &details); err != nil {
		return wantedBinding{}, fmt.Errorf("reading what binding %s was asked for with: %w", r.PredecessorID, err)
	}
	details.PlanID = cmp.Or(r.PlanID, known.PlanID) // the instance's may have changed since
	asked := RequestFrom(ctx)
	asked.Body = known.Request
	wanted, err := b.admitBind(WithRequest(ctx, asked), name, details)
	switch {
	case err != nil:
		return wanted, err
	case !wanted.plan.Binding.Rotatable:
		return wanted, notRotatable(wanted.plan)
	}
	wanted.digest += after(r.PredecessorID)
	wanted.request, err = following(wanted.request, r.PredecessorID)
	return wanted, err
}

// predecessor is what is known of the binding to follow, if it is one that can be followed.
func (b *Broker) predecessor(ctx context.Context, name bindingName, r Rotation) (*knownBinding, error) {
	if r.ServiceID != "" {
		if refusal := b.offering.offers(r.ServiceID); refusal != nil {
			return nil, refusal
		}
	}
	if plan, named := b.offering.plans[r.PlanID]; named && !plan.Binding.Rotatable {
		return nil, notRotatable(plan)
	}
	known, err := b.readBinding(ctx, bindingName{name.instanceID, r.PredecessorID})
	if err != nil {
		return nil, err
	}
	refusal := b.mayBeFollowed(known, name, r)
	if refusal == nil {
		return known, nil
	}
	// The same request again gets the same answer, whatever has become of the predecessor. What it was asked for with, its successor was, too.
	switch made, err := b.readBinding(ctx, name); {
	case err != nil:
		return nil, err
	case made != nil && made.follows(r.PredecessorID):
		return made, nil
	}
	return nil, refusal
}

// mayBeFollowed says why a binding can't be followed by the one of the name.
func (b *Broker) mayBeFollowed(known *knownBinding, name bindingName, r Rotation) *Error {
	switch {
	case known != nil && known.Operation.goesOn():
		return bindingBusy()
	case r.PredecessorID == name.bindingID || known == nil || known.Answer == nil:
		return refuse(BadRequest, "predecessor_binding_id: there is no other binding %q of service instance %s", r.PredecessorID, name.instanceID)
	case known.Request == nil:
		return refuse(BadRequest, "predecessor_binding_id: binding %q was made when its plan's bindings were not rotatable: make a new one without it", r.PredecessorID)
	}
	if expires := known.Answer.Metadata.ExpiresAt; !expires.IsZero() && !b.Now().Before(expires) {
		return refuse(BadRequest, "predecessor_binding_id: binding %q has expired: make a new one without it", r.PredecessorID)
	}
	return nil
}

// follows tells whether the binding was made to follow that one, or is being made so.
func (k *knownBinding) follows(predecessorID string) bool {
	there := k.Answer != nil || k.Operation.goesOn()
	return there && k.Request != nil && strings.HasSuffix(k.Digest, after(predecessorID))
}

// after is what a binding's digest says of the one that it follows.
func after(predecessorID string) string { return " after " + predecessorID }

func notRotatable(p *plan) *Error {
	return refuse(BadRequest, "predecessor_binding_id: plan %q has no binding_rotatable: a binding can't be made from an earlier one", p.Name)
}

// following is the adapter's request for a binding that follows another one, which it may want to know.
func following(request json.RawMessage, predecessorID string) (json.RawMessage, error) {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(request, &body); err != nil {
		return nil, fmt.Errorf("encoding the request for the adapter: %w", err)
	}
	var err error
	if body["predecessor_binding_id"], err = json.Marshal(predecessorID); err != nil {
		return nil, fmt.Errorf("encoding the request for the adapter: %w", err)
	}
	return json.Marshal(body)
}

// IsRotatable tells whether bindings of a plan can be followed by others.
func (b *Broker) IsRotatable(planID string) bool {
	p, known := b.offering.plans[planID]
	return known && p.Binding.Rotatable
}
