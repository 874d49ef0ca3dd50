package secrets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Binding names a binding by its ids.
type Binding struct {
	ServiceID, InstanceID, BindingID string
}

// name is where the platform's CredHub keeps the binding's credentials: a contract with every binding that exists.
func (b Binding) name() (string, error) { return b.below("credentials") }

func (b Binding) below(segment string) (string, error) {
	return joinPath("c", b.ServiceID, b.InstanceID, b.BindingID, segment)
}

// reference is what the platform gets in place of the credentials that lie there.
func reference(name string) (json.RawMessage, error) {
	return json.Marshal(map[string]string{"credhub-ref": name})
}

// StoreBinding is a request to keep a binding's credentials.
type StoreBinding struct {
	Binding     Binding
	Credentials json.RawMessage // the adapter's; apps get them resolved only if they are an object
	Actor       string          // who may read them: AppActor or UAAClientActor
}

// StoreBinding stores the credentials, lets the actor read them, and returns what the platform gets in their place:
// {"credhub-ref": NAME}. If either fails, nothing is left in CredHub, or the error says that something may be. Credentials
// that hold nothing (none, null, {} or "") are not stored but returned as they are.
func (c *Client) StoreBinding(ctx context.Context, request StoreBinding) (json.RawMessage, error) {
	if holdsNothing(request.Credentials) {
		return request.Credentials, nil
	}
	if request.Actor == "" {
		return nil, errors.New("nobody is named who may read the credentials")
	}
	name, err := request.Binding.name()
	if err != nil {
		return nil, err
	}
	reference, err := reference(name)
	if err != nil {
		return nil, err
	}
	if err = c.Set(ctx, name, request.Credentials); err == nil {
		err = c.AllowRead(ctx, name, request.Actor)
	}
	if err == nil {
		return reference, nil
	}
	// The caller's time may be what ran out; the deletion has its own.
	if undo := c.deleteIfThere(context.WithoutCancel(ctx), name); undo != nil {
		return nil, errors.Join(err, fmt.Errorf("credential %s may be left behind: %w", name, undo))
	}
	return nil, err
}

// BindingReference is what StoreBinding once returned; ErrNotFound if no credentials are kept.
func (c *Client) BindingReference(ctx context.Context, binding Binding) (json.RawMessage, error) {
	name, err := binding.name()
	if err != nil {
		return nil, err
	}
	if _, err := c.Latest(ctx, name); err != nil {
		return nil, err
	}
	return reference(name)
}

// DeleteBinding deletes a binding's credentials. That there are none is fine.
func (c *Client) DeleteBinding(ctx context.Context, binding Binding) error {
	name, err := binding.name()
	if err != nil {
		return err
	}
	return c.deleteIfThere(ctx, name)
}

func holdsNothing(credentials json.RawMessage) bool {
	var compact bytes.Buffer
	if json.Compact(&compact, credentials) != nil {
		return len(credentials) == 0 // what is no JSON is refused later
	}
	switch compact.String() {
	case "null", "{}", `""`:
		return true
	}
	return false
}

// joinPath makes /a/b/c, if each segment is one.
func joinPath(segments ...string) (string, error) {
	for _, segment := range segments {
		if segment == "" || strings.Contains(segment, "/") {
			return "", fmt.Errorf("%q can't be a segment of a credential's name", segment)
		}
	}
	return "/" + strings.Join(segments, "/"), nil
}
