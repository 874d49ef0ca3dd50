package manifests_test

import (
	"errors"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/manifests"
)

func addManifests(f *testing.F, add func(text string)) {
	f.Helper()
	add(redisManifest(f))
	for _, text := range []string{
		"", "name: x", "- a", "a: &a [*a]", "a: &a {b: 1}\nc: {<<: *a, d: 2}", "? [a]\n: b", "a: 1\n---\nb: 2", "a: 1\na: 2", "{a: !!int \"3\", b: !x y}",
		"instance_groups: [{name: a}, {name: b}]", "releases: [{name: 1, version: 1.10}, latest]", "a: |\n  x\n  y\n", "\ufeffname: x", "%YAML 1.1\n---\na: b",
		"a: [1_0, 0x1f, 010, 1e5, .5, .inf, 12:30, yes, ~, 2024-01-31, 1,0, :x]", "a: *b", "a: \"\\x", "\t", "a: 1\n...\n",
	} {
		add(text)
	}
}

// FuzzParse: whatever the text is, Parse ends without a panic, and either gives a manifest that equals itself or an
// error with a line of the text. What the library can decode, Parse refuses only for its own reasons.
func FuzzParse(f *testing.F) {
	addManifests(f, func(text string) { f.Add(text) })
	f.Fuzz(func(t *testing.T, text string) {
		m, err := manifests.Parse(text)
		if err != nil {
			var refused *manifests.SyntaxError
			if !errors.As(err, &refused) || m != nil {
				t.Fatalf("gave %v and %v", m, err)
			}
			breaks := strings.NewReplacer("\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
			// The library places a value that isn't there behind the end, which may be one line on.
			if lines := 1 + strings.Count(breaks, "\n"); refused.Line < 1 || refused.Line > lines+1 {
				t.Fatalf("%v: the text has %d lines", err, lines)
			}
			return
		}
		var decoded yaml.Node
		if err := yaml.Unmarshal([]byte(text), &decoded); err != nil {
			t.Fatalf("the YAML library refuses what Parse took: %v", err)
		}
		_ = m.Check("x")
		if strings.HasPrefix(text, "\ufeff") || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
			return // a mark of the encoding means that only in front
		}
		if diff := pendingChange(t, "\n"+text, text); diff != "" { // identical texts are not compared
			t.Fatalf("differs from itself:\n%s", diff)
		}
	})
}

// FuzzDiff: two manifests differ in both directions or in none, and what is under
// properties, env, options or an unknown key is never shown.
func FuzzDiff(f *testing.F) {
	addManifests(f, func(text string) { f.Add(text, redisManifest(f)) })
	f.Add("{a: [{name: b, c: [d]}]}", "{a: {b: c}}")
	const places = "instance_groups: [{name: g, env: %s, jobs: [{name: j, properties: %s, consumes: {l: {properties: %s}}}], invented: %s}]\n" +
		"variables: [{name: v, options: %s}]\nproperties: %s\nother: %s\ntags: {password: %s}\nreleases: [{url: %s}]"
	f.Fuzz(func(t *testing.T, one, other string) {
		for _, pair := range [][2]string{{one, other}, {other, one}} {
			diff, err := manifests.PendingChange(pair[1], pair[0])
			if err != nil {
				return
			}
			if back := pendingChange(t, pair[0], pair[1]); (diff == "") != (back == "") {
				t.Fatalf("one way it is %q, the other way %q", diff, back)
			}
			if strings.Count(diff, "\n") > 201 {
				t.Fatalf("too long: %s", diff)
			}
			for _, values := range [][2]string{{markValues(t, pair[0]), "{}"}, {markValues(t, pair[0]), markValues(t, pair[1])}} {
				from, to := strings.ReplaceAll(places, "%s", values[0]), strings.ReplaceAll(places, "%s", values[1])
				for _, diff := range []string{pendingChange(t, to, from), pendingChange(t, from, to)} {
					if strings.Contains(diff, secretValue) {
						t.Fatalf("shows a value:\n%s", diff)
					}
				}
			}
		}
	})
}

// markValues writes the manifest in one line, and every scalar that isn't a key with secretValue in it.
func markValues(t *testing.T, text string) string {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return markedValue(document.Content[0])
}

func markedValue(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if seen[key] {
				continue
			}
			seen[key] = true
			quoted, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: key})
			if err != nil || len(quoted) > 100 || strings.Count(string(quoted), "\n") != 1 {
				continue // YAML has no way to write it as a simple key
			}
			parts = append(parts, strings.TrimSpace(string(quoted))+": "+markedValue(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, markedValue(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case yaml.AliasNode:
		return secretValue
	default:
		if len(n.Value)%2 == 0 {
			return secretValue
		}
		return "'" + secretValue + strings.Repeat("x", len(n.Value)%7) + "'"
	}
}

// FuzzReplaceSecrets: only what SecretReferences names is replaced, twice is like once, and all else stays.
func FuzzReplaceSecrets(f *testing.F) {
	for _, text := range []string{"", "((odb_secret:a))", "x((!odb_secret:a.b))((odb_secret:c))", "((odb_secret:((odb_secret:a))))", "((odb_secret:a", "(((((odb_secret:a)))))", "odb_secret:", "((a))"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if replaced := manifests.ReplaceSecrets(text, nil); replaced != text {
			t.Fatalf("without paths it became %q", replaced)
		}
		if strings.Contains(text, "\x00") {
			return // stands for "odb_secret:" below
		}
		paths := map[string]string{}
		for _, name := range manifests.SecretReferences(text) {
			paths[name] = "\x00" + name
		}
		replaced := manifests.ReplaceSecrets(text, paths)
		if strings.Count(replaced, "\x00") < len(paths) || strings.ReplaceAll(replaced, "\x00", "odb_secret:") != text {
			t.Fatalf("replacing %q gave %q", paths, replaced)
		}
		if left := manifests.SecretReferences(replaced); len(left) > 0 {
			t.Fatalf("%q are left in %q", left, replaced)
		}
		if again := manifests.ReplaceSecrets(replaced, paths); again != replaced {
			t.Fatalf("again it became %q", again)
		}
	})
}
