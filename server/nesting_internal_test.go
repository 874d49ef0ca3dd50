package server

import "testing"

func TestNesting(t *testing.T) {
	for text, want := range map[string]int{
		`{}`: 1, `{"a":1}`: 1, `{"a":[{}]}`: 3, `{"a":{},"b":{"c":[]}}`: 3, `[[],[[]],[]]`: 3,
		`{"[[[":"{{{"}`: 1, `{"a":"\"[[["}`: 1, `{"a\\":[]}`: 2, ` "x" `: 0, `1`: 0,
	} {
		if got := nesting([]byte(text)); got != want {
			t.Errorf("%s: %d, not %d", text, got, want)
		}
	}
}
