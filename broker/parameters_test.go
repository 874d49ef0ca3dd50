package broker

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParametersAreLaidOverThoseOfBefore(t *testing.T) {
	for _, c := range []struct{ before, asked, want string }{
		{`{}`, `{"a":1}`, `{"a":1}`},
		{`{"a":1,"b":{"c":1}}`, `{"b":{"d":2}}`, `{"a":1,"b":{"d":2}}`},
		{`{"a":1}`, `{"a":null}`, `{"a":null}`},
		{`{"n":12345678901234567890}`, `{}`, `{"n":12345678901234567890}`},
	} {
		got, err := laidOver(json.RawMessage(c.before), json.RawMessage(c.asked))
		if err != nil || string(got) != c.want {
			t.Errorf("%s over %s: %s, %v", c.asked, c.before, got, err)
		}
	}
	if _, err := laidOver(json.RawMessage(`"hush"`), json.RawMessage(`{}`)); err == nil || strings.Contains(err.Error(), "hush") {
		t.Error(err)
	}
}
