package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

const hidden = "<secret>"

// Secret is a password or its like. However it is printed, marshalled or logged, "<secret>" comes out; only Reveal
// gives the value. The zero value is the empty secret; no other one equals another by ==.
//
// The value stands behind a pointer because fmt doesn't always ask a type how to print it – not in an unexported field,
// nor behind a pointer that its verb doesn't fit – and then prints an address.
type Secret struct {
	value *string
}

// NewSecret keeps a value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal gives the value, to hand to whoever must know it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty tells whether there is no value.
func (s Secret) Empty() bool { return s.value == nil }

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return hidden }

// Format implements fmt.Formatter, so that no verb (%x, %q, %d …) gets at the value.
func (Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(hidden)) }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// MarshalText implements encoding.TextMarshaler.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalYAML implements yaml.Marshaler.
func (Secret) MarshalYAML() (any, error) { return hidden, nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// SecretValues is a map whose values may be secrets, as those of an environment are. Printed, marshalled or logged, it
// shows its keys alone, except where fmt doesn't ask it (see Secret). It can be assigned to a map[string]string.
type SecretValues map[string]string

func (v SecretValues) hide() map[string]string {
	if v == nil {
		return nil
	}
	shown := make(map[string]string, len(v))
	for key := range v {
		shown[key] = hidden
	}
	return shown
}

// Format implements fmt.Formatter.
func (v SecretValues) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, v.hide()) }

// MarshalJSON implements json.Marshaler.
func (v SecretValues) MarshalJSON() ([]byte, error) { return json.Marshal(v.hide()) }

// MarshalYAML implements yaml.Marshaler.
func (v SecretValues) MarshalYAML() (any, error) { return v.hide(), nil }

// LogValue implements slog.LogValuer.
func (v SecretValues) LogValue() slog.Value { return slog.AnyValue(v.hide()) }

// Format implements fmt.Formatter. It shows none of the configuration: what operators give to adapters as properties
// may be secret, too.
func (c Config) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, "<configuration>") }

// Format implements fmt.Formatter.
func (c Companion) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, "<configuration>") }
