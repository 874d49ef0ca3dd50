package schemas

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// schemaOf compiles a schema of the newest draft, but for draft 04 where it is named.
func schemaOf(t testing.TB, members string) *Schema {
	t.Helper()
	text := `{"$schema":"https://json-schema.org/draft/2020-12/schema",` + members + `}`
	if strings.HasPrefix(members, `"$schema"`) {
		text = `{` + members + `}`
	}
	s, err := Compile(json.RawMessage(text))
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	return s
}

func TestViolationsSayWhatIsWanted(t *testing.T) {
	const draft4 = `"$schema":"http://json-schema.org/draft-04/schema#",`
	x := func(schema string) string { return `"properties":{"x":` + schema + `}` }
	for _, c := range []struct {
		schema, parameters string
		says               []string
	}{
		{x(`{"type":"integer"}`), `{"x":"hush"}`, []string{"/x: must be integer, not string"}},
		{x(`{"type":["string","null"]}`), `{"x":77}`, []string{"/x: must be null or string, not number"}},
		{x(`{"enum":["a",1,{"b":2}]}`), `{"x":"hush"}`, []string{`/x: must be one of "a", 1, {"b":2}`}},
		{x(`{"const":"a"}`), `{"x":"hush"}`, []string{`/x: must be "a"`}},
		{draft4 + x(`{"format":"ipv4"}`), `{"x":"hush"}`, []string{`/x: must have the format "ipv4"`}},
		{draft4 + x(`{"format":"regex"}`), `{"x":"(hush"}`, []string{`/x: must be a regular expression in RE2 syntax`}},
		{x(`{"minLength":5}`), `{"x":"hush"}`, []string{"/x: must have at least 5 characters"}},
		{x(`{"maxLength":3}`), `{"x":"hush"}`, []string{"/x: must have at most 3 characters"}},
		{x(`{"pattern":"^[0-9]+$"}`), `{"x":"hush"}`, []string{"/x: must match the pattern ^[0-9]+$"}},
		{x(`{"minimum":1}`), `{"x":-77}`, []string{"/x: must be >= 1"}},
		{x(`{"maximum":1.25}`), `{"x":77}`, []string{"/x: must be <= 1.25"}},
		{x(`{"exclusiveMinimum":1e30}`), `{"x":77}`, []string{"/x: must be > 1e+30"}},
		{draft4 + x(`{"maximum":9007199254740993,"exclusiveMaximum":true}`), `{"x":9007199254740993}`, []string{"/x: must be < 9007199254740993"}},
		{x(`{"multipleOf":0.1}`), `{"x":77.77}`, []string{"/x: must be a multiple of 0.1"}},
		{x(`{"minItems":2}`), `{"x":["hush"]}`, []string{"/x: must have at least 2 elements"}},
		{x(`{"maxItems":1}`), `{"x":["hush",1]}`, []string{"/x: must have at most 1 elements"}},
		{draft4 + x(`{"items":[{}],"additionalItems":false}`), `{"x":["hush",1,2]}`, []string{"/x: has 2 elements too many"}},
		{x(`{"uniqueItems":true}`), `{"x":["hush",1,"hush"]}`, []string{"/x: must not have equal elements, as 0 and 2 are"}},
		{x(`{"contains":{"type":"null"}}`), `{"x":["hush"]}`, []string{"/x: must have an element of the kind that the schema wants (contains)"}},
		{x(`{"contains":{"type":"null"},"minContains":2}`), `{"x":["hush"]}`, []string{"/x: must have at least 2 elements of the kind that the schema wants (contains)"}},
		{x(`{"contains":{"type":"string"},"maxContains":1}`), `{"x":["hush","hush"]}`, []string{"/x: must have at most 1 elements of the kind that the schema wants (contains)"}},
		{x(`{"not":{"type":"string"}}`), `{"x":"hush"}`, []string{"/x: must not be what the schema excludes (not)"}},
		{x(`false`), `{"x":"hush"}`, []string{"/x: is not allowed"}},
		{x(`{"anyOf":[{"type":"integer"},{"properties":{"y":{"minimum":3}},"required":["z"]}]}`), `{"x":{"y":2}}`,
			[]string{"/x: must fulfil at least one of these: (must be integer, not object) or (/x/y: must be >= 3 and /x/z: is missing)"}},
		{x(`{"oneOf":[{"type":"integer"},{"type":"null"}]}`), `{"x":"hush"}`, []string{"/x: must fulfil exactly one of these: (must be integer, not string) or (must be null, not string)"}},
		{x(`{"oneOf":[{"type":"string"},{"minLength":1}]}`), `{"x":"hush"}`, []string{"/x: must fulfil exactly one of the schema's alternatives (oneOf), and fulfils both 1 and 2"}},
		{x(`{"allOf":[{"minLength":9},{"pattern":"x"}]}`), `{"x":"hush"}`, []string{"/x: must have at least 9 characters", "/x: must match the pattern x"}},
		{x(`{"if":{"type":"string"},"then":{"minLength":9},"else":false}`), `{"x":"hush"}`, []string{"/x: must have at least 9 characters"}},
		{`"minProperties":1`, `{}`, []string{"(root): must have at least 1 members"}},
		{`"maxProperties":1`, `{"a":1,"b":2}`, []string{"(root): must have at most 1 members"}},
		{`"required":["a","b/c"]`, `{}`, []string{"/a: is missing", "/b~1c: is missing"}},
		{`"additionalProperties":false`, `{"b":"hush","a":1}`, []string{"/a: is not allowed", "/b: is not allowed"}},
		{`"unevaluatedProperties":false,"properties":{"a":{}}`, `{"b":"hush","a":1}`, []string{"/b: is not allowed"}},
		{`"dependentRequired":{"a":["b","c"]}`, `{"a":"hush"}`, []string{`/b: is missing: it goes with "a"`, `/c: is missing: it goes with "a"`}},
		{draft4 + `"dependencies":{"a":["b"]}`, `{"a":"hush"}`, []string{`/b: is missing: it goes with "a"`}},
		{`"propertyNames":{"maxLength":1}`, `{"ab":"hush"}`, []string{"/ab: has a name that is not allowed"}},
		{`"additionalProperties":{"properties":{"o":{"propertyNames":{"maxLength":1}}}}`, `{"a":{"o":{"ab":"hush"}},"b":{"o":{"c":1}},"c":{"o":{"d":1}}}`, []string{"/a/o/ab: has a name that is not allowed"}},
		{x(`{"$ref":"#/$defs/o"},"w":{"$ref":"#/$defs/o"}`) + `,"$defs":{"o":{"type":"object","required":["k"]}}`, `{"x":{},"w":"hush"}`, []string{"/w: must be object, not string", "/x/k: is missing"}},
		{x(`{"$ref":"#/$defs/o"}`) + `,"$defs":{"o":{"$ref":"#/$defs/o"}}`, `{"x":"hush"}`, []string{"/x: can't be checked: the schema refers to itself without end"}},
		{`"title":"t"`, `{"x":1e999999,"y":[1E-99999999999999999999],"z":1e300}`, []string{"/x: is a number of more digits than can be checked", "/y/0: is a number of more digits than can be checked"}},
		{`"title":"t"`, `{"x":` + strings.Repeat("9", 401) + `}`, []string{"/x: is a number of more digits than can be checked"}},
		{`"title":"t"`, strings.Repeat(`{"x":`, 5000) + `1` + strings.Repeat(`}`, 5000), []string{strings.Repeat("/x", 101) + ": is nested deeper than can be checked"}},
		{`"title":"t"`, `{"x":[` + strings.Repeat("77,", 30000) + `1]}`, []string{"(root): has 30003 values, more than the 20000 that can be checked"}},
		{`"title":"t"`, `{`, []string{"(root): is not valid JSON"}},
	} {
		g := NewWithT(t)
		s := schemaOf(t, c.schema)
		for range 5 { // the library looks at members in random order
			texts := s.Violations([]byte(c.parameters))
			g.Expect(texts).To(Equal(c.says), c.schema)
			g.Expect(strings.Join(texts, "")).NotTo(Or(ContainSubstring("hush"), ContainSubstring("77")), c.schema)
		}
	}
}

func TestManyViolationsAreCut(t *testing.T) {
	g := NewWithT(t)
	parameters := map[string]int{}
	for i := range 25 {
		parameters[fmt.Sprintf("%02d", i)] = i
	}
	parameters[strings.Repeat("é", 1000)] = 1
	text, err := json.Marshal(parameters)
	g.Expect(err).NotTo(HaveOccurred())
	texts := schemaOf(t, `"additionalProperties":false`).Violations(text)
	g.Expect(texts).To(HaveLen(maxListed + 1))
	g.Expect(texts[0]).To(Equal("/00: is not allowed"))
	g.Expect(texts[maxListed]).To(Equal("and 6 more"))

	long := schemaOf(t, `"additionalProperties":false`).Violations([]byte(`{"` + strings.Repeat("é", 1000) + `":1}`))
	g.Expect(long[0]).To(And(HavePrefix("/éé"), HaveSuffix("é…: is not allowed")))
	g.Expect(len(long[0])).To(BeNumerically("<", 2*maxTextLength))
}

// FuzzParameters looks for parameters that the check doesn't survive, or whose verdict isn't always the same.
func FuzzParameters(f *testing.F) {
	for _, seed := range []string{`{}`, `{"n":1e400}`, `{"n":1E+99999999}`, `{"s":"\ud800"}`, `{"l":[1,[2,[3]]]}`, `{"o":{"o":{"o":{}}}}`, `{"":{"~/":0}}`, `[]`, `-0`, `{"l":[1,1.0,1e0]}`} {
		f.Add(seed)
	}
	s := schemaOf(f, `"properties":{"n":{"type":"integer","minimum":1,"multipleOf":0.3},"s":{"minLength":2,"pattern":"^a"},
		"l":{"uniqueItems":true,"items":{"$ref":"#/$defs/item"},"contains":{"const":3}},"o":{"$ref":"#"}},
		"propertyNames":{"maxLength":5},"patternProperties":{"^x":{"enum":[1,"a",null]}},"unevaluatedProperties":false,
		"dependentRequired":{"n":["s"]},"anyOf":[{"required":["n"]},{"maxProperties":3}],
		"$defs":{"item":{"oneOf":[{"type":"array","items":{"$ref":"#/$defs/item"}},{"type":"number"}]}}`)
	f.Fuzz(func(t *testing.T, parameters string) {
		once, again := s.Violations([]byte(parameters)), s.Violations([]byte(parameters))
		if strings.Join(once, "\n") != strings.Join(again, "\n") {
			t.Fatalf("%q: once %q, then %q", parameters, once, again)
		}
	})
}

// FuzzSchema looks for schemas that the compiler doesn't survive, or that are taken and then can't be used.
func FuzzSchema(f *testing.F) {
	for _, members := range []string{``, `,"$ref":"#"`, `,"id":"%"`, `,"multipleOf":0`, `,"minLength":1e30`, `,"$ref":"/etc/passwd"`, `,"$ref":":"`, `,"definitions":{"a":{"$ref":"#/definitions/a"}},"not":{"$ref":"#/definitions/a"}`} {
		f.Add(`{"$schema":"http://json-schema.org/draft-04/schema#"` + members + `}`)
		f.Add(`{"$schema":"https://json-schema.org/draft/2020-12/schema"` + members + `}`)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Compile(json.RawMessage(text))
		if (s == nil) != (err != nil) {
			t.Fatalf("%q: schema %v, error %v", text, s, err)
		}
		if s != nil {
			s.Violations([]byte(`{"a":[1,"x",{"b":null}],"n":1.5}`))
		}
	})
}
