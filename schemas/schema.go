package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is one JSON schema, ready to check parameters against. It is safe for concurrent use.
type Schema struct {
	// Document is the schema itself, for catalogs; its numbers are json.Number. It must not be changed.
	Document map[string]any

	compiled *jsonschema.Schema
}

// Unusable says all that is wrong with a schema.
type Unusable struct {
	// Problems are texts that begin with a JSON pointer into the schema.
	Problems []string
}

func (e *Unusable) Error() string { return strings.Join(e.Problems, "; ") }

const (
	// maxSchemaLength is what OSB 2.17 allows for one schema (Input Parameters Schema Object), in bytes without white space.
	maxSchemaLength = 64 << 10
	// schemaAddress stands for the schema itself when references in it are resolved.
	schemaAddress = "odb:///schema"
)

// drafts are the versions of JSON schema that can be used, by the address that $schema names them by. Cloud Foundry
// takes the first only.
func drafts() []string {
	return []string{
		"json-schema.org/draft-04/schema",
		"json-schema.org/draft-06/schema",
		"json-schema.org/draft-07/schema",
		"json-schema.org/draft/2019-09/schema",
		"json-schema.org/draft/2020-12/schema",
	}
}

// Compile makes a schema of its text. It reads no file and asks no network. The error is an *Unusable.
func Compile(text json.RawMessage) (*Schema, error) {
	compiled, found := compile(text)
	if len(found) > 0 {
		return nil, &Unusable{Problems: found.sorted().listed()}
	}
	return compiled, nil
}

func compile(text json.RawMessage) (*Schema, violations) {
	document, found := read(text)
	if len(found) > 0 {
		return nil, found
	}
	if found := append(checkDraft(document), uncheckable(document)...); len(found) > 0 {
		return nil, found
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(schemaAddress, document); err != nil {
		return nil, rootViolation(cut(err.Error()))
	}
	compiled, err := compiler.Compile(schemaAddress)
	if err != nil {
		return nil, compileProblems(document, err)
	}
	return &Schema{Document: document, compiled: compiled}, nil
}

func read(text json.RawMessage) (map[string]any, violations) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || string(trimmed) == "null" {
		return nil, rootViolation("is missing: there must be one, if only one that allows everything")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, rootViolation("is not valid JSON: " + err.Error())
	}
	if compact.Len() > maxSchemaLength {
		return nil, rootViolation(fmt.Sprintf("has %d bytes, more than the %d that platforms take", compact.Len(), maxSchemaLength))
	}
	value, err := jsonschema.UnmarshalJSON(&compact)
	if err != nil {
		return nil, rootViolation("is not valid JSON: " + err.Error())
	}
	document, isObject := value.(map[string]any)
	if !isObject {
		return nil, rootViolation("must be an object")
	}
	return document, nil
}

func checkDraft(document map[string]any) violations {
	at := []string{"$schema"}
	address, isText := document["$schema"].(string)
	if !isText {
		return violations{{pointer(at), "is missing: it must name the draft, as http://json-schema.org/draft-04/schema# does"}}
	}
	known := slices.ContainsFunc(drafts(), func(draft string) bool {
		plain := strings.TrimSuffix(address, "#")
		return plain == "http://"+draft || plain == "https://"+draft
	})
	if !known {
		return violations{{pointer(at), fmt.Sprintf("%s is none of the drafts 04, 06, 07, 2019-09 and 2020-12", cut(strconv.Quote(address)))}}
	}
	return nil
}

// noLoader keeps schemas from reading files or asking the network.
type noLoader struct{}

var errOutside = errors.New("references must stay inside the schema")

func (noLoader) Load(string) (any, error) { return nil, errOutside }

// compileProblems gives the compiler's error a place in the schema.
func compileProblems(document map[string]any, err error) violations {
	var invalid *jsonschema.SchemaValidationError
	var regex *jsonschema.InvalidRegexError
	var outside *jsonschema.LoadURLError
	var noPointer *jsonschema.JSONPointerNotFoundError
	var noAnchor *jsonschema.AnchorNotFoundError
	switch {
	case errors.As(err, &invalid):
		var breaches *jsonschema.ValidationError
		if errors.As(invalid.Err, &breaches) {
			return (reading{document}).of(breaches).below(fragmentOf(invalid.URL))
		}
	case errors.As(err, &regex):
		return violations{{placeOf(regex), "is not a regular expression in RE2 syntax"}}
	case errors.As(err, &outside):
		return references(document, outside.URL, "refers to something outside of the schema, which is not allowed")
	case errors.As(err, &noPointer):
		return references(document, noPointer.URL, "refers to a place that the schema doesn't have")
	case errors.As(err, &noAnchor):
		return references(document, noAnchor.Reference, "refers to a name that the schema doesn't have")
	}
	return rootViolation(cut(strings.ReplaceAll(err.Error(), schemaAddress, "")))
}

// placeOf adds the name that is the expression, where it is one.
func placeOf(regex *jsonschema.InvalidRegexError) string {
	at := fragmentOf(regex.URL)
	if strings.HasSuffix(at, "/patternProperties") {
		at += pointer([]string{regex.Regex})
	}
	return at
}

// fragmentOf is the JSON pointer that an address ends in.
func fragmentOf(address string) string {
	_, fragment, _ := strings.Cut(address, "#")
	if plain, err := url.PathUnescape(fragment); err == nil {
		return plain
	}
	return fragment
}

// references are the places in the schema that refer to the target.
func references(document map[string]any, target, what string) violations {
	base, err := url.Parse(schemaAddress)
	if err != nil {
		return rootViolation(what)
	}
	search := referenceSearch{target: withoutEmptyFragment(target), what: what}
	search.in(document, base, "")
	if len(search.found) == 0 {
		return rootViolation(what + ": " + strings.TrimPrefix(target, schemaAddress))
	}
	return search.found
}

type referenceSearch struct {
	target, what string
	found        violations
}

func (s *referenceSearch) in(value any, base *url.URL, at string) {
	switch value := value.(type) {
	case []any:
		for i, element := range value {
			s.in(element, base, at+"/"+strconv.Itoa(i))
		}
	case map[string]any:
		for _, key := range []string{"id", "$id"} { // of draft 04, and of the others
			if id, ok := value[key].(string); ok {
				base = resolved(base, id)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			place := at + pointer([]string{key})
			if text, ok := value[key].(string); ok && isReference(key) && s.isTarget(resolved(base, text)) {
				s.found = append(s.found, violation{place, s.what})
			}
			s.in(value[key], base, place)
		}
	}
}

func isReference(key string) bool {
	return key == "$ref" || key == "$dynamicRef" || key == "$recursiveRef" || key == "$schema"
}

// isTarget compares with the fragment if the target has one: what can't be loaded is named without.
func (s *referenceSearch) isTarget(address *url.URL) bool {
	if withoutEmptyFragment(address.String()) == s.target {
		return true
	}
	plain := *address
	plain.Fragment, plain.RawFragment = "", ""
	return plain.String() == s.target && plain.String() != schemaAddress
}

func withoutEmptyFragment(address string) string { return strings.TrimSuffix(address, "#") }

func resolved(base *url.URL, reference string) *url.URL {
	if parsed, err := url.Parse(reference); err == nil {
		return base.ResolveReference(parsed)
	}
	return base
}
