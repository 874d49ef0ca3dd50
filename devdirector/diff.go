package devdirector

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// diffLine is a line of a diff and what became of it: added, removed, or null for a line that is context. The
// Director writes it as a pair.
type diffLine struct {
	text   string
	status string
}

// MarshalJSON writes ["text","status"].
func (l diffLine) MarshalJSON() ([]byte, error) {
	return encode([]any{l.text, optional(l.status)}), nil
}

const (
	lineAdded   = "added"
	lineRemoved = "removed"
)

// trees is the difference of two YAML hashes. Each top-level key is a section; an empty line parts sections if
// both have something to tell.
func (d *differ) trees(from, to *yaml.Node) []diffLine {
	lines := []diffLine{}
	for _, key := range keysOf(from, to) {
		section := d.key(key, child(from, key), child(to, key), 0)
		if len(section) > 0 && len(lines) > 0 {
			lines = append(lines, diffLine{})
		}
		lines = append(lines, section...)
	}
	return lines
}

// keysOf are the keys of two hashes: those of the new one in its order, then those that are gone.
func keysOf(from, to *yaml.Node) []string {
	var keys []string
	for _, hash := range []*yaml.Node{to, from} {
		if hash == nil || hash.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(hash.Content); i += 2 {
			if key := hash.Content[i].Value; !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func (d *differ) key(name string, from, to *yaml.Node, depth int) []diffLine {
	switch {
	case from == nil:
		return d.render(name, to, depth, lineAdded)
	case to == nil:
		return d.render(name, from, depth, lineRemoved)
	case sameTree(from, to):
		return nil
	}
	from, to = resolve(from), resolve(to)
	var inner []diffLine
	switch {
	case from.Kind == yaml.MappingNode && to.Kind == yaml.MappingNode && len(from.Content) > 0 && len(to.Content) > 0:
		for _, k := range keysOf(from, to) {
			inner = append(inner, d.key(k, child(from, k), child(to, k), depth+1)...)
		}
	case from.Kind == yaml.SequenceNode && to.Kind == yaml.SequenceNode && len(from.Content) > 0 && len(to.Content) > 0:
		inner = d.lists(from, to, depth)
	default:
		return append(d.render(name, from, depth, lineRemoved), d.render(name, to, depth, lineAdded)...)
	}
	return append([]diffLine{{text: indent(depth) + name + ":"}}, inner...)
}

// lists compares lists: items with a name by it, others as they are.
func (d *differ) lists(from, to *yaml.Node, depth int) []diffLine {
	var lines []diffLine
	for _, item := range to.Content {
		old := counterpart(from, item)
		switch {
		case old == nil:
			lines = append(lines, d.renderItem(item, depth, lineAdded)...)
		case !sameTree(old, item):
			lines = append(lines, diffLine{text: indent(depth) + "- name: " + child(item, "name").Value})
			for _, k := range keysOf(old, resolve(item)) {
				lines = append(lines, d.key(k, child(old, k), child(resolve(item), k), depth+1)...)
			}
		}
	}
	for _, item := range from.Content {
		if counterpart(to, item) == nil {
			lines = append(lines, d.renderItem(item, depth, lineRemoved)...)
		}
	}
	return lines
}

// counterpart finds the item of the same name in a list, or, for one without a name, an equal one.
func counterpart(list, item *yaml.Node) *yaml.Node {
	name := child(resolve(item), "name")
	for _, other := range list.Content {
		if name == nil && sameTree(other, item) {
			return other
		}
		if otherName := child(resolve(other), "name"); name != nil && otherName != nil && otherName.Value == name.Value {
			return resolve(other)
		}
	}
	return nil
}

func indent(depth int) string { return strings.Repeat("  ", depth) }

// render writes a key and its whole value, every line with the same status.
func (d *differ) render(key string, value *yaml.Node, depth int, status string) []diffLine {
	value = resolve(value)
	line := func(text string) []diffLine { return []diffLine{{text: text, status: status}} }
	start := indent(depth) + key + ":"
	switch {
	case value.Kind == yaml.ScalarNode:
		return line(start + " " + d.scalar(value))
	case len(value.Content) == 0 && value.Kind == yaml.MappingNode:
		return line(start + " {}")
	case len(value.Content) == 0:
		return line(start + " []")
	}
	lines := line(start)
	if value.Kind == yaml.SequenceNode {
		for _, item := range value.Content {
			lines = append(lines, d.renderItem(item, depth, status)...)
		}
		return lines
	}
	for i := 0; i+1 < len(value.Content); i += 2 {
		lines = append(lines, d.render(value.Content[i].Value, value.Content[i+1], depth+1, status)...)
	}
	return lines
}

func (d *differ) renderItem(item *yaml.Node, depth int, status string) []diffLine {
	item = resolve(item)
	if item.Kind != yaml.MappingNode || len(item.Content) == 0 {
		text := "{}"
		if item.Kind == yaml.ScalarNode {
			text = d.scalar(item)
		}
		return []diffLine{{text: indent(depth) + "- " + text, status: status}}
	}
	var lines []diffLine
	for i := 0; i+1 < len(item.Content); i += 2 {
		lines = append(lines, d.render(item.Content[i].Value, item.Content[i+1], depth+1, status)...)
	}
	lines[0].text = indent(depth) + "- " + strings.TrimPrefix(lines[0].text, indent(depth+1))
	return lines
}

// scalar writes a scalar as Ruby's YAML does where that matters: text that looks like a number is quoted.
func (d *differ) scalar(n *yaml.Node) string {
	if d.hidden[n] {
		return `"<redacted>"`
	}
	if n.ShortTag() != "!!str" {
		return n.Value
	}
	if plain := (&yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}); n.Value == "" || plain.ShortTag() != "!!str" {
		return "'" + n.Value + "'"
	}
	return n.Value
}

// differ compares YAML trees. The scalars in hidden are shown as redacted.
type differ struct {
	hidden map[*yaml.Node]bool
}

func newDiffer() *differ { return &differ{hidden: map[*yaml.Node]bool{}} }

// hide marks the values of properties and env in a tree.
func (d *differ) hide(n *yaml.Node, secret bool) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode {
		if secret {
			d.hidden[n] = true
		}
		return
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue
		}
		isSecret := n.Kind == yaml.MappingNode && (n.Content[i-1].Value == "properties" || n.Content[i-1].Value == "env")
		d.hide(c, secret || isSecret)
	}
}

type configContext struct {
	CloudConfigIDs   []int `json:"cloud_config_ids"`
	RuntimeConfigIDs []int `json:"runtime_config_ids"`
}

type manifestDiff struct {
	Context configContext `json:"context"`
	Diff    []diffLine    `json:"diff"`
}

// diffDeployment compares a manifest with the one that is deployed. It answers 200 whatever happens.
func (d *Director) diffDeployment(q *request) response {
	tree, bad := readManifest(q.body)
	if bad != nil {
		return ok(map[string]any{"diff": []any{}, "error": "Unable to diff manifest: #<Bosh::Director::BadManifest: " + bad.Description + ">\n"})
	}
	d.enter()
	defer d.leave()
	w := &d.world
	dep := w.deployments[q.param(0)]
	var teams []string
	if dep != nil {
		teams = dep.Teams
	}
	if refusal := d.permit(q.user, adminAccess, teams); dep != nil && refusal != nil {
		return *refusal
	}
	before, after := &yaml.Node{Kind: yaml.MappingNode}, tree
	if dep != nil && dep.Deployed {
		if old, bad := readManifest([]byte(dep.manifest())); bad == nil {
			before = old
		}
	} else {
		after = w.withCloudConfig(tree)
	}
	comparison := newDiffer()
	if q.query.Get("redact") != "false" {
		comparison.hide(before, false)
		comparison.hide(after, false)
	}
	return ok(manifestDiff{
		Context: configContext{w.configs.currentIDs("cloud"), w.configs.currentIDs("runtime")}, Diff: comparison.trees(before, after),
	})
}

// cloudSections is the order in which the Director shows a cloud config in front of a new manifest.
var cloudSections = []string{"azs", "vm_types", "vm_extensions", "compilation", "networks", "disk_types"}

// manifestSections is the order in which the Director shows a manifest in a diff.
var manifestSections = []string{"stemcells", "releases", "update", "variables", "name", "instance_groups"}

// withCloudConfig puts the sections of the default cloud config in front of a manifest.
func (w *world) withCloudConfig(manifest *yaml.Node) *yaml.Node {
	whole := &yaml.Node{Kind: yaml.MappingNode}
	add := func(from *yaml.Node, keys []string) {
		for _, key := range keys {
			if value := child(from, key); value != nil {
				whole.Content = append(whole.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
			}
		}
	}
	if c := w.configs.latest(configKey{"cloud", "default"}); c != nil {
		if tree, bad := readManifest([]byte(c.Content)); bad == nil {
			add(tree, cloudSections)
		}
	}
	add(manifest, manifestSections)
	for i := 0; i+1 < len(manifest.Content); i += 2 {
		if !slices.Contains(manifestSections, manifest.Content[i].Value) {
			whole.Content = append(whole.Content, manifest.Content[i], manifest.Content[i+1])
		}
	}
	return whole
}

type configDiffRequest struct {
	From    *configID `json:"from"`
	To      *configID `json:"to"`
	Type    string    `json:"type"`
	Name    string    `json:"name"`
	Content string    `json:"content"`
}

type configID struct {
	ID string `json:"id"`
}

type configDiff struct {
	From *configID  `json:"from,omitempty"`
	Diff []diffLine `json:"diff"`
}

// diffConfigs compares a new text with the latest version of a config, or two versions.
func (d *Director) diffConfigs(q *request) response {
	var asked configDiffRequest
	if err := json.Unmarshal(q.body, &asked); err != nil {
		return invalidJSON(q.body)
	}
	d.enter()
	defer d.leave()
	if asked.From != nil && asked.To != nil {
		return d.world.diffVersions(asked.From.ID, asked.To.ID)
	}
	if _, refusal := checkConfigContent(asked.Content); refusal != nil {
		return *refusal
	}
	return ok(d.world.diffWithLatest(configKey{asked.Type, asked.Name}, asked.Content))
}

func (w *world) diffVersions(from, to string) response {
	trees := make([]*yaml.Node, 2)
	for n, id := range []string{from, to} {
		number, err := strconv.Atoi(id)
		c := w.configs.byID(number)
		if err != nil || c == nil {
			return refuse(http.StatusNotFound, codeNoConfig, "Config "+id+" not found")
		}
		trees[n] = configTree(c.Content)
	}
	return ok(configDiff{Diff: newDiffer().trees(trees[0], trees[1])})
}

func (w *world) diffWithLatest(key configKey, content string) configDiff {
	latest, before := "0", ""
	if c := w.configs.latest(key); c != nil {
		latest, before = itoa(c.ID), c.Content
	}
	return configDiff{From: &configID{latest}, Diff: newDiffer().trees(configTree(before), configTree(content))}
}

// configTree is the hash of a config, an empty one for a text without.
func configTree(content string) *yaml.Node {
	tree, bad := readManifest([]byte(content))
	if bad != nil {
		return &yaml.Node{Kind: yaml.MappingNode}
	}
	return tree
}

// diffOldConfig is the diff that bosh update-cloud-config and update-runtime-config show.
func diffOldConfig(kind string) func(*Director, *request) response {
	return func(d *Director, q *request) response {
		d.enter()
		defer d.leave()
		return ok(configDiff{Diff: d.world.diffWithLatest(configKey{kind, oldConfigName(q)}, string(q.body)).Diff})
	}
}
