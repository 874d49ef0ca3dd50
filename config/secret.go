package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

const hidden = "<secret>"

// Secret is a password or its like. However it is printed, marshalled or logged, "<secret>" comes out; only Reveal
// gives the value. It can't help a struct that keeps it in an unexported field: fmt then asks no method.
type Secret string

// Reveal gives the value, to hand to whoever must know it.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return hidden }

// Format implements fmt.Formatter, so that no verb (%x, %q, %d …) gets at the value.
func (Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(hidden)) }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// MarshalText implements encoding.TextMarshaler, for map keys and other encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalYAML implements yaml.Marshaler.
func (Secret) MarshalYAML() (any, error) { return hidden, nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// SecretValues is a map whose values may be secrets, like an environment: printed, marshalled or logged, it shows its
// keys alone. It can be assigned to a map[string]string.
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
