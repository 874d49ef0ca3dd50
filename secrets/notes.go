package secrets

import (
	"context"
	"encoding/json"
)

// Note names a note of the broker's own in the platform's CredHub, a JSON object beside the credentials of bindings. Nobody but the
// broker's client is let in there. NoteOnBinding and NoteOfParameters make one.
type Note struct{ segments []string }

// NoteOnBinding is where it is noted what is known of a binding.
func NoteOnBinding(b Binding) Note {
	return Note{[]string{"c", b.ServiceID, b.InstanceID, b.BindingID, "note"}}
}

// NoteOfParameters is where an instance's parameters are noted.
func NoteOfParameters(serviceID, instanceID string) Note {
	return Note{[]string{"c", serviceID, instanceID, "parameters"}}
}

// WriteNote keeps a note in place of an earlier one.
func (c *Client) WriteNote(ctx context.Context, note Note, content json.RawMessage) error {
	name, err := joinPath(note.segments...)
	if err != nil {
		return err
	}
	return c.Set(ctx, name, content)
}

// ReadNote is the latest content of a note; ErrNotFound if there is none.
func (c *Client) ReadNote(ctx context.Context, note Note) (json.RawMessage, error) {
	name, err := joinPath(note.segments...)
	if err != nil {
		return nil, err
	}
	content, err := c.Latest(ctx, name)
	return content.Value, err
}

// DeleteNote deletes a note. That there is none is fine.
func (c *Client) DeleteNote(ctx context.Context, note Note) error {
	name, err := joinPath(note.segments...)
	if err != nil {
		return err
	}
	return c.deleteIfThere(ctx, name)
}
