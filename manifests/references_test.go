package manifests_test

import (
	"slices"
	"testing"

	"github.com/on-demand-broker/odb/manifests"
)

func TestSecretReferences(t *testing.T) {
	paths := map[string]string{"pw": "/odb/s/d/pw", "other": "/odb/s/d/other"}
	for _, c := range []struct {
		text     string
		names    []string
		replaced string
	}{
		{"", nil, ""},
		{"name: x", nil, "name: x"},
		{"a: ((odb_secret:pw))", []string{"pw"}, "a: ((/odb/s/d/pw))"},
		{"a: '((odb_secret:pw))' # ((odb_secret:pw))", []string{"pw"}, "a: '((/odb/s/d/pw))' # ((/odb/s/d/pw))"},
		{"((odb_secret:other))((odb_secret:pw))", []string{"other", "pw"}, "((/odb/s/d/other))((/odb/s/d/pw))"},
		{"redis://u:((odb_secret:pw))@host\r\n\tx", []string{"pw"}, "redis://u:((/odb/s/d/pw))@host\r\n\tx"},
		{"((odb_secret:pw.ca))", []string{"pw"}, "((/odb/s/d/pw.ca))"},
		{"((odb_secret:pw.a.b)) ((odb_secret:pw))", []string{"pw"}, "((/odb/s/d/pw.a.b)) ((/odb/s/d/pw))"},
		{"((!odb_secret:pw))", []string{"pw"}, "((!/odb/s/d/pw))"},
		{"((odb_secret:unknown)) ((odb_secret:pw))", []string{"unknown", "pw"}, "((odb_secret:unknown)) ((/odb/s/d/pw))"},
		{"((odb_secret:pwx))", []string{"pwx"}, "((odb_secret:pwx))"},
		{"(((odb_secret:pw)))", []string{"pw"}, "(((/odb/s/d/pw)))"},
		{"((odb_secret:((odb_secret:pw))))", []string{"pw"}, "((odb_secret:((/odb/s/d/pw))))"},
		{"((odb_secret:a)b((odb_secret:pw))", []string{"pw"}, "((odb_secret:a)b((/odb/s/d/pw))"},
		{"((odb_secret:odb_secret:pw))", []string{"odb_secret:pw"}, "((odb_secret:odb_secret:pw))"},
		// no references
		{"((pw)) odb_secret:pw (odb_secret:pw) ((odb_secret:pw) ((odb_secret:pw", nil, "((pw)) odb_secret:pw (odb_secret:pw) ((odb_secret:pw) ((odb_secret:pw"},
		{"(( odb_secret:pw)) ((odb_secret: pw)) ((odb_secret:pw ))", nil, "(( odb_secret:pw)) ((odb_secret: pw)) ((odb_secret:pw ))"},
		{"((odb_secret:)) ((odb_secret:.pw)) ((!!odb_secret:pw))", nil, "((odb_secret:)) ((odb_secret:.pw)) ((!!odb_secret:pw))"},
		{"((odb_secret:p\nw))", nil, "((odb_secret:p\nw))"},
		{"((ODB_SECRET:pw)) ((odb_secretpw))", nil, "((ODB_SECRET:pw)) ((odb_secretpw))"},
		{"((/odb/s/d/pw))", nil, "((/odb/s/d/pw))"},
	} {
		if got := manifests.SecretReferences(c.text); !slices.Equal(got, c.names) {
			t.Errorf("SecretReferences(%q) = %q, want %q", c.text, got, c.names)
		}
		if got := manifests.ReplaceSecrets(c.text, paths); got != c.replaced {
			t.Errorf("ReplaceSecrets(%q) = %q, want %q", c.text, got, c.replaced)
		}
	}
}

func TestReplaceSecretsWithoutPaths(t *testing.T) {
	const text = "a: ((odb_secret:pw))"
	if got := manifests.ReplaceSecrets(text, nil); got != text {
		t.Errorf("got %q", got)
	}
}
