package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/on-demand-broker/odb/secrets"
)

// Notes are the broker's own in the platform's CredHub.
type Notes interface {
	WriteNote(ctx context.Context, note secrets.Note, content json.RawMessage) error
	ReadNote(ctx context.Context, note secrets.Note) (json.RawMessage, error)
	DeleteNote(ctx context.Context, note secrets.Note) error
}

// nothingGiven is the name of the parameters of an instance that was given none, which are kept nowhere.
const nothingGiven = "none"

// parameterSets are an instance's parameters by the context id of the operation that they are from: those that the last one was to
// bring, and those of before, which hold again if it fails. Which of them hold, the terms tell.
type parameterSets map[string]json.RawMessage

// keepsParameters tells whether the platform may be told an instance's parameters. They may be secret: where there is no CredHub for
// them, they are not kept.
func (b *Broker) keepsParameters() bool {
	return b.offering.InstancesRetrievable && b.ParameterNotes != nil
}

func (b *Broker) parametersOf(instanceID string) secrets.Note {
	return secrets.NoteOfParameters(b.offering.ID, instanceID)
}

// keepParameters keeps what a deploy with parameters makes of an instance's, and gives their name; empty if they aren't known then. No
// deploy depends on it.
func (b *Broker) keepParameters(ctx context.Context, d *deployment, contextID string, undo *undo) (name string) {
	before := nothingGiven
	if d.operation != OperationCreate {
		before = d.keptParameters()
	}
	switch {
	case d.asked == nil || isEmptyObject(d.asked):
		return before
	case before == "" || !b.keepsParameters():
		return ""
	}
	d.parametersNoted = true // though it may not be known
	if err := b.addParameters(ctx, *d, before, contextID, undo); err != nil {
		b.Logger.WarnContext(ctx, "instance.parameters-not-kept", slog.String("error", err.Error()))
		return ""
	}
	return contextID
}

// keptParameters is the name of those that the instance has; empty if they aren't known.
func (d deployment) keptParameters() string {
	if d.agreed == nil {
		return ""
	}
	return d.agreed.Parameters
}

// addParameters keeps those that are to be beside those of before.
func (b *Broker) addParameters(ctx context.Context, d deployment, before, contextID string, undo *undo) error {
	had, err := b.readParameters(ctx, d.instanceID, before)
	if err != nil {
		return err
	}
	wanted, err := laidOver(had, d.asked)
	if err != nil {
		return err
	}
	note := b.parametersOf(d.instanceID)
	putBack := func() error { return b.ParameterNotes.DeleteNote(ctx, note) }
	sets := parameterSets{contextID: wanted}
	if before != nothingGiven {
		sets[before] = had
		putBack = func() error { return b.writeParameters(ctx, note, parameterSets{before: had}) }
	}
	undo.add(func() {
		if err := putBack(); err != nil {
			b.Logger.ErrorContext(ctx, "instance.parameters-not-put-back", slog.String("error", err.Error()))
		}
	})
	return b.writeParameters(ctx, note, sets)
}

// laidOver lays the parameters that are asked for over those of before, member by member: adapters leave alone what a request doesn't
// name.
func laidOver(before, asked json.RawMessage) (json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	for _, text := range []json.RawMessage{before, asked} {
		if err := json.Unmarshal(text, &members); err != nil {
			return nil, errParametersUnreadable
		}
	}
	return json.Marshal(members)
}

// errParametersUnreadable says nothing of what can't be read, which may be secret.
var errParametersUnreadable = errors.New("the note of the instance's parameters in CredHub is not the broker's")

func (b *Broker) writeParameters(ctx context.Context, note secrets.Note, sets parameterSets) error {
	content, err := json.Marshal(sets)
	if err != nil {
		return errParametersUnreadable
	}
	if err := b.ParameterNotes.WriteNote(ctx, note, content); err != nil {
		return fmt.Errorf("keeping the instance's parameters: %w", err)
	}
	return nil
}

// readParameters gives those of a name; nil if they aren't known.
func (b *Broker) readParameters(ctx context.Context, instanceID, name string) (json.RawMessage, error) {
	switch {
	case name == "" || !b.keepsParameters():
		return nil, nil
	case name == nothingGiven:
		return noParameters, nil
	}
	content, err := b.ParameterNotes.ReadNote(ctx, b.parametersOf(instanceID))
	if err != nil {
		return nil, fmt.Errorf("reading the instance's parameters: %w", err)
	}
	var sets parameterSets
	if err := json.Unmarshal(content, &sets); err != nil || sets[name] == nil {
		return nil, errParametersUnreadable
	}
	return sets[name], nil
}

// tellParameters gives those that the platform is told; nil if they aren't known, or not any more.
func (b *Broker) tellParameters(ctx context.Context, instanceID, name string) (json.RawMessage, error) {
	parameters, err := b.readParameters(ctx, instanceID, name)
	if err != nil && !isUnavailable(err) {
		b.Logger.WarnContext(ctx, "instance.parameters-unknown", slog.String("error", err.Error()))
		return nil, nil
	}
	return parameters, err
}

// hasParameters tells whether a note goes with the instance.
func (r *record) hasParameters() bool { return r != nil && r.ParametersKept }

// deleteParameters removes those of an instance that is gone.
func (b *Broker) deleteParameters(ctx context.Context, instanceID string) error {
	if b.ParameterNotes == nil {
		b.Logger.WarnContext(ctx, "instance.parameters-left", slog.String("problem", "they are in the platform's CredHub, and the section credhub is gone from broker.yml"))
		return nil
	}
	err := b.ParameterNotes.DeleteNote(ctx, b.parametersOf(instanceID))
	if err != nil && !isUnavailable(err) { // asking again won't help, and the instance is gone
		b.Logger.WarnContext(ctx, "instance.parameters-left", slog.String("problem", err.Error()))
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting the instance's parameters: %w", err)
	}
	return nil
}
