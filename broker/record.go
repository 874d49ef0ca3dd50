package broker

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
)

// recordType is the type of the named config by which the Director remembers an instance for the broker. Its name is the
// deployment's; it is the broker's own and never reaches an adapter.
const recordType = "odb-instance"

// record is what is remembered of an instance. It is written before what it tells of is submitted.
type record struct {
	ServiceID string `json:"service_id"`
	terms            // as the last operation was to make them
	// Before are the terms that held before, and hold again if the operation fails. It is nil of a creation, and where a broker
	// wrote the record that didn't remember them.
	Before       *terms          `json:"before,omitempty"`
	Context      json.RawMessage `json:"context,omitempty"`
	DashboardURL string          `json:"dashboard_url,omitempty"`
	Labels       map[string]any  `json:"labels,omitempty"`
	// OrganizationGUID and SpaceGUID are those that the instance was asked for with.
	OrganizationGUID string `json:"organization_guid,omitempty"`
	SpaceGUID        string `json:"space_guid,omitempty"`
	UAAClient        bool   `json:"uaa_client,omitempty"` // it has one
	// UAAClientMadeBy is the context id of the deploy that the client was made in, until a later one finds that it succeeded.
	// An instance whose first deploy fails is never updated: of that nothing need be known.
	UAAClientMadeBy string `json:"uaa_client_made_by,omitempty"`
	// ParametersKept says that there may be parameters of it in the platform's CredHub, though they may not be all.
	ParametersKept bool `json:"parameters_kept,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	// CreatedBy is the context id of the creation. It tells this instance from an earlier one of the same id; empty if another broker
	// made it, or wrote the record.
	CreatedBy string            `json:"created_by,omitempty"`
	UpdatedAt time.Time         `json:"updated_at"`
	Operation recordedOperation `json:"operation"`
}

// recordedOperation is the last operation that was begun. Its tasks are found by the context id.
type recordedOperation struct {
	Type      OperationType `json:"type"`
	ContextID string        `json:"context_id"`
	// Request is the digest of the PATCH that the operation was begun for; empty if it was none.
	Request string `json:"request,omitempty"`
	// Manifest and ManifestBefore are the digests of the manifest that was submitted and of the one that was deployed then.
	Manifest       string   `json:"manifest,omitempty"`
	ManifestBefore string   `json:"manifest_before,omitempty"`
	Errands        []Errand `json:"errands,omitempty"`
	// DropConfigs are the types of the configs that go when the operation has succeeded.
	DropConfigs []string `json:"drop_configs,omitempty"`
	UAAClient   bool     `json:"uaa_client,omitempty"` // a client in the UAA is to go with the instance
	Parameters  bool     `json:"parameters,omitempty"` // so are its parameters
	// Cancels is the context id of the creation that is to be over first.
	Cancels   string    `json:"cancels,omitempty"`
	StartedAt time.Time `json:"started_at"`
	// State is "" until the broker has carried the operation to its end. Operations of one step are not carried: their
	// task tells.
	State string `json:"state,omitempty"`
}

// The States of an operation that has ended. It is unknown how one did whose tasks the Director has forgotten.
const (
	stateSucceeded = string(domain.Succeeded)
	stateFailed    = string(domain.Failed)
	stateUnknown   = "unknown"
)

// asOperation is the operation as a cursor. Its first task's id is not remembered, since the record was written before.
func (r recordedOperation) asOperation() Operation {
	o := Operation{OperationType: r.Type, BoshContextID: r.ContextID, Errands: r.Errands, UAAClient: r.UAAClient, Parameters: r.Parameters, Cancels: r.Cancels}
	if len(r.DropConfigs) > 0 {
		o.Configs = &r.DropConfigs
	}
	return o
}

// unfinished tells whether there may be something left that only the broker will do.
func (r recordedOperation) unfinished() bool { return r.State == "" && r.asOperation().carried() }

// carried tells whether the broker has more to do for an operation than to report its task.
func (o Operation) carried() bool {
	return len(o.steps()) > 1 || (o.Configs != nil && len(*o.Configs) > 0) || o.UAAClient || o.Parameters
}

// encode makes JSON, which is YAML. A context that isn't JSON is left out: brokerapi has read it as such, so there is none.
func (r record) encode() string {
	text, err := json.Marshal(r)
	if err != nil {
		r.Context = nil
		text, _ = json.Marshal(r) // nothing that can fail is left
	}
	return string(text)
}

func decodeRecord(text string) (*record, error) {
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, fmt.Errorf("a config of type %s is not the broker's: %w", recordType, err)
	}
	return &r, nil
}

// remember words the record of a deploy that is about to be submitted. What was remembered before stays where the deploy
// doesn't say otherwise; an instance of old, of which nothing was, begins with its first deploy by this broker.
func (b *Broker) remember(d deployment, done submitted, operation Operation) record {
	now := b.Now().UTC()
	r := record{CreatedAt: now}
	if d.before.record != nil {
		r = *d.before.record
	}
	r.ServiceID, r.UpdatedAt = b.offering.ID, now
	r.Before, r.terms = d.termsBefore(), b.termsOf(d)
	r.ParametersKept = r.ParametersKept || d.parametersNoted
	r.DashboardURL = cmp.Or(done.dashboardURL, r.DashboardURL)
	if done.labels != nil {
		r.Labels = done.labels
	}
	if d.operation == OperationCreate {
		r.OrganizationGUID, r.SpaceGUID = d.organizationGUID, d.spaceGUID
	}
	r.UAAClient, r.UAAClientMadeBy = d.uaaClient != nil, ""
	if d.clientMade && d.operation != OperationCreate {
		r.UAAClientMadeBy = operation.BoshContextID
	}
	switch {
	case len(d.context) > 0:
		r.Context = d.context
	case len(r.Context) == 0:
		r.Context = d.partContext
	}
	r.Operation = recordOf(operation, now)
	if d.operation == OperationCreate {
		r.CreatedBy = r.Operation.ContextID
	}
	r.Operation.Request = d.request
	r.Operation.Manifest, r.Operation.ManifestBefore = manifestDigest(done.manifest), manifestDigest(d.previousManifest)
	return r
}

func recordOf(o Operation, now time.Time) recordedOperation {
	recorded := recordedOperation{
		Type: o.OperationType, ContextID: o.BoshContextID, Errands: o.Errands, UAAClient: o.UAAClient, Parameters: o.Parameters, Cancels: o.Cancels, StartedAt: now,
	}
	if o.Configs != nil {
		recorded.DropConfigs = *o.Configs
	}
	return recorded
}

// digest tells parameters apart without telling them: of the same ones, in whatever order and spacing, it is the same.
func digest(instanceID string, parameters json.RawMessage) string {
	decoder := json.NewDecoder(bytes.NewReader(parameters))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return ""
	}
	canonical, err := json.Marshal(value) // members in order
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(append([]byte(instanceID+"\x00"), canonical...))
	return hex.EncodeToString(sum[:])
}

// manifestDigest is that of a manifest's text, which the Director gives back as it got it; empty for none.
func manifestDigest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// rewriteRecord stores a changed record.
func (b *Broker) rewriteRecord(ctx context.Context, deployment string, r record) error {
	_, err := b.Configs.CreateConfig(ctx, boshclient.CreateConfig{Type: recordType, Name: deployment, Content: r.encode()})
	if err != nil {
		b.Logger.WarnContext(ctx, "instance.not-remembered", slog.String("error", err.Error()))
		return fmt.Errorf("remembering deployment %s: %w", deployment, err)
	}
	b.hintPlans(deployment, planHint{plans: []string{r.PlanID}})
	return nil
}

// rememberBeginning stores the record of an operation that is about to begin. If it can't be told whether it was stored, what was
// there before is put back: an operation that doesn't begin may not be found on record.
func (b *Broker) rememberBeginning(ctx context.Context, deployment string, r record, before instanceConfigs) error {
	err := b.rewriteRecord(ctx, deployment, r)
	if outcomeUnknown(err) {
		b.putBack(ctx, deployment, recordType, before.text)
	}
	return err
}

// mustBeFinished refuses while an earlier operation of the instance has steps left, though no task may run at the moment.
func (b *Broker) mustBeFinished(ctx context.Context, instanceID string, known *record) error {
	o, ok := b.unfinished(instanceID, known)
	if !ok {
		return nil
	}
	attempts, err := b.attempts(ctx, instanceID, o)
	if err != nil {
		return err
	}
	if !next(o, deploymentName(instanceID), attempts).action.goesOn() {
		return nil
	}
	b.carryUnlessBusy(ctx, instanceID, o)
	return operationInProgress()
}

// unfinished is the instance's last operation, if it may have steps left: as remembered, or as this process carries it.
func (b *Broker) unfinished(instanceID string, known *record) (o Operation, ok bool) {
	o, isCarried := b.carrier.of(instanceID)
	switch {
	case known != nil && known.Operation.unfinished():
		return known.Operation.asOperation(), true
	case b.Switches.SideBySide && known != nil: // what is carried may have been ended by another broker
		return Operation{}, false
	case !isCarried || (known != nil && known.Operation.ContextID == o.BoshContextID):
		return Operation{}, false
	}
	return o, true
}
