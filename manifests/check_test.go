package manifests_test

import (
	"errors"
	"testing"

	"github.com/on-demand-broker/odb/manifests"
)

func TestCheckAccepts(t *testing.T) {
	for name, text := range map[string]string{
		"exact versions":   "name: d\nreleases: [{name: a, version: '1.2.3'}]\nstemcells: [{alias: s, version: '1.351'}]",
		"numbers":          "name: d\nreleases: [{name: a, version: 12}, {name: b, version: 1.10}]\nstemcells: [{alias: s, version: 3468}]",
		"nothing else":     "name: d",
		"nulls":            "name: d\nreleases:\nstemcells: ~",
		"latest within":    "name: d\nreleases: [{name: latest, version: latest-1}, {name: b, version: latest.1}]",
		"latest elsewhere": "name: d\ninstance_groups: [{name: latest, jobs: [{name: a, release: latest, properties: {version: latest}}]}]",
		"no version":       "name: d\nreleases: [{name: a}, {}, {version: }, {version: [latest]}]",
		"a number as name": "name: 12",
		"a date":           "name: d\nreleases: [{name: a, version: 2024-01-31}]",
	} {
		deployment := "d"
		if name == "a number as name" {
			deployment = "12"
		}
		if err := parse(t, text).Check(deployment); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	const wantName = `must be the deployment's name, "d"`
	exact := func(who string) string { return "must be an exact version (" + who + ")" }
	for name, c := range map[string]struct {
		text string
		want []manifests.Breach
	}{
		"another name":  {"name: e", []manifests.Breach{{Path: "name", Value: `"e"`, Want: wantName}}},
		"no name":       {"other: d", []manifests.Breach{{Path: "name", Want: wantName}}},
		"null name":     {"name: ~", []manifests.Breach{{Path: "name", Want: wantName}}},
		"a list":        {"name: [d]", []manifests.Breach{{Path: "name", Value: "a list", Want: wantName}}},
		"a mapping":     {"name: {d: d}", []manifests.Breach{{Path: "name", Value: "a mapping", Want: wantName}}},
		"a boolean":     {"name: yes", []manifests.Breach{{Path: "name", Value: "true", Want: wantName}}},
		"scalar lists":  {"name: d\nreleases: latest", []manifests.Breach{{Path: "releases", Value: `"latest"`, Want: "must be a list"}}},
		"mapping lists": {"name: d\nstemcells: {version: latest}", []manifests.Breach{{Path: "stemcells", Value: "a mapping", Want: "must be a list"}}},
		"odd entries": {"name: d\nreleases: [latest, [latest], ~]", []manifests.Breach{
			{Path: "releases[0]", Value: `"latest"`, Want: "must be a mapping with a name and a version"},
			{Path: "releases[1]", Value: "a list", Want: "must be a mapping with a name and a version"},
			{Path: "releases[2]", Want: "must be a mapping with a name and a version"},
		}},
		"everything at once": {
			"name: e\nreleases:\n- {name: a, version: latest}\n- {name: b, version: '1'}\n- {name: c, version: \"3.latest\"}\nstemcells: [{alias: s, os: o, version: 621.latest}, {version: latest}]",
			[]manifests.Breach{
				{Path: "name", Value: `"e"`, Want: wantName},
				{Path: "releases[0].version", Value: `"latest"`, Want: exact(`name "a"`)},
				{Path: "releases[2].version", Value: `"3.latest"`, Want: exact(`name "c"`)},
				{Path: "stemcells[0].version", Value: `"621.latest"`, Want: exact(`alias "s"`)},
				{Path: "stemcells[1].version", Value: `"latest"`, Want: "must be an exact version"},
			},
		},
		"an alias": {
			"name: d\nv: &v latest\nreleases: [{name: a, version: *v}]",
			[]manifests.Breach{{Path: "releases[0].version", Value: `"latest"`, Want: exact(`name "a"`)}},
		},
		"a merge": {
			"name: d\nv: &v {version: latest}\nreleases: [{name: a, <<: *v}]",
			[]manifests.Breach{{Path: "releases[0].version", Value: `"latest"`, Want: exact(`name "a"`)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := parse(t, c.text).Check("d")
			var refused *manifests.CheckError
			if !errors.As(err, &refused) {
				t.Fatalf("Check gave %v", err)
			}
			if len(refused.Breaches) != len(c.want) {
				t.Fatalf("got %v\nwant %v", refused.Breaches, c.want)
			}
			for i, breach := range refused.Breaches {
				if breach != c.want[i] {
					t.Errorf("got %v\nwant %v", breach, c.want[i])
				}
			}
		})
	}
}

func TestCheckErrorText(t *testing.T) {
	err := parse(t, "releases: [{name: redis, version: 2.latest}]").Check("d")
	want := `the manifest can't be deployed: name is missing: must be the deployment's name, "d"; ` +
		`releases[0].version is "2.latest": must be an exact version (name "redis")`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
