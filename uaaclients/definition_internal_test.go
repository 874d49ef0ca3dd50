package uaaclients

import (
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
)

func TestInterpolation(t *testing.T) {
	for _, test := range []struct {
		text, space string
		want        []string // nil: left out of an update
	}{
		{"", "s", []string{"otherwise"}},
		{" , ,", "s", []string{"otherwise"}},
		{"a", "", []string{"a"}},
		{"a,b", "s", []string{"a", "b"}},
		{" a , b ", "s", []string{"a", "b"}},
		{"ODB_SPACE_GUID", "s", []string{"s"}},
		{"a.ODB_SPACE_GUID.ODB_SPACE_GUID,ODB_SPACE_GUID.b", "s", []string{"a.s.s", "s.b"}},
		{"odb_space_guid", "s", []string{"odb_space_guid"}},
		{"a,ODB_SPACE_GUID", "", nil},
	} {
		// One table for the three lists, at creation and at update: they must be treated alike.
		d := Definition{Scopes: test.text, Authorities: test.text, ResourceIDs: test.text, AuthorizedGrantTypes: "client_credentials"}
		instance := Instance{ID: "i", SpaceGUID: test.space}
		updated := d.updated(instance, "")
		created, err := d.created(instance)
		if (err != nil) != (test.want == nil) {
			t.Errorf("%q in space %q: created with error %v", test.text, test.space, err)
		}
		for list, got := range map[string][]string{
			"scope": updated.Scope, "authorities": updated.Authorities, "resource ids": updated.ResourceIDs,
			"created scope": created.Scope, "created authorities": created.Authorities, "created resource ids": created.ResourceIDs,
		} {
			want := slices.Clone(test.want)
			if len(want) == 1 && want[0] == "otherwise" {
				want = []string{map[bool]string{true: "none", false: "uaa.none"}[strings.HasSuffix(list, "resource ids")]}
			}
			if !slices.Equal(got, want) || (got == nil) != (want == nil) {
				t.Errorf("%q in space %q: %s are %q, want %q", test.text, test.space, list, got, want)
			}
		}
	}
}

func TestGiven(t *testing.T) {
	for _, given := range []Definition{{Scopes: "a"}, {Authorities: "a"}, {AuthorizedGrantTypes: "a"}, {ResourceIDs: "a"}} {
		if !given.Given() {
			t.Errorf("%+v asks for clients", given)
		}
	}
	for _, not := range []Definition{{}, {Name: "a", AllowPublic: true}} {
		if not.Given() {
			t.Errorf("%+v asks for no clients", not)
		}
	}
}

func TestSecrets(t *testing.T) {
	const drawn = 4000
	seen := map[string]bool{}
	count := map[rune]int{}
	for range drawn {
		secret := newSecret()
		if len(secret) != 32 || seen[secret] || !strings.ContainsAny(secret, lowerCase) || !strings.ContainsAny(secret, upperCase) || !strings.ContainsAny(secret, digits) {
			t.Fatalf("a secret of %d characters, drawn before: %t, or one that lacks a kind", len(secret), seen[secret])
		}
		seen[secret] = true
		for _, character := range secret {
			count[character]++
		}
	}
	// Each of the 62 characters is expected 2065 times, with a deviation of 45: 300 is near seven of these, and a plain modulo,
	// by which the first eight characters come a quarter more often, is found.
	if len(count) != len(alphanumeric) {
		t.Errorf("%d characters came, want %d", len(count), len(alphanumeric))
	}
	for character, times := range count {
		if !strings.ContainsRune(alphanumeric, character) || times < 2065-300 || times > 2065+300 {
			t.Errorf("%q came %d times", character, times)
		}
	}
}

// A source that a test can set is the system's: cryptotest replaces what crypto/rand reads, and nothing else.
func TestSecretsAreDrawnFromTheSystemsRandomSource(t *testing.T) {
	drawn := func(seed uint64) string {
		cryptotest.SetGlobalRandom(t, seed)
		return newSecret()
	}
	first := drawn(1)
	if again := drawn(1); again != first {
		t.Error("with the same random bytes there is another secret: it is drawn from something else, too")
	}
	if drawn(2) == first {
		t.Error("with other random bytes there is the same secret")
	}
}

func TestRedaction(t *testing.T) {
	e := &exchange{token: "the-token", secrets: []string{"the-secret"}}
	if got := e.clean("the-secret with the-token - refused"); got != "<redacted> with <redacted> - refused" {
		t.Errorf("cleaned: %q", got)
	}
	e = &exchange{secrets: []string{"", publicSecret}}
	if got := e.clean("a-b"); got != "a-b" {
		t.Errorf("a text without secrets became %q", got)
	}
}
