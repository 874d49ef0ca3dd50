package manifests_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"nothing": {"name: d", "'name': 'd'", ""},
		"a value": {
			"instance_groups: [{name: redis, vm_type: small, instances: 1}]",
			"instance_groups: [{name: redis, vm_type: large, instances: 3}]",
			`
- instance_groups[name=redis].instances: 1
+ instance_groups[name=redis].instances: 3
- instance_groups[name=redis].vm_type: small
+ instance_groups[name=redis].vm_type: large
`},
		"a list of values": {
			"instance_groups: [{name: redis, azs: [z1]}]",
			"instance_groups: [{name: redis, azs: [z1, z 2], vm_extensions: [1]}]",
			`
- instance_groups[name=redis].azs: [z1]
+ instance_groups[name=redis].azs: [z1, "z 2"]
+ instance_groups[name=redis].vm_extensions: [1]
`},
		"properties": {
			"instance_groups: [{name: g, jobs: [{name: j, properties: {a: {b: one, c: 1}, same: 0}}]}]",
			"instance_groups: [{name: g, jobs: [{name: j, properties: {a: {b: two, d: [x]}, same: 0, new: {x: y}}}]}]",
			`
- instance_groups[name=g].jobs[name=j].properties.a.b: <redacted>
+ instance_groups[name=g].jobs[name=j].properties.a.b: <redacted>
- instance_groups[name=g].jobs[name=j].properties.a.c: <redacted>
+ instance_groups[name=g].jobs[name=j].properties.a.d: <redacted>
+ instance_groups[name=g].jobs[name=j].properties.new: <redacted>
`},
		"lists of mappings in properties": {
			"properties: {users: [{name: admin, pw: x}, {name: joe}]}",
			"properties: {users: [{name: admin, pw: y}]}",
			`
- properties.users[0].pw: <redacted>
+ properties.users[0].pw: <redacted>
- properties.users[1]: <redacted>
`},
		"a group": {
			"instance_groups: [{name: a}]",
			"instance_groups: [{name: a}, {name: b, jobs: [{name: j, properties: {p: secret}}], networks: [{name: n}], env: {e: secret}, azs: []}]",
			`
+ instance_groups[name=b].azs: []
+ instance_groups[name=b].env: <redacted>
+ instance_groups[name=b].jobs[name=j].name: j
+ instance_groups[name=b].jobs[name=j].properties: <redacted>
+ instance_groups[name=b].name: b
+ instance_groups[name=b].networks[name=n].name: n
`},
		"stemcells of one name": {
			"stemcells: [{alias: a, name: s, version: '1.10'}, {alias: b, name: s, version: '1.20'}]",
			"stemcells: [{alias: a, name: s, version: '1.10'}, {alias: b, name: s, version: '1.30'}]",
			`
- stemcells[alias=b].version: "1.20"
+ stemcells[alias=b].version: "1.30"
`},
		"without names": {
			"releases: [{version: a}, {name: x}]", "releases: [{version: b}]",
			`
- releases[0].version: a
+ releases[0].version: b
- releases[1].name: x
`},
		"order": {
			"instance_groups: [{name: a}, {name: b}]", "instance_groups: [{name: b}, {name: a}]",
			`
- instance_groups (order): [a, b]
+ instance_groups (order): [b, a]
`},
		"keys that are not known": {
			"invented: secret\nname: d", "invented: {a: secret}\nname: d",
			`
- invented: <redacted>
+ invented: <redacted>
`},
		"tags and features": {
			"tags: {owner: joe, api_key: a, env: prod}\nfeatures: {use_dns_addresses: true}",
			"tags: {owner: jim, api_key: b, env: dev}",
			`
- features.use_dns_addresses: true
- tags.api_key: <redacted>
+ tags.api_key: <redacted>
- tags.env: prod
+ tags.env: dev
- tags.owner: joe
+ tags.owner: jim
`},
		"links": {
			"instance_groups: [{name: g, jobs: [{name: j, consumes: {l: {from: a}, m: ~}}]}]",
			"instance_groups: [{name: g, jobs: [{name: j, consumes: {l: {from: b, properties: {p: secret}}, m: nil}}]}]",
			`
- instance_groups[name=g].jobs[name=j].consumes.l.from: a
+ instance_groups[name=g].jobs[name=j].consumes.l.from: b
+ instance_groups[name=g].jobs[name=j].consumes.l.properties: <redacted>
- instance_groups[name=g].jobs[name=j].consumes.m: null
+ instance_groups[name=g].jobs[name=j].consumes.m: nil
`},
		"variables": {
			"variables: [{name: v, type: password}]", "variables: [{name: v, type: certificate, options: {ca: secret}}]",
			`
+ variables[name=v].options: <redacted>
- variables[name=v].type: password
+ variables[name=v].type: certificate
`},
		"a mapping for a text": {
			"instance_groups: [{name: g, vm_type: x}]", "instance_groups: [{name: g, vm_type: {a: secret}}]",
			`
- instance_groups[name=g].vm_type: x
+ instance_groups[name=g].vm_type: <redacted>
`},
		"texts that look otherwise": {
			"instance_groups: [{name: 'a b', vm_type: 'true', stemcell: \"x\\ny\", lifecycle: ((v)), instances: '3'}]",
			"instance_groups: [{name: 'a b', instances: 3}]",
			`
- instance_groups[name="a b"].instances: "3"
+ instance_groups[name="a b"].instances: 3
- instance_groups[name="a b"].lifecycle: ((v))
- instance_groups[name="a b"].stemcell: "x\ny"
- instance_groups[name="a b"].vm_type: "true"
`},
		"odd keys": {
			"properties: {'a.b': 1, \"c\\nd\": 1, 3: 1, ~: 1}", "properties: {e: 1}",
			`
- properties.null: <redacted>
- properties.3: <redacted>
- properties."a.b": <redacted>
- properties."c\nd": <redacted>
+ properties.e: <redacted>
`},
		"long texts": {
			"name: " + strings.Repeat("x", 150), "name: d",
			"\n- name: \"" + strings.Repeat("x", 100) + "\"…\n+ name: d\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := pendingChange(t, c.to, c.from)
			if got != strings.TrimPrefix(c.want, "\n") {
				t.Errorf("got\n%s\nwant%s", got, c.want)
			}
		})
	}
}

func TestDiffIsCapped(t *testing.T) {
	var from, to strings.Builder
	from.WriteString("properties:\n")
	to.WriteString("properties:\n")
	for i := range 500 {
		fmt.Fprintf(&from, "  key%d: 1\n", i)
		fmt.Fprintf(&to, "  key%d: 2\n", i)
	}
	lines := strings.Split(strings.TrimSuffix(pendingChange(t, to.String(), from.String()), "\n"), "\n")
	if len(lines) != 201 || lines[200] != "… and 800 more lines" {
		t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
	azs := "instance_groups: [{name: g, azs: [z" + strings.Repeat(", z", 49) + "]}]"
	got := pendingChange(t, "instance_groups: [{name: g, azs: [a]}]", azs)
	if want := "- instance_groups[name=g].azs: [z" + strings.Repeat(", z", 19) + ", … 50 in all]\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
}
