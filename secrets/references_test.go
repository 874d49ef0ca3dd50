package secrets_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/secrets"
)

func TestParseReferences(t *testing.T) {
	ref := func(literal, name string, keys ...string) secrets.Reference {
		return secrets.Reference{Literal: literal, Name: name, Keys: append([]string{}, keys...)}
	}
	for text, want := range map[string][]secrets.Reference{
		"":                              nil,
		"name: x":                       nil,
		"a: ((pw))":                     {ref("((pw))", "pw")},
		"a: ((!pw))":                    {ref("((!pw))", "pw")},
		"a: ((pw)), b: ((!pw))":         {ref("((pw))", "pw"), ref("((!pw))", "pw")},
		"a: ((pw))\nb: x((pw))y":        {ref("((pw))", "pw")},
		"((cert.ca)) ((cert.key.x))":    {ref("((cert.ca))", "cert", "ca"), ref("((cert.key.x))", "cert", "key", "x")},
		"((/a/b-c_d))((/a/b.c.d))":      {ref("((/a/b-c_d))", "/a/b-c_d"), ref("((/a/b.c.d))", "/a/b", "c", "d")},
		"# in a comment ((c))":          {ref("((c))", "c")},
		"((übung))":                     {ref("((übung))", "übung")},
		"(((a)))":                       {ref("((a))", "a")},
		"((a((b))":                      {ref("((b))", "b")},
		"((a)) (b)) ((c) ((d))":         {ref("((a))", "a"), ref("((d))", "d")},
		"((odb_secret:pw))":             nil,
		"((a b)) (( a )) ((a\nb)) (())": nil,
		"((a.)) ((.a)) ((a..b)) ((.))":  nil,
		"((!)) ((!!a)) ((a!))":          nil,
		"$((i+1)) $((i * 2))":           nil,
	} {
		if got := secrets.ParseReferences(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

func FuzzParseReferences(f *testing.F) {
	for _, seed := range []string{"a: ((b))", "((/a/b.c))((!x))", "(((a((b.c))))", "((ü))", "((a..b)) ((.a))", "((odb_secret:x))"} {
		f.Add(seed)
	}
	inside := regexp.MustCompile(`^\(\([^()\s:]+\)\)$`)
	f.Fuzz(func(t *testing.T, text string) {
		known := map[string]bool{}
		for _, reference := range secrets.ParseReferences(text) {
			whole := "((" + strings.Join(append([]string{reference.Name}, reference.Keys...), ".") + "))"
			spelled := strings.Replace(reference.Literal, "((!", "((", 1) == whole
			if known[reference.Literal] || !strings.Contains(text, reference.Literal) || !inside.MatchString(reference.Literal) || !spelled || reference.Name == "" {
				t.Fatalf("%q: %q", text, reference)
			}
			known[reference.Literal] = true
		}
		added := "fuzz-" + fmt.Sprint(len(text))
		if !strings.Contains(text, added) && !strings.HasSuffix(text, "(") {
			if found := secrets.ParseReferences(text + "((" + added + ".k))"); len(found) != len(known)+1 {
				t.Fatalf("%q: %d references, then %d", text, len(known), len(found))
			}
		}
	})
}
