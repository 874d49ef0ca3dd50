package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const anything = `{"$schema":"http://json-schema.org/draft-04/schema#"}`

// addresses are those by which schemas name their draft.
var addresses = []string{
	"http://json-schema.org/draft-04/schema#",
	"http://json-schema.org/draft-04/schema",
	"https://json-schema.org/draft-04/schema#",
	"http://json-schema.org/draft-06/schema#",
	"http://json-schema.org/draft-07/schema#",
	"https://json-schema.org/draft/2019-09/schema",
	"https://json-schema.org/draft/2020-12/schema",
}

func TestDraftsAreRead(t *testing.T) {
	for _, draft := range addresses {
		g := NewWithT(t)
		s, err := Compile(json.RawMessage(fmt.Sprintf(`{"$schema":%q,"type":"object","properties":{"n":{"$ref":"#/definitions/n"}},"definitions":{"n":{"type":"integer","minimum":1}}}`, draft)))
		g.Expect(err).NotTo(HaveOccurred(), draft)
		g.Expect(s.Violations([]byte(`{"n":1}`))).To(BeEmpty(), draft)
		g.Expect(s.Violations([]byte(`{"n":0}`))).To(Equal([]string{"/n: must be >= 1"}), draft)
	}
}

func TestWhatOnlyOneDraftKnows(t *testing.T) {
	for _, c := range []struct{ draft, schema, breaks string }{
		{addresses[0], `{"maximum":3,"exclusiveMaximum":true}`, `3`},
		{addresses[3], `{"const":1}`, `2`},
		{addresses[4], `{"if":{"minimum":3},"then":{"multipleOf":2}}`, `5`},
		{addresses[5], `{"dependentRequired":{"a":["b"]}}`, `{"a":1}`},
		{addresses[6], `{"prefixItems":[{"type":"string"}]}`, `[1]`},
	} {
		g := NewWithT(t)
		s, err := Compile(json.RawMessage(fmt.Sprintf(`{"$schema":%q,"properties":{"x":%s}}`, c.draft, c.schema)))
		g.Expect(err).NotTo(HaveOccurred(), c.schema)
		g.Expect(s.Violations([]byte(`{"x":`+c.breaks+`}`))).NotTo(BeEmpty(), c.schema)
	}
}

func TestUnusableSchemasAreRefusedWithThePlace(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(secret, []byte(anything), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(members string) string {
		return `{"$schema":"http://json-schema.org/draft-04/schema#",` + members + `}`
	}
	for name, c := range map[string]struct {
		schema string
		says   []string
	}{
		"none":                         {``, []string{"(root): is missing: there must be one"}},
		"null":                         {`null`, []string{"(root): is missing"}},
		"no JSON":                      {`{"$schema":`, []string{"(root): is not valid JSON"}},
		"no object":                    {`true`, []string{"(root): must be an object"}},
		"no draft":                     {`{}`, []string{"/$schema: is missing: it must name the draft"}},
		"a draft that is no text":      {`{"$schema":4}`, []string{"/$schema: is missing"}},
		"a draft that is too old":      {`{"$schema":"http://json-schema.org/draft-03/schema#"}`, []string{`/$schema: "http://json-schema.org/draft-03/schema#" is none of the drafts`}},
		"a draft of one's own":         {`{"$schema":"https://example.com/schema#"}`, []string{`/$schema: "https://example.com/schema#" is none`}},
		"a draft without its scheme":   {`{"$schema":"json-schema.org/draft-04/schema"}`, []string{`/$schema: "json-schema.org`}},
		"one byte too many":            {with(`"title":"` + strings.Repeat("x", maxSchemaLength+1-len(with(`"title":""`))) + `"`), []string{"(root): has 65537 bytes, more than the 65536"}},
		"a type that doesn't exist":    {with(`"properties":{"a":{"type":"text"}}`), []string{`/properties/a/type: must fulfil at least one of these: (must be one of "array", "boolean"`}},
		"several faults":               {with(`"properties":{"a":{"minimum":"x"},"b":{"required":true}}`), []string{"/properties/a/minimum: must be number, not string", "/properties/b/required: must be array, not boolean"}},
		"a pattern that can't be read": {with(`"properties":{"a":{"pattern":"(?=x)"}}`), []string{"/properties/a/pattern: must be a regular expression in RE2 syntax"}},
		"a name pattern that can't be": {with(`"patternProperties":{"(?=x)":{}}`), []string{"/patternProperties/(?=x): is not a regular expression in RE2 syntax"}},
		"a reference to the network":   {with(`"properties":{"a/b":{"$ref":"https://example.com/x.json#/y"}}`), []string{"/properties/a~1b/$ref: refers to something outside of the schema, which is not allowed"}},
		"a reference to a file":        {with(`"items":[{},{"$ref":"file://` + secret + `"}]`), []string{"/items/1/$ref: refers to something outside"}},
		"a reference to a path":        {with(`"not":{"$ref":"` + secret + `"}`), []string{"/not/$ref: refers to something outside"}},
		"a relative reference":         {with(`"id":"https://example.com/dir/me.json","not":{"$ref":"other.json"}`), []string{"/not/$ref: refers to something outside"}},
		"a reference to nothing":       {with(`"allOf":[{"$ref":"#/definitions/a"}]`), []string{"/allOf/0/$ref: refers to a place that the schema doesn't have"}},
		"a reference to no name":       {with(`"allOf":[{"$ref":"#a"}]`), []string{"/allOf/0/$ref: refers to a name that the schema doesn't have"}},
		"two parts of one name":        {with(`"definitions":{"a":{"id":"x"},"b":{"id":"x"}}`), []string{`duplicate id`}},
		"a part of a foreign draft":    {`{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"a":{"$id":"x","$schema":"https://example.com/s"}}}`, []string{"/$defs/a/$schema: refers to something outside"}},
		"a number beyond all bounds":   {with(`"properties":{"a":{"multipleOf":1e2000000}}`), []string{"/properties/a/multipleOf: is a number of more digits"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := Compile(json.RawMessage(c.schema))
			var unusable *Unusable
			g.Expect(errors.As(err, &unusable)).To(BeTrue())
			g.Expect(unusable.Problems).To(HaveLen(len(c.says)), err.Error())
			for i, text := range unusable.Problems {
				g.Expect(text).To(ContainSubstring(c.says[i]))
				g.Expect(text).NotTo(ContainSubstring(schemaAddress), "it is a name of ours")
			}
		})
	}
}

func TestReferencesInsideAreFine(t *testing.T) {
	for _, text := range []string{
		`{"$schema":"http://json-schema.org/draft-04/schema#","id":"https://example.com/me.json","definitions":{"a":{"type":"integer"}},"properties":{"a":{"$ref":"me.json#/definitions/a"}}}`,
		`{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"$id":"#name","type":"integer"}},"properties":{"a":{"$ref":"#name"}}}`,
		`{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"a":{"$id":"https://example.com/a","type":"integer"}},"properties":{"a":{"$ref":"https://example.com/a"}}}`,
		`{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"type":"integer"},"$ref":{"type":"string"}},"default":{"$ref":"https://example.com/not-a-reference"}}`,
	} {
		g := NewWithT(t)
		s, err := Compile(json.RawMessage(text))
		g.Expect(err).NotTo(HaveOccurred(), text)
		g.Expect(s.Violations([]byte(`{"a":"x"}`))).To(Equal([]string{"/a: must be integer, not string"}), text)
	}
}

func TestTheLengthOfASchemaIsThatOfWhatIsSent(t *testing.T) {
	g := NewWithT(t)
	_, err := Compile(json.RawMessage(`{"$schema":"http://json-schema.org/draft-04/schema#"` + strings.Repeat(" ", 2*maxSchemaLength) + `}`))
	g.Expect(err).NotTo(HaveOccurred())
}
