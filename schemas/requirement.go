package schemas

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// reading turns what the validator found into violations, in words of ours: the library's quote the value.
type reading struct {
	whole any // the value that was validated
}

func (r reading) of(e *jsonschema.ValidationError) violations {
	var all violations
	switch e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.AllOf, *kind.Reference: // what is wrong is in the causes
		for _, cause := range e.Causes {
			all = append(all, r.of(cause)...)
		}
		return all
	}
	here := pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return each(here, k.Missing, "is missing")
	case *kind.Dependency:
		return each(here, k.Missing, fmt.Sprintf("is missing: it goes with %q", cut(k.Prop)))
	case *kind.DependentRequired:
		return each(here, k.Missing, fmt.Sprintf("is missing: it goes with %q", cut(k.Prop)))
	case *kind.AdditionalProperties:
		return each(here, k.Properties, "is not allowed")
	case *kind.PropertyNames:
		return each(pointer(r.owner(e.InstanceLocation, k.Property)), []string{k.Property}, "has a name that is not allowed")
	case *kind.AnyOf:
		return violations{{here, "must fulfil at least one of these: " + r.alternatives(here, e.Causes)}}
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return violations{{here, fmt.Sprintf("must fulfil exactly one of the schema's alternatives (oneOf), and fulfils both %d and %d", k.Subschemas[0]+1, k.Subschemas[1]+1)}}
		}
		return violations{{here, "must fulfil exactly one of these: " + r.alternatives(here, e.Causes)}}
	}
	return violations{{here, requirement(e.ErrorKind)}}
}

// each has one violation for each member of the object.
func each(object string, members []string, what string) violations {
	all := make(violations, 0, len(members))
	for _, name := range members {
		all = append(all, violation{object + pointer([]string{name}), what})
	}
	return all
}

// alternatives says what each of them wants.
func (r reading) alternatives(here string, causes []*jsonschema.ValidationError) string {
	texts := make([]string, 0, len(causes))
	for _, cause := range causes {
		var parts []string
		for _, v := range r.of(cause).sorted() {
			if v.pointer == here {
				parts = append(parts, v.what)
			} else {
				parts = append(parts, v.String())
			}
		}
		texts = append(texts, "("+strings.Join(parts, " and ")+")")
	}
	return cut(strings.Join(texts, " or "))
}

// owner is the object that has the property. The library reports the place of a refused name in memory that it uses again, so
// that it may be another object's by now: then it is the first at the same depth that has such a property.
func (r reading) owner(reported []string, property string) []string {
	var owners [][]string
	walk(r.whole, nil, func(at []string, value any) {
		object, _ := value.(map[string]any)
		if _, has := object[property]; has && len(at) == len(reported) {
			owners = append(owners, slices.Clone(at))
		}
	})
	isReported := func(at []string) bool { return slices.Equal(at, reported) }
	if len(owners) == 0 || slices.ContainsFunc(owners, isReported) {
		return reported
	}
	return owners[0]
}

// requirement says what the schema wants of a value that doesn't fulfil it.
func requirement(broken jsonschema.ErrorKind) string {
	switch k := broken.(type) {
	case *kind.Type:
		return fmt.Sprintf("must be %s, not %s", strings.Join(k.Want, " or "), k.Got)
	case *kind.Enum:
		return "must be one of " + jsonList(k.Want)
	case *kind.Const:
		return "must be " + jsonList([]any{k.Want})
	case *kind.Format:
		if k.Want == "regex" {
			return "must be a regular expression in RE2 syntax"
		}
		return fmt.Sprintf("must have the format %q", k.Want)
	case *kind.Not:
		return "must not be what the schema excludes (not)"
	case *kind.FalseSchema:
		return "is not allowed"
	case *kind.RefCycle:
		return "can't be checked: the schema refers to itself without end"
	}
	if text := ofObjectOrList(broken); text != "" {
		return text
	}
	if text := ofTextOrNumber(broken); text != "" {
		return text
	}
	return fmt.Sprintf("does not fulfil the schema's %q", strings.Join(broken.KeywordPath(), "/"))
}

func ofObjectOrList(broken jsonschema.ErrorKind) string {
	switch k := broken.(type) {
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %d members", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have at most %d members", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d elements", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d elements", k.Want)
	case *kind.AdditionalItems:
		return fmt.Sprintf("has %d elements too many", k.Count)
	case *kind.UniqueItems:
		return fmt.Sprintf("must not have equal elements, as %d and %d are", k.Duplicates[0], k.Duplicates[1])
	case *kind.Contains:
		return "must have an element of the kind that the schema wants (contains)"
	case *kind.MinContains:
		return fmt.Sprintf("must have at least %d elements of the kind that the schema wants (contains)", k.Want)
	case *kind.MaxContains:
		return fmt.Sprintf("must have at most %d elements of the kind that the schema wants (contains)", k.Want)
	}
	return ""
}

func ofTextOrNumber(broken jsonschema.ErrorKind) string {
	switch k := broken.(type) {
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.Pattern:
		return "must match the pattern " + cut(k.Want)
	case *kind.Minimum:
		return "must be >= " + decimal(k.Want)
	case *kind.Maximum:
		return "must be <= " + decimal(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be > " + decimal(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be < " + decimal(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + decimal(k.Want)
	}
	return ""
}

// decimal writes a number of a schema as exactly as a reader needs it.
func decimal(number *big.Rat) string {
	if digits, exact := number.FloatPrec(); exact && digits <= 10 && number.Num().BitLen() <= 64 {
		return number.FloatString(digits)
	}
	approximate, _ := number.Float64()
	return fmt.Sprint(approximate)
}

// jsonList writes values of a schema.
func jsonList(values []any) string {
	texts := make([]string, 0, len(values))
	for _, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return "the schema's values"
		}
		texts = append(texts, string(text))
	}
	return cut(strings.Join(texts, ", "))
}
