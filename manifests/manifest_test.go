package manifests_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/manifests"
)

func parse(tb testing.TB, text string) *manifests.Manifest {
	tb.Helper()
	m, err := manifests.Parse(text)
	if err != nil {
		tb.Fatalf("Parse: %v\n%s", err, text)
	}
	return m
}

const secretValue = "s3cr3t-value"

func nested(levels int, inside string) string {
	return strings.Repeat("[", levels) + inside + strings.Repeat("]", levels)
}

// Each case holds secretValue, or would if the YAML library quoted what it stumbled on: no error may show it.
func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		line int
		says string
	}{
		"nothing":                       {"", 1, "empty"},
		"only a comment":                {"# " + secretValue, 1, "empty"},
		"only a marker":                 {"---", 1, "empty"},
		"null":                          {"~", 1, "must be a mapping"},
		"a scalar":                      {"\n" + secretValue, 2, "must be a mapping"},
		"a list":                        {"- " + secretValue, 1, "must be a mapping"},
		"two documents":                 {"name: x\n---\nname: " + secretValue, 2, "second YAML document"},
		"a broken second":               {"name: x\n---\n\"" + secretValue, 3, "not valid YAML"},
		"an open quote":                 {"name: x\npassword: \"" + secretValue, 2, "not valid YAML"},
		"a value in a value":            {"name: x\na: " + secretValue + ": c", 2, "not valid YAML"},
		"an unknown alias":              {"name: x\n# *" + secretValue + "!\npassword: *" + secretValue, 3, "alias"},
		"a tab":                         {"name: x\nb:\n\t- " + secretValue, 3, "not valid YAML"},
		"a control character":           {"name: x\nb: " + secretValue + "\x01", 2, "not valid YAML"},
		"broken UTF-8":                  {"name: x\nb: c\nd: " + secretValue + "\xff", 3, "not valid YAML"},
		"a key twice":                   {"name: x\nb: " + secretValue + "\nname: y", 3, "the key name stands twice in one mapping, first in line 1"},
		"a quoted key twice":            {"a:\n  port: " + secretValue + "\n  \"port\": 2", 3, "the key port stands twice in one mapping, first in line 2"},
		"a merge key and twice":         {"a: &a {b: c}\nd:\n  e: " + secretValue + "\n  <<: *a\n  e: f", 5, "the key e stands twice"},
		"a list as a key":               {"name: x\n? [" + secretValue + "]\n: b", 2, "a key must be a single value"},
		"an alias of itself":            {"name: x\na: &a\n  b: " + secretValue + "\n  c: *a", 4, "stands inside the value"},
		"a merge of itself":             {"a: &a\n  <<: *a\n  b: " + secretValue, 2, "stands inside the value"},
		"a merge of a scalar":           {"a: &a " + secretValue + "\nb:\n  <<: *a", 3, "merge key"},
		"a merge of a scalar in a list": {"b:\n  <<: [{a: b}, " + secretValue + "]", 2, "merge key"},
		"too deep":                      {"name: x\na: " + nested(600, secretValue), 2, "levels deep"},
		"too deep by aliases":           {"a: &a " + nested(300, secretValue) + "\nb: " + nested(300, "*a"), 2, "levels deep"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := manifests.Parse(c.text)
			var refused *manifests.SyntaxError
			if !errors.As(err, &refused) {
				t.Fatalf("Parse gave %v", err)
			}
			if refused.Line != c.line || !strings.Contains(refused.What, c.says) {
				t.Errorf("got %q; want line %d and %q", err, c.line, c.says)
			}
			if strings.Contains(err.Error(), secretValue) {
				t.Errorf("the error shows a value: %v", err)
			}
		})
	}
}

func TestParseRefusesAliasBombs(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [" + secretValue + "]\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	var merges strings.Builder
	merges.WriteString("wide: &wide {")
	for i := range 1000 {
		fmt.Fprintf(&merges, "k%d: 1, ", i)
	}
	merges.WriteString("}\nall:\n")
	for range 1000 {
		merges.WriteString("- <<: *wide\n")
	}
	for name, text := range map[string]string{"laughs": laughs.String(), "merges": merges.String()} {
		_, err := manifests.Parse(text)
		var refused *manifests.SyntaxError
		if !errors.As(err, &refused) || !strings.Contains(refused.What, "aliases add more than") || refused.Line < 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseTakesManyHonestAliases(t *testing.T) {
	var text strings.Builder
	text.WriteString("name: x\nshared: &shared {a: 1, b: [2, 3]}\nall:\n")
	for range 5000 {
		text.WriteString("- *shared\n- <<: *shared\n  c: 4\n")
	}
	parse(t, text.String())
}
