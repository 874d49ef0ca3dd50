package rendering_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/boshrelease/rendering"
)

// newJob makes a job with a template for each file.
func newJob(t *testing.T, spec string, templates map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "templates"), 0o755); err != nil {
		t.Fatal(err)
	}
	spec += "\ntemplates:\n"
	for file, text := range templates {
		spec += "  " + file + ".erb: " + file + "\n"
		if err := os.WriteFile(filepath.Join(dir, "templates", file+".erb"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "spec"), []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTemplatesSeeWhatADirectorShowsThem(t *testing.T) {
	provider := newJob(t, "provides: [{name: db, type: db, properties: [port, secret.a]}]\nproperties: {port: {default: 1}, secret.a: {}, secret.b: {}}", nil)
	consumer := newJob(t, "consumes: [{name: db, type: db}]\nproperties: {a.b: {default: deep}, a.c: {}, enabled: {default: true}, list: {default: []}}", map[string]string{
		"properties": "<%= p('a.b') %> <%= p('a.c', 'else') %> <%= p(['a.c', 'a.b']) %> <%= p('enabled') %> <%= p('list') %>",
		"if":         "<% if_p('a.b') do |v| -%>\n<%= v %>\n<% end -%>\n<% if_p('a.b', 'a.c') do -%>never\n<% end -%>",
		"unknown":    "<%= p('unlisted') %>",
		"link":       "<% l = link('db') -%>\n<%= [l.p('port'), l.p('secret.a'), l.p('secret.b', 'hidden'), l.address, l.instances.map(&:address), spec.deployment].join(' ') %>",
		"no-link":    "<%= link('other').p('port') %>",
		"broken":     "<% if %>",
	})
	results, err := rendering.Render(t.Context(), []rendering.Job{{
		Dir:        consumer,
		Properties: map[string]any{"enabled": false, "unlisted": "x", "a": map[string]any{"b": nil}},
		Links: map[string]rendering.Link{
			"db":    {Provider: provider, Properties: map[string]any{"secret": map[string]any{"a": "A", "b": "B"}}, Instances: []string{"10.0.0.1", "10.0.0.2"}, Address: "db.bosh"},
			"other": {Properties: map[string]any{"port": 1}},
		},
		Spec: map[string]any{"deployment": "d"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"properties": "deep else deep false []", "if": "deep\n", "link": "1 A hidden db.bosh 10.0.0.1 10.0.0.2 d"}
	if got := results[0].Files; !maps.Equal(got, want) {
		t.Errorf("rendered are %q, not %q", got, want)
	}
	for file, beginning := range map[string]string{"unknown": "Can't find property 'unlisted'", "no-link": "Can't find link 'other'", "broken": "/"} {
		if got := results[0].Errors[file]; !strings.HasPrefix(got, beginning) {
			t.Errorf("%s raised %q, not %s…", file, got, beginning)
		}
	}
}

func TestWhatCannotBeRenderedIsAnError(t *testing.T) {
	if _, err := rendering.Render(t.Context(), []rendering.Job{{Dir: t.TempDir()}}); err == nil || !strings.Contains(err.Error(), "spec") {
		t.Errorf("a job without a spec: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := rendering.Render(t.Context(), nil); !errors.Is(err, rendering.ErrNoRuby) {
		t.Errorf("without ruby: %v", err)
	}
}
