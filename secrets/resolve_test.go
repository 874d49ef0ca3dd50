package secrets_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

// library answers by version id or name.
type library struct {
	byID, byName map[string]string
	failure      error
	calls        atomic.Int32
	now, most    atomic.Int32
}

func (l *library) read(texts map[string]string, key string) (secrets.Credential, error) {
	l.calls.Add(1)
	for now := l.now.Add(1); ; {
		most := l.most.Load()
		if now <= most || l.most.CompareAndSwap(most, now) {
			break
		}
	}
	defer l.now.Add(-1)
	if l.failure != nil {
		return secrets.Credential{}, l.failure
	}
	text, ok := texts[key]
	if !ok {
		return secrets.Credential{}, secrets.ErrNotFound
	}
	return secrets.Credential{Value: json.RawMessage(text)}, nil
}

func (l *library) ByID(_ context.Context, id string) (secrets.Credential, error) {
	return l.read(l.byID, id)
}

func (l *library) Latest(_ context.Context, name string) (secrets.Credential, error) {
	return l.read(l.byName, name)
}

func TestResolve(t *testing.T) {
	reader := func() *library {
		return &library{
			byID: map[string]string{
				"1": `"generated"`, "2": `{"ca":"CA","n":12345678901234567890,"deep":{"list":[1,"a"],"no":null}}`, "3": `"pinned"`,
				"4": `"other deployment's"`, "5": `"dotted"`, "6": `"newer"`, "7": `["a",{"b":1}]`, "8": `not JSON`,
			},
			byName: map[string]string{"/abs/plain": `"latest"`, "/abs/user": `{"name":"n","f":1.50,"t":true,"<":"&"}`, "/abs/pinned": `"unpinned"`},
		}
	}
	variables := []secrets.Variable{
		{ID: "4", Name: "/director/other/pw"}, {ID: "1", Name: "/director/dep/pw"}, {ID: "2", Name: "/director/dep/cert"},
		{ID: "3", Name: "/abs/pinned"}, {ID: "5", Name: "/abs/with.dot"}, {ID: "6", Name: "/abs/pinned"}, {ID: "7", Name: "/director/dep/list"},
		{ID: "8", Name: "/director/dep/broken"}, {ID: "99", Name: "/director/dep/gone"}, {ID: "3", Name: "/shared/only"},
	}
	for reference, want := range map[string]string{
		"((pw))":                    "generated",
		"((!pw))":                   "generated",
		"((/director/dep/pw))":      "generated",
		"((/director/other/pw))":    "other deployment's",
		"((cert))":                  `{"ca":"CA","deep":{"list":[1,"a"],"no":null},"n":12345678901234567890}`,
		"((cert.ca))":               "CA",
		"((cert.n))":                "12345678901234567890",
		"((cert.deep.list))":        `[1,"a"]`,
		"((cert.deep.no))":          "null",
		"((/director/dep/cert.ca))": "CA",
		"((list))":                  `["a",{"b":1}]`,
		"((only))":                  "pinned",
		"((/abs/plain))":            "latest",
		"((/abs/user))":             `{"\u003c":"\u0026","f":1.50,"name":"n","t":true}`,
		"((/abs/user.name))":        "n",
		"((/abs/user.t))":           "true",
		"((/abs/pinned))":           "pinned",
		"((/abs/with.dot))":         "dotted",
	} {
		got := secrets.Resolve(context.Background(), reader(), secrets.Manifest{Text: "x: " + reference + "\n", Deployment: "dep", Variables: variables})
		if len(got.Unresolved) != 0 || len(got.Values) != 1 || got.Values[reference] != want {
			t.Errorf("%s: %q, %v", reference, map[string]string(got.Values), got.Unresolved)
		}
	}
	for reference, want := range map[string]error{
		"((unknown))":          secrets.ErrNoVariable,
		"((w))":                secrets.ErrNoVariable,
		"((/abs/unknown))":     secrets.ErrNotFound,
		"((/abs/unknown.key))": secrets.ErrNotFound,
		"((gone))":             secrets.ErrNotFound,
		"((pw.key))":           secrets.ErrNoField,
		"((cert.key))":         secrets.ErrNoField,
		"((cert.ca.key))":      secrets.ErrNoField,
		"((cert.deep.no.key))": secrets.ErrNoField,
		"((list.0))":           secrets.ErrNoField,
		"((broken))":           nil,
	} {
		got := secrets.Resolve(context.Background(), reader(), secrets.Manifest{Text: reference + " ((/abs/plain))", Deployment: "dep", Variables: variables})
		switch {
		case len(got.Values) != 1 || len(got.Unresolved) != 1 || got.Unresolved[0].Reference != reference:
			t.Errorf("%s: %q, %v", reference, map[string]string(got.Values), got.Unresolved)
		case want != nil && !errors.Is(got.Unresolved[0].Cause, want):
			t.Errorf("%s: %v", reference, got.Unresolved[0].Cause)
		case got.Unavailable() != nil:
			t.Errorf("%s: %v", reference, got.Unavailable())
		}
	}
}

func TestResolveReadsEachCredentialOnceAndAFewAtATime(t *testing.T) {
	reader := &library{byName: map[string]string{}}
	var text strings.Builder
	for i := range 40 {
		name := fmt.Sprintf("/abs/n%d", i)
		reader.byName[name] = `{"a":"1","b":"2"}`
		fmt.Fprintf(&text, "x: ((%s.a)) ((%s.b)) ((%s)) ((!%s.a)) ((%s.c))\n", name, name, name, name, name)
	}
	got := secrets.Resolve(context.Background(), reader, secrets.Manifest{Text: text.String()})
	if len(got.Values) != 160 || len(got.Unresolved) != 40 || reader.calls.Load() != 40 || reader.most.Load() > 8 {
		t.Errorf("%d values, %d unresolved, %d reads, %d at a time", len(got.Values), len(got.Unresolved), reader.calls.Load(), reader.most.Load())
	}
	if got.Unresolved[0].Reference != "((/abs/n0.c))" || got.Unresolved[39].Reference != "((/abs/n39.c))" {
		t.Errorf("not in order: %v", got.Unresolved)
	}
}

func TestResolvedTellsFailureFromAbsence(t *testing.T) {
	for _, failure := range []error{&secrets.Unavailable{Op: "x", Cause: errors.New("y")}, secrets.ErrUnauthorized} {
		got := secrets.Resolve(context.Background(), &library{failure: failure}, secrets.Manifest{Text: "((/a)) ((b))"})
		if !errors.Is(got.Unavailable(), failure) || len(got.Values) != 0 || len(got.Unresolved) != 2 {
			t.Errorf("%v, %q", got.Unavailable(), got.Values)
		}
	}
}

func TestValuesAreNotShown(t *testing.T) {
	values := secrets.Values{"((a))": "hidden"}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "values", values)
	logger.Info("x", "resolved", secrets.Resolved{Values: values})
	text := log.String() + fmt.Sprintf("%v %+v %#v %s %q %v %#v", values, values, values, values, values, secrets.Resolved{Values: values}, secrets.Resolved{Values: values})
	if strings.Contains(text, "hidden") || !strings.Contains(text, "((a))") {
		t.Error(text)
	}
	plain := map[string]string{}
	maps.Copy(plain, values)
	if plain["((a))"] != "hidden" {
		t.Error("the values are lost")
	}
}

var _ = Describe("resolving against CredHub", func() {
	It("takes the version that the deployment uses, and the latest of what is not listed", func() {
		credhub, client := startConnected()
		deployed := credhub.Put("/d/dep/pw", "password", `"deployed"`)
		credhub.Put("/d/dep/pw", "password", `"regenerated"`)
		credhub.Put("/d/dep/tls", "certificate", `{"ca":"CA","certificate":"CERT","private_key":"KEY"}`)
		certificate := credhub.Put("/d/dep/tls", "certificate", `{"ca":"CA2","certificate":"CERT2","private_key":"KEY2"}`)
		credhub.Put("/mine/user", "json", `{"name":"n","tags":["a"]}`)
		got := client.Resolve(ctx, secrets.Manifest{
			Text:       "a: ((pw)) ((tls.ca))\nb: ((/mine/user.name)) ((/mine/user.tags)) ((/mine/none))\n",
			Deployment: "dep",
			Variables:  []secrets.Variable{{ID: deployed, Name: "/d/dep/pw"}, {ID: certificate, Name: "/d/dep/tls"}},
		})
		Expect(got.Values).To(Equal(secrets.Values{
			"((pw))": "deployed", "((tls.ca))": "CA2", "((/mine/user.name))": "n", "((/mine/user.tags))": `["a"]`,
		}))
		Expect(got.Unresolved).To(HaveExactElements(HaveField("Reference", "((/mine/none))")))
		Expect(got.Unavailable()).NotTo(HaveOccurred())
	})

	It("tells that CredHub could not be asked", func() {
		credhub, client := startConnected()
		id := credhub.Put("/d/dep/pw", "password", `"x"`)
		credhub.Fail(credhubtest.Fault{Path: "/api/v1/data/" + id, Status: 500, Body: `{"error":"broken"}`})
		got := client.Resolve(ctx, secrets.Manifest{Text: "((pw))", Deployment: "dep", Variables: []secrets.Variable{{ID: id, Name: "/d/dep/pw"}}})
		Expect(got.Values).To(BeEmpty())
		unavailable(500)(got.Unavailable())
	})
})
