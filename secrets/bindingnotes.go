package secrets

import (
	"context"
	"encoding/json"
)

// note is where a binding's note lies, beside its credentials. Nobody but the broker's client is let in there.
func (b Binding) note() (string, error) { return b.below("note") }

// NoteBinding keeps a note on a binding, a JSON object, in place of an earlier one.
func (c *Client) NoteBinding(ctx context.Context, binding Binding, note json.RawMessage) error {
	name, err := binding.note()
	if err != nil {
		return err
	}
	return c.Set(ctx, name, note)
}

// BindingNote is the latest note on a binding; ErrNotFound if there is none.
func (c *Client) BindingNote(ctx context.Context, binding Binding) (json.RawMessage, error) {
	name, err := binding.note()
	if err != nil {
		return nil, err
	}
	note, err := c.Latest(ctx, name)
	return note.Value, err
}

// DeleteBindingNote deletes a binding's note. That there is none is fine.
func (c *Client) DeleteBindingNote(ctx context.Context, binding Binding) error {
	name, err := binding.note()
	if err != nil {
		return err
	}
	return c.deleteIfThere(ctx, name)
}
