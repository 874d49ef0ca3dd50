package manifests_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/manifests"
)

// Each pair means the same to BOSH, however differently it is written.
func TestSameMeaning(t *testing.T) {
	for name, pair := range map[string][2]string{
		"comments":         {"name: d # x\n", "# y\nname: d"},
		"key order":        {"name: d\ntags: {a: 1, b: 2}", "tags: {b: 2, a: 1}\nname: d"},
		"quotes":           {`name: "d"`, `name: 'd'`},
		"block and flow":   {"tags:\n  a: b\n", `{"tags": {"a": "b"}}`},
		"block scalars":    {"properties: {a: \"x\\ny\\n\"}", "properties:\n  a: |\n    x\n    y\n"},
		"indents":          {"releases:\n- name: a\n", "releases:\n    -   name:   a\n"},
		"anchors":          {"properties: {a: &a {b: c}, d: *a}", "properties: {a: {b: c}, d: {b: c}}"},
		"merges":           {"properties: {a: &a {b: c, e: 1}, d: {<<: *a, e: 2}}", "properties: {a: {b: c, e: 1}, d: {e: 2, b: c}}"},
		"merge lists":      {"properties: {a: &a {x: 1}, b: &b {x: 2, y: 3}, c: {<<: [*a, *b]}}", "properties: {a: {x: 1}, b: {x: 2, y: 3}, c: {x: 1, y: 3}}"},
		"integers":         {"properties: {a: [1000, 31, 8, 5, -0, 99999999999999999999]}", "properties: {a: [1_000, 0x1F, 010, +5, 0, 99999999999999999999]}"},
		"floats":           {"properties: {a: [1.50, .5, 1.0e+3, .inf, .nan]}", "properties: {a: [1.5, 0.5, 1000.0, +.Inf, .NaN]}"},
		"booleans":         {"properties: {a: [true, no, True, OFF]}", "properties: {a: [yes, false, on, False]}"},
		"nulls":            {"properties: {a: [~, null, ], b: }", "properties: {a: [Null, NULL], b: ~}"},
		"plain texts":      {"properties: {a: [10.0.0.5, 1-2, 10.0.0.0/8, '6379:6379', x.y, '-', ':']}", "properties: {a: ['10.0.0.5', '1-2', '10.0.0.0/8', 6379:6379, 'x.y', \"-\", ':']}"},
		"explicit tags":    {"properties: {a: !!str 1, b: !!int 2, c: !!float 1.50, d: !!map {e: !!seq [f]}, e: !!bool yes}", "properties: {a: '1', b: 2, c: 1.5, d: {e: [f]}, e: !!bool yes}"},
		"version numbers":  {"releases: [{name: a, version: 12}, {name: b, version: 1.5}, {name: c, version: 2.0}]", "releases: [{name: a, version: '12'}, {name: b, version: '1.5'}, {name: c, version: \"2.0\"}]"},
		"git versions":     {"releases: [{name: a, version: 12e4567}]", "releases: [{name: a, version: '12e4567'}]"},
		"stemcell numbers": {"stemcells: [{alias: 1, os: 2, version: 621.125, name: 3}]", "stemcells: [{alias: '1', os: '2', version: '621.125', name: '3'}]"},
		"group names":      {"instance_groups: [{name: 1, vm_type: 2, azs: [1, 2], jobs: [{name: 3, release: 4}], networks: [{name: 5}]}]", "instance_groups: [{name: '1', vm_type: '2', azs: ['1', '2'], jobs: [{name: '3', release: '4'}], networks: [{name: '5'}]}]"},
		"absent and empty": {"name: d\ntags: {}\nvariables: []\naddons:\nfeatures: ~", "name: d"},
		"empty inside":     {"instance_groups: [{name: g, jobs: [], azs: , env: {}, properties: {}, networks: [{name: n, default: []}]}]", "instance_groups: [{name: g, networks: [{name: n, static_ips: }]}]"},
		"empty placement":  {"addons: [{name: a, include: {stemcell: [], jobs: }, exclude: {}}]", "addons: [{name: a}]"},
		"empty to empty":   {"name: d\ntags: {}", "name: d\ntags: ~"},
		"update":           {"name: d\nupdate: {canaries: 1}", "name: d\nupdate: {canaries: 2, serial: true}"},
		"update absent":    {"name: d\nupdate: {canaries: 1}", "name: d"},
		"group update":     {"instance_groups: [{name: g, update: {canaries: 1}}]", "instance_groups: [{name: g, update: {max_in_flight: 5}}]"},
		"group no update":  {"instance_groups: [{name: g}]", "instance_groups: [{name: g, update: {max_in_flight: 5}}]"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				if diff := pendingChange(t, pair[0], pair[1]); diff != "" {
					t.Errorf("%s\nand\n%s\ndiffer:\n%s", pair[0], pair[1], diff)
				}
				pair[0], pair[1] = pair[1], pair[0]
			}
		})
	}
}

// Each pair means something different to BOSH or to a job.
func TestOtherMeaning(t *testing.T) {
	for name, pair := range map[string][2]string{
		"a name":              {"name: d", "name: e"},
		"an unknown key":      {"name: d", "name: d\ninvented: 1"},
		"unknown and empty":   {"invented: {a: {}}", "invented: {a: }"},
		"unknown but empty":   {"name: d", "name: d\ninvented: {}"},
		"unknown but null":    {"addons: [{name: a, include: {invented: }}]", "addons: [{name: a}]"},
		"unknown in a group":  {"instance_groups: [{name: g}]", "instance_groups: [{name: g, invented: true}]"},
		"unknown in a job":    {"instance_groups: [{name: g, jobs: [{name: j}]}]", "instance_groups: [{name: g, jobs: [{name: j, invented: true}]}]"},
		"unknown in addons":   {"addons: [{name: a}]", "addons: [{name: a, invented: [{}]}]"},
		"list order":          {"instance_groups: [{name: g, azs: [z1, z2]}]", "instance_groups: [{name: g, azs: [z2, z1]}]"},
		"group order":         {"instance_groups: [{name: g}, {name: h}]", "instance_groups: [{name: h}, {name: g}]"},
		"order of the rest":   {"instance_groups: [{name: a}, {name: g}, {name: h}]", "instance_groups: [{name: h}, {name: b}, {name: g}]"},
		"property list order": {"properties: {a: [{x: 1}, {y: 2}]}", "properties: {a: [{y: 2}, {x: 1}]}"},
		"one more":            {"instance_groups: [{name: g}]", "instance_groups: [{name: g}, {name: g}]"},
		"one more null":       {"properties: {a: [1]}", "properties: {a: [1, ~]}"},
		"a nested list":       {"properties: {a: [[1]]}", "properties: {a: [1]}"},
		"number and text":     {"properties: {a: 1}", "properties: {a: '1'}"},
		"integer and float":   {"properties: {a: 1}", "properties: {a: 1.0}"},
		"boolean and text":    {"properties: {a: true}", "properties: {a: 'true'}"},
		"yes and text":        {"properties: {a: yes}", "properties: {a: 'yes'}"},
		"null and text":       {"properties: {a: ~}", "properties: {a: '~'}"},
		"null and empty text": {"properties: {a: }", "properties: {a: ''}"},
		"null and absent":     {"properties: {a: , b: 1}", "properties: {b: 1}"},
		"empty and absent":    {"properties: {a: {}, b: 1}", "properties: {b: 1}"},
		"empty and null":      {"properties: {a: []}", "properties: {a: }"},
		"list and mapping":    {"properties: {a: []}", "properties: {a: {}}"},
		"text spelling":       {"properties: {a: x}", "properties: {a: X}"},
		"trailing newline":    {"properties: {a: \"x\"}", "properties:\n  a: |\n    x\n"},
		"base 60 and text":    {"properties: {a: 12:30}", "properties: {a: '12:30'}"},
		"date and text":       {"properties: {a: 2024-01-31}", "properties: {a: '2024-01-31'}"},
		"comma and text":      {"properties:\n  a: 1,000", "properties:\n  a: '1,000'"},
		"symbol and text":     {"properties:\n  a: :x", "properties:\n  a: ':x'"},
		"binary and text":     {"properties: {a: !!binary eA==}", "properties: {a: eA==}"},
		"a private tag":       {"properties: {a: !x b}", "properties: {a: b}"},
		"a set":               {"properties: {a: !!set {b: }}", "properties: {a: {b: }}"},
		"keys of two types":   {"properties: {1: a}", "properties: {'1': a}"},
		"version as deployed": {"releases: [{name: a, version: 1.10}]", "releases: [{name: a, version: '1.10'}]"},
		"count and text":      {"instance_groups: [{name: g, instances: 3}]", "instance_groups: [{name: g, instances: '3'}]"},
		"count and absent":    {"instance_groups: [{name: g, instances: 0}]", "instance_groups: [{name: g}]"},
		"false and absent":    {"features: {use_dns_addresses: false}", "features: {}"},
		"empty disk":          {"instance_groups: [{name: g, persistent_disk_type: ''}]", "instance_groups: [{name: g}]"},
		"a cut link":          {"instance_groups: [{name: g, jobs: [{name: j, consumes: {l: ~}}]}]", "instance_groups: [{name: g, jobs: [{name: j}]}]"},
		"update as property":  {"properties: {update: 1}", "properties: {update: 2}"},
		"update in a job":     {"instance_groups: [{name: g, jobs: [{name: j, properties: {update: {canaries: 1}}}]}]", "instance_groups: [{name: g, jobs: [{name: j}]}]"},
		"update of a job":     {"instance_groups: [{name: g, jobs: [{name: j, update: 1}]}]", "instance_groups: [{name: g, jobs: [{name: j}]}]"},
		"update of an addon":  {"addons: [{name: a, update: 1}]", "addons: [{name: a}]"},
		"update of a release": {"releases: [{name: a, update: 1}]", "releases: [{name: a}]"},
		"update as a tag":     {"tags: {update: a}", "tags: {update: b}"},
		"update in env":       {"instance_groups: [{name: g, env: {update: 1}}]", "instance_groups: [{name: g, env: {update: 2}}]"},
		"a variable's option": {"variables: [{name: v, options: {length: 10}}]", "variables: [{name: v, options: {length: 20}}]"},
		"a secret reference":  {"properties: {a: ((odb_secret:x))}", "properties: {a: ((/odb/s/d/x))}"},
		"a group as mapping":  {"instance_groups: {name: g}", "instance_groups: [{name: g}]"},
		"a list as scalar":    {"instance_groups: [{name: g, azs: [z1]}]", "instance_groups: [{name: g, azs: z1}]"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				if diff := pendingChange(t, pair[0], pair[1]); diff == "" {
					t.Errorf("no difference between\n%s\nand\n%s", pair[0], pair[1])
				}
				pair[0], pair[1] = pair[1], pair[0]
			}
		})
	}
}

func pendingChange(tb testing.TB, regenerated, deployed string) string {
	tb.Helper()
	diff, err := manifests.PendingChange(regenerated, deployed)
	if err != nil {
		tb.Fatalf("%v:\n%s\n%s", err, regenerated, deployed)
	}
	return diff
}

func TestPendingChangeNamesTheUnreadable(t *testing.T) {
	for which, texts := range map[string][2]string{
		"the deployed manifest":    {"name: d", "name: d\nname: d"},
		"the regenerated manifest": {"name: d\nname: d", "name: d"},
	} {
		_, err := manifests.PendingChange(texts[0], texts[1])
		var syntax *manifests.SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != 2 || !strings.HasPrefix(err.Error(), which) {
			t.Errorf("%s: %v", which, err)
		}
	}
}
