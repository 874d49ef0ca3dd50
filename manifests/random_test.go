package manifests_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// FuzzRandomManifests makes a manifest out of a seed: written in another style it must be the same, and with one value,
// key or list order changed outside of `update` it must not be. Without -fuzz it runs the seeds below.
func FuzzRandomManifests(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 42))
		tree := randomManifest(random)
		deployed := writeInSomeStyle(t, random, tree)
		if diff := pendingChange(t, writeInSomeStyle(t, random, tree), deployed); diff != "" {
			t.Fatalf("the same manifest differs:\n%s\n%s", diff, deployed)
		}
		mutations := mutations(tree)
		for range 8 {
			undo := mutations[random.IntN(len(mutations))]()
			changed := writeInSomeStyle(t, random, tree)
			if pendingChange(t, changed, deployed) == "" {
				t.Fatalf("no difference between\n%s\nand\n%s", deployed, changed)
			}
			undo()
		}
	})
}

type object = map[string]any

func randomManifest(random *rand.Rand) object {
	shared := randomProperties(random, 2)
	var groups []any
	for i := range 1 + random.IntN(3) {
		groups = append(groups, object{
			"name": fmt.Sprintf("group%d", i), "instances": 1 + random.IntN(5), "vm_type": randomWord(random),
			"azs":      []any{"z1", "z2", randomWord(random)},
			"networks": []any{object{"name": "n1", "default": []any{"dns", "gateway"}}, object{"name": "n2"}},
			"jobs": []any{
				object{"name": "server", "release": "r", "properties": randomProperties(random, 3),
					"consumes": object{"a": nil, "b": object{"from": randomWord(random)}}},
				object{"name": "shared", "release": "r", "properties": shared},
			},
			"update":           object{"canaries": random.IntN(3)},
			"env":              randomProperties(random, 1),
			randomWord(random): randomProperties(random, 1),
		})
	}
	return object{
		"name":             "service-instance_" + randomWord(random),
		"releases":         []any{object{"name": "r", "version": "1.10"}, object{"name": "s", "version": randomWord(random)}},
		"stemcells":        []any{object{"alias": "default", "os": "jammy", "version": "1.351"}},
		"instance_groups":  groups,
		"variables":        []any{object{"name": "v", "type": "password", "options": randomProperties(random, 1)}},
		"tags":             object{"a": randomWord(random), "b": random.IntN(100)},
		"features":         object{"use_dns_addresses": random.IntN(2) == 0},
		"update":           object{"canaries": 1, "serial": true},
		"properties":       shared,
		randomWord(random): randomValue(random, 2),
	}
}

func randomProperties(random *rand.Rand, depth int) object {
	made := object{"update": randomWord(random)} // counts here
	for range 1 + random.IntN(3) {
		made[randomWord(random)] = randomValue(random, depth)
	}
	return made
}

func randomWord(random *rand.Rand) string {
	return fmt.Sprintf("w%c%d", 'a'+rune(random.IntN(26)), random.IntN(1000))
}

func randomValue(random *rand.Rand, depth int) any {
	choices := 6
	if depth > 0 {
		choices = 9
	}
	switch random.IntN(choices) {
	case 0:
		return random.IntN(2000) - 1000
	case 1:
		return float64(random.IntN(1000)) / 8
	case 2:
		return random.IntN(2) == 0
	case 3:
		return nil
	case 4:
		return randomWord(random)
	case 5:
		odd := []string{"", "yes", "off", "null", "~", "1", "1.5", "0x1f", "1e5", "08", "12:30", "1,000", ":a", "2024-01-31", "*a", "&a", "a: b",
			"x # y", "two\nlines\n", " padded ", "((v))", "10.0.0.1", "<<", "é\t\"'"}
		return odd[random.IntN(len(odd))]
	case 6, 7:
		return randomProperties(random, depth-1)
	default:
		var list []any
		for range random.IntN(4) {
			list = append(list, randomValue(random, depth-1))
		}
		return list
	}
}

// mutations changes each leaf, adds a key to each mapping, and swaps the first and last of each list whose ends
// differ; each returns its undoing. What only `update` says is left alone.
func mutations(tree object) []func() func() {
	var found []func() func()
	var walk func(path string, value any, set func(any))
	walk = func(path string, value any, set func(any)) {
		switch v := value.(type) {
		case object:
			found = append(found, func() func() {
				v["added"] = "value"
				return func() { delete(v, "added") }
			})
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if below := path + "/" + key; below != "/update" && below != "/instance_groups/-/update" {
					walk(below, v[key], func(other any) { v[key] = other })
				}
			}
		case []any:
			if last := len(v) - 1; last > 0 && fmt.Sprintf("%#v", v[0]) != fmt.Sprintf("%#v", v[last]) {
				found = append(found, func() func() {
					v[0], v[last] = v[last], v[0]
					return func() { v[0], v[last] = v[last], v[0] }
				})
			}
			for i, below := range v {
				walk(path+"/-", below, func(other any) { v[i] = other })
			}
		default:
			found = append(found, func() func() {
				set(otherValue(v))
				return func() { set(v) }
			})
		}
	}
	walk("", tree, nil)
	return found
}

func otherValue(value any) any {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int:
		return v + 1
	case float64:
		return v + 0.125
	default:
		return fmt.Sprint(v) + "x"
	}
}

// writeInSomeStyle writes a tree with its keys in some order, and quotes, flow, anchors and spellings of numbers by
// chance.
func writeInSomeStyle(tb testing.TB, random *rand.Rand, tree object) string {
	tb.Helper()
	w := styleWriter{random: random, anchored: map[string]*yaml.Node{}}
	written, err := yaml.Marshal(w.node(tree))
	if err != nil {
		tb.Fatal(err)
	}
	return string(written)
}

type styleWriter struct {
	random   *rand.Rand
	anchored map[string]*yaml.Node // by what they say
}

func (w *styleWriter) chance() bool { return w.random.IntN(3) == 0 }

func (w *styleWriter) node(value any) *yaml.Node {
	switch v := value.(type) {
	case object:
		said := fmt.Sprintf("%#v", v)
		if earlier := w.anchored[said]; earlier != nil && w.chance() {
			earlier.Anchor = "a" + strconv.Itoa(len(said)) + strings.Map(onlyLetters, said)
			return &yaml.Node{Kind: yaml.AliasNode, Value: earlier.Anchor, Alias: earlier}
		}
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if w.chance() {
			n.Style = yaml.FlowStyle
		}
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		w.random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		for _, key := range keys {
			n.Content = append(n.Content, w.text(key), w.node(v[key]))
		}
		w.anchored[said] = n
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, w.node(item))
		}
		return n
	case string:
		return w.text(v)
	default:
		return w.plain(v)
	}
}

func onlyLetters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

func (w *styleWriter) text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	switch {
	case w.chance():
		n.Style = yaml.SingleQuotedStyle
	case strings.HasPrefix(s, "w") && w.chance(): // words need no quotes
		n.Style = 0
	}
	return n
}

func (w *styleWriter) plain(value any) *yaml.Node {
	var spellings []string
	switch v := value.(type) {
	case nil:
		spellings = []string{"null", "~", "Null", "NULL"}
	case bool:
		spellings = map[bool][]string{true: {"true", "True", "TRUE", "yes", "On"}, false: {"false", "False", "no", "OFF"}}[v]
	case int:
		spellings = []string{strconv.Itoa(v)}
		if v > 0 {
			spellings = append(spellings, "+"+spellings[0], fmt.Sprintf("0x%X", v), fmt.Sprintf("0%o", v))
		}
	case float64:
		spellings = []string{fmt.Sprintf("%.3f", v), fmt.Sprintf("%.5f", v), fmt.Sprintf("%.6e", v)}
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: spellings[w.random.IntN(len(spellings))]}
	n.Tag = n.ShortTag() // as a reader of YAML 1.2 sees it: else the library would quote it
	return n
}
