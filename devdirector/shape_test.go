package devdirector_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// volatile are keys whose values differ from one Director to the next; of them only the type is compared.
var volatile = []string{
	"timestamp", "started_at", "time", "created_at", "vm_created_at", "orphaned_at", "timeout", "task_id", "task",
	"id", "parent_id", "cid", "vm_cid", "agent_id", "disk_cid", "disk_cids", "ips", "ip", "url", "urls",
	"blobstore_id", "sha1", "link_consumer_id", "link_provider_id", "vitals", "processes", "cloud_properties",
}

var digits = regexp.MustCompile(`\d+`)

// comparison collects how an answer differs from the recorded one.
type comparison struct {
	ids       *ids
	exact     bool // values too, not only the shape
	providers bool // the answer is a list of link providers
	faults    []string
}

func (c *comparison) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// headers that matter to a client.
func (c *comparison) headers(want, got http.Header) {
	for _, name := range []string{"Content-Type", "WWW-Authenticate", "X-Cascade"} {
		if want.Get(name) != got.Get(name) {
			c.fault("%s: %q, recorded %q", name, got.Get(name), want.Get(name))
		}
	}
	if w, g := mask(want.Get("Content-Range")), mask(got.Get("Content-Range")); w != g {
		c.fault("Content-Range: %q, recorded %q", g, w)
	}
	w, g := locationShape.FindString(want.Get("Location")), locationShape.FindString(got.Get("Location"))
	if (want.Get("Location") == "") != (got.Get("Location") == "") || (w != "") != (g != "") {
		c.fault("Location: %q, recorded %q", got.Get("Location"), want.Get("Location"))
	}
}

var locationShape = regexp.MustCompile(`^https?://[^/]+/tasks/\d+$`)

func mask(s string) string { return digits.ReplaceAllString(s, "N") }

// body compares JSON by its shape, lines of JSON line by line, and text as it is but for ids.
func (c *comparison) body(want, got string) {
	want, got = strings.TrimSpace(want), strings.TrimSpace(got)
	var wantValue, gotValue any
	if json.Unmarshal([]byte(want), &wantValue) == nil {
		if err := json.Unmarshal([]byte(got), &gotValue); err != nil {
			c.fault("body is not JSON: %.200q", got)
			return
		}
		c.value("", wantValue, gotValue)
		return
	}
	if strings.HasPrefix(want, "{") {
		c.lines(strings.Split(want, "\n"), strings.Split(got, "\n"))
		return
	}
	if !c.exact && want != "" && got != "" {
		return
	}
	if textShape(want) != textShape(got) {
		c.fault("body %q, recorded %q", got, want)
	}
}

func textShape(s string) string {
	s = uuidPattern.ReplaceAllString(s, "UUID")
	s = hexPattern.ReplaceAllString(s, "HEX")
	return taskIDPattern.ReplaceAllString(s, "${1}N")
}

func (c *comparison) lines(want, got []string) {
	if !c.exact {
		c.value("", parseLines(want), parseLines(got))
		return
	}
	if len(want) != len(got) {
		c.fault("%d lines, recorded %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
		return
	}
	for n := range want {
		var w, g any
		if json.Unmarshal([]byte(want[n]), &w) != nil || json.Unmarshal([]byte(got[n]), &g) != nil {
			c.fault("line %d: %s\nrecorded %s", n, got[n], want[n])
			continue
		}
		c.value(fmt.Sprintf("[%d]", n), w, g)
	}
}

func parseLines(lines []string) []any {
	var list []any
	for _, line := range lines {
		var v any
		if json.Unmarshal([]byte(line), &v) == nil {
			list = append(list, v)
		}
	}
	return list
}

func (c *comparison) value(path string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		g, is := got.(map[string]any)
		if !is {
			c.fault("%s: %v, recorded a hash", path, got)
			return
		}
		c.hash(path, w, g)
	case []any:
		g, is := got.([]any)
		if !is {
			c.fault("%s: %v, recorded a list", path, got)
			return
		}
		c.list(path, w, g)
	default:
		c.scalar(path, want, got)
	}
}

func (c *comparison) hash(path string, want, got map[string]any) {
	if w, g := keys(want), keys(got); !slices.Equal(w, g) {
		c.fault("%s: keys %v, recorded %v", path, g, w)
		return
	}
	for key := range want {
		if key == "vitals" || key == "cloud_properties" {
			if fmt.Sprintf("%T", want[key]) != fmt.Sprintf("%T", got[key]) {
				c.fault("%s.%s: %T, recorded %T", path, key, got[key], want[key])
			}
			continue
		}
		c.value(path+"."+key, want[key], got[key])
	}
}

func keys(m map[string]any) []string {
	list := make([]string, 0, len(m))
	for key := range m {
		list = append(list, key)
	}
	sort.Strings(list)
	return list
}

// list compares lists of the same length item by item if values count; else each item must have the shape of some
// recorded one.
func (c *comparison) list(path string, want, got []any) {
	if (len(want) == 0) != (len(got) == 0) {
		c.fault("%s: %d items, recorded %d", path, len(got), len(want))
		return
	}
	if c.exact && len(want) == len(got) && !strings.HasSuffix(path, ".processes") {
		for n := range want {
			c.value(fmt.Sprintf("%s[%d]", path, n), want[n], got[n])
		}
		return
	}
	for n, item := range got {
		if !slices.ContainsFunc(want, func(w any) bool { return sameShape(w, item) }) {
			c.fault("%s[%d]: no recorded item looks like %v", path, n, item)
		}
	}
}

func sameShape(want, got any) bool {
	c := comparison{ids: newIDs()}
	c.value("", want, got)
	return len(c.faults) == 0
}

func (c *comparison) scalar(path string, want, got any) {
	if fmt.Sprintf("%T", want) != fmt.Sprintf("%T", got) {
		c.fault("%s: %v, recorded %v", path, got, want)
		return
	}
	w, isText := want.(string)
	g, _ := got.(string)
	if isText {
		c.learn(path, w, g)
	}
	key, _, _ := strings.Cut(path[strings.LastIndex(path, ".")+1:], "[")
	if !c.exact || (slices.Contains(volatile, key) && key != "task") {
		return
	}
	if isText && textShape(w) != textShape(g) && !(key == "task" && mask(w) == mask(g)) {
		c.fault("%s: %q, recorded %q", path, g, w)
	}
	if !isText && want != got {
		c.fault("%s: %v, recorded %v", path, got, want)
	}
}

// learn notes which id stands for which.
func (c *comparison) learn(path, want, got string) {
	if from, to := uuidPattern.FindAllString(want, -1), uuidPattern.FindAllString(got, -1); len(from) == len(to) {
		for n := range from {
			c.ids.uuids[from[n]] = to[n]
		}
	}
	if c.providers && strings.HasSuffix(path, "[0].id") {
		c.ids.providers[want] = got
	}
}
