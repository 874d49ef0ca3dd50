package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/secrets"
)

// bindingName names a binding by its ids.
type bindingName struct{ instanceID, bindingID string }

// knownBinding is what is known of a binding that was made, or is to be.
type knownBinding struct {
	PlanID string `json:"plan_id"`
	Digest string `json:"digest"` // of all that was asked for; empty if that isn't known
	// Request is what the adapter got, if other bindings may follow this one.
	Request json.RawMessage `json:"request,omitempty"`
	// Answer is what the platform got; nil if that isn't kept.
	Answer *adapterclient.Binding `json:"answer,omitempty"`
	// Operation is the last one that went on after its request.
	Operation bindingOperation `json:"operation,omitzero"`
}

// keptBindings are the known bindings. What is kept goes with the binding.
type keptBindings interface {
	// read gives nil if nothing is known.
	read(ctx context.Context, name bindingName) (*knownBinding, error)
	write(ctx context.Context, name bindingName, known knownBinding) error
	forget(ctx context.Context, name bindingName) error
	// forgetInstance is told when an instance is made anew, which has no bindings.
	forgetInstance(instanceID string)
	// fetched is told when the platform has fetched the answer.
	fetched(name bindingName)
}

// keepBindings chooses the place: CredHub, where that is there for it; else the process's memory, unless other brokers would
// not know what it knows.
func keepBindings(o Options, m *memory) keptBindings {
	switch {
	case o.BindingNotes != nil:
		return notedBindings{notes: o.BindingNotes, serviceID: o.Catalog.ID}
	case o.Switches.SideBySide:
		return unknownBindings{}
	default:
		return &memoryBindings{sealedBindings: m.sealed, answers: o.Catalog.KeepBindings == config.KeepInMemory, now: o.Now}
	}
}

// keepsAnswers tells whether bindings can be answered again, and so be fetched.
func (b *Broker) keepsAnswers() bool { return b.Catalog.KeepBindings != "" }

// notedBindings are kept in the platform's CredHub.
type notedBindings struct {
	notes     Notes
	serviceID string
}

func (n notedBindings) of(name bindingName) secrets.Note {
	return secrets.NoteOnBinding(secrets.Binding{ServiceID: n.serviceID, InstanceID: name.instanceID, BindingID: name.bindingID})
}

func (n notedBindings) read(ctx context.Context, name bindingName) (*knownBinding, error) {
	note, err := n.notes.ReadNote(ctx, n.of(name))
	switch {
	case errors.Is(err, secrets.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading what is known of the binding: %w", err)
	}
	var known knownBinding
	if err := json.Unmarshal(note, &known); err != nil { // whose text may quote the note
		return nil, errors.New("the note on the binding in CredHub is not the broker's")
	}
	return &known, nil
}

func (n notedBindings) write(ctx context.Context, name bindingName, known knownBinding) error {
	note, err := json.Marshal(known)
	if err == nil {
		err = n.notes.WriteNote(ctx, n.of(name), note)
	}
	if err != nil {
		return fmt.Errorf("keeping what is known of the binding: %w", err)
	}
	return nil
}

func (n notedBindings) forget(ctx context.Context, name bindingName) error {
	if err := n.notes.DeleteNote(ctx, n.of(name)); err != nil {
		return fmt.Errorf("deleting what is known of the binding: %w", err)
	}
	return nil
}

func (notedBindings) forgetInstance(string) {}
func (notedBindings) fetched(bindingName)   {}

// unknownBindings are known to nobody: what an adapter says of them stands.
type unknownBindings struct{}

func (unknownBindings) read(context.Context, bindingName) (*knownBinding, error) { return nil, nil }
func (unknownBindings) write(context.Context, bindingName, knownBinding) error   { return nil }
func (unknownBindings) forget(context.Context, bindingName) error                { return nil }
func (unknownBindings) forgetInstance(string)                                    {}
func (unknownBindings) fetched(bindingName)                                      {}
