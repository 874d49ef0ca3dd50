package schemas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// violation is one thing that breaks a schema. It tells what the schema wants and never what the value is: parameters may
// be secret.
type violation struct {
	pointer string // RFC 6901; empty for the whole
	what    string
}

type violations []violation

const (
	maxListed     = 20  // violations told of at a time
	maxTextLength = 300 // bytes of a pointer, and of a text made from a schema
	// What the validator's time and memory depend on is bounded, far beyond anything meant: the levels of nesting, the values
	// in all, and the size of numbers, which are compared exactly.
	maxDepth    = 100
	maxValues   = 20_000
	maxDigits   = 400
	maxExponent = 400
)

func rootViolation(what string) violations { return violations{{"", what}} }

func (v violation) String() string {
	if v.pointer == "" {
		return "(root): " + v.what
	}
	return cut(v.pointer) + ": " + v.what
}

// sorted has each violation once, in an order that doesn't depend on how they were found.
func (vs violations) sorted() violations {
	slices.SortFunc(vs, func(a, b violation) int {
		if order := strings.Compare(a.pointer, b.pointer); order != 0 {
			return order
		}
		return strings.Compare(a.what, b.what)
	})
	return slices.Compact(vs)
}

// below moves them to where the part that was looked at stands in the whole.
func (vs violations) below(prefix string) violations {
	for i := range vs {
		vs[i].pointer = prefix + vs[i].pointer
	}
	return vs
}

// listed are their texts, as many as anybody reads.
func (vs violations) listed() []string {
	texts := make([]string, 0, min(len(vs), maxListed+1))
	for i, v := range vs {
		if i == maxListed {
			return append(texts, fmt.Sprintf("and %d more", len(vs)-maxListed))
		}
		texts = append(texts, v.String())
	}
	return texts
}

// Violations are what is wrong with parameters, each as a JSON pointer into them and what the schema wants there; none if they
// are valid. They are always in the same order, at most twenty and the number of the others, and quote no value.
func (s *Schema) Violations(parameters json.RawMessage) []string {
	return s.check(parameters).sorted().listed()
}

func (s *Schema) check(parameters json.RawMessage) violations {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(parameters))
	if err != nil {
		return rootViolation("is not valid JSON")
	}
	if found := uncheckable(value); len(found) > 0 {
		return found
	}
	switch err := s.compiled.Validate(value).(type) {
	case nil:
		return nil
	case *jsonschema.ValidationError:
		return reading{value}.of(err)
	default:
		return rootViolation("can't be checked")
	}
}

// uncheckable is what the validator would need too much time for, or can't read at all.
func uncheckable(value any) violations {
	var found violations
	values := 0
	walk(value, nil, func(at []string, value any) {
		values++
		if number, ok := value.(json.Number); ok && !usable(number.String()) {
			found = append(found, violation{pointer(at), "is a number of more digits than can be checked"})
		}
		if len(at) == maxDepth+1 {
			found = append(found, violation{pointer(at), "is nested deeper than can be checked"})
		}
	})
	if values > maxValues {
		return rootViolation(fmt.Sprintf("has %d values, more than the %d that can be checked", values, maxValues))
	}
	return found
}

// walk visits a JSON value and all that is in it, always in the same order. at is only lent.
func walk(value any, at []string, visit func(at []string, value any)) {
	visit(at, value)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			walk(value[name], append(at, name), visit)
		}
	case []any:
		for i, element := range value {
			walk(element, append(at, strconv.Itoa(i)), visit)
		}
	}
}

func usable(number string) bool {
	at := strings.IndexAny(number, "eE")
	if at < 0 {
		return len(number) <= maxDigits
	}
	exponent, err := strconv.Atoi(number[at+1:])
	return at <= maxDigits && err == nil && -maxExponent <= exponent && exponent <= maxExponent
}

// pointer writes a place as RFC 6901 does.
func pointer(tokens []string) string {
	var text strings.Builder
	for _, token := range tokens {
		text.WriteByte('/')
		text.WriteString(strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1"))
	}
	return text.String()
}

// cut shortens a text that somebody else has made.
func cut(text string) string {
	if len(text) <= maxTextLength {
		return text
	}
	return strings.ToValidUTF8(text[:maxTextLength], "") + "…"
}
