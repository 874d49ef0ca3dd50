package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
)

// Reader reads credentials; *Client is one.
type Reader interface {
	ByID(ctx context.Context, id string) (Credential, error)
	Latest(ctx context.Context, name string) (Credential, error)
}

// Manifest is a manifest as the Director returns it, with what tells where its references lead.
type Manifest struct {
	Text       string
	Deployment string     // its name
	Variables  []Variable // the deployment's
}

// Resolved is what a manifest's references stand for.
type Resolved struct {
	Values     Values
	Unresolved []Unresolved // in the order of their first appearance
}

// Values maps references, with their double parentheses, to values: a string as it is, anything else as JSON text.
// Printed or logged, it shows the references alone.
type Values map[string]string

// Format implements fmt.Formatter.
func (v Values) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "values of %v", slices.Sorted(maps.Keys(v)))
}

// LogValue implements slog.LogValuer.
func (v Values) LogValue() slog.Value { return slog.AnyValue(slices.Sorted(maps.Keys(v))) }

// MarshalJSON implements json.Marshaler: a log may write JSON.
func (v Values) MarshalJSON() ([]byte, error) { return json.Marshal(slices.Sorted(maps.Keys(v))) }

// Unresolved is a reference without a value.
type Unresolved struct {
	Reference string // with its parentheses
	Cause     error  // ErrNotFound, ErrNoVariable, ErrNoField, *Unavailable …
}

var (
	// ErrNoVariable says that a relative reference is none of the deployment's variables.
	ErrNoVariable = errors.New("the deployment has no such variable")
	// ErrNoField says that the value has no such field.
	ErrNoField = errors.New("the value has no such field")
)

// Unavailable is the first failure to reach CredHub among the causes; nil if every reference that has no value has none
// for good. Whoever would let an adapter make new secrets in place of missing ones must look at it first.
func (r Resolved) Unavailable() error {
	for _, each := range r.Unresolved {
		var away *Unavailable
		if errors.As(each.Cause, &away) || errors.Is(each.Cause, ErrUnauthorized) {
			return each.Cause
		}
	}
	return nil
}

// Resolve reads what a manifest refers to, each credential once, a few at a time. References without a value are left out
// of the values and listed.
func Resolve(ctx context.Context, reader Reader, manifest Manifest) Resolved {
	references := ParseReferences(manifest.Text)
	sources := make([]source, len(references))
	fetches := newFetches()
	errs := make([]error, len(references))
	for i, reference := range references {
		found, ok := reference.find(manifest.Deployment, manifest.Variables)
		if !ok {
			errs[i] = ErrNoVariable
			continue
		}
		sources[i] = found
		fetches.add(found)
	}
	fetches.run(ctx, reader)

	resolved := Resolved{Values: Values{}}
	for i, reference := range references {
		text, err := "", errs[i]
		if err == nil {
			text, err = fetches.text(sources[i])
		}
		if err != nil {
			resolved.Unresolved = append(resolved.Unresolved, Unresolved{Reference: reference.Literal, Cause: err})
			continue
		}
		resolved.Values[reference.Literal] = text
	}
	return resolved
}

// Resolve is the function of that name, reading from this CredHub.
func (c *Client) Resolve(ctx context.Context, manifest Manifest) Resolved {
	return Resolve(ctx, c, manifest)
}

// fetches are the credentials to read, each once however many references lead to it.
type fetches struct {
	list  []*fetch
	index map[[2]string]*fetch
}

type fetch struct {
	id, name string
	value    json.RawMessage
	err      error
}

func newFetches() *fetches { return &fetches{index: map[[2]string]*fetch{}} }

func (f *fetches) add(s source) {
	key := [2]string{s.id, s.name}
	if f.index[key] == nil {
		f.index[key] = &fetch{id: s.id, name: s.name}
		f.list = append(f.list, f.index[key])
	}
}

func (f *fetches) run(ctx context.Context, reader Reader) {
	sideBySide(len(f.list), func(i int) {
		each, credential := f.list[i], Credential{}
		if each.id != "" {
			credential, each.err = reader.ByID(ctx, each.id)
		} else {
			credential, each.err = reader.Latest(ctx, each.name)
		}
		each.value = credential.Value
	})
}

func (f *fetches) text(s source) (string, error) {
	got := f.index[[2]string{s.id, s.name}]
	if got.err != nil {
		return "", got.err
	}
	return fieldText(got.value, s.keys)
}

// fieldText walks to a field. Numbers keep their digits.
func fieldText(value json.RawMessage, keys []string) (string, error) {
	field, err := decodeJSON(value)
	if err != nil {
		return "", errors.New("the value is no JSON")
	}
	for _, key := range keys {
		fields, ok := field.(map[string]any)
		if !ok {
			return "", fmt.Errorf("%w: %s", ErrNoField, key)
		}
		if field, ok = fields[key]; !ok {
			return "", fmt.Errorf("%w: %s", ErrNoField, key)
		}
	}
	if text, ok := field.(string); ok {
		return text, nil
	}
	text, err := json.Marshal(field)
	return string(text), err
}
