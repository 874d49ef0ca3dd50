package cftest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Where the recorded Cloud Controller, its UAA and its broker were.
const (
	recordedAPI    = "http://127.0.0.1:38181"
	recordedUAA    = "http://127.0.0.1:38080"
	recordedBroker = "http://127.0.0.1:39210"
)

var (
	uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	stampFormat = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
)

// names translates what was called something in the recordings into what is called so now: GUIDs, which are learnt, and
// addresses.
type names struct {
	guids     map[string]string
	addresses *strings.Replacer
}

// translate is recorded text as it would be now, as far as that is known.
func (x *names) translate(text string) string {
	return x.addresses.Replace(uuidPattern.ReplaceAllStringFunc(text, func(u string) string {
		if known, is := x.guids[u]; is {
			return known
		}
		return u
	}))
}

// same compares text, and learns the GUIDs that it didn't know.
func (x *names) same(recorded, got string) bool {
	from, to := uuidPattern.FindAllString(recorded, -1), uuidPattern.FindAllString(got, -1)
	if len(from) == len(to) {
		for n := range from {
			if _, known := x.guids[from[n]]; !known {
				x.guids[from[n]] = to[n]
			}
		}
	}
	return x.translate(recorded) == got
}

// comparison collects how an answer, or a request to a broker, differs from the recorded one.
type comparison struct {
	names  *names
	values bool // compare values too, not only the shape
	faults []string
}

func (c *comparison) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// headers that matter to a client. Those for browsers, and those of the web server of the recorded Cloud Controller,
// aren't compared.
func (c *comparison) headers(recorded, got http.Header, which ...string) {
	for _, name := range which {
		w, g := recorded.Get(name), got.Get(name)
		if name == "Content-Type" {
			w, g = strings.ReplaceAll(w, " ", ""), strings.ReplaceAll(g, " ", "")
		}
		if !c.names.same(w, g) {
			c.fault("%s: %q, recorded %q", name, g, w)
		}
	}
}

// present are headers in which GUIDs are new each time.
func (c *comparison) present(recorded, got http.Header, which ...string) {
	for _, name := range which {
		w, g := uuidPattern.ReplaceAllString(recorded.Get(name), "UUID"), uuidPattern.ReplaceAllString(got.Get(name), "UUID")
		if w != g {
			c.fault("%s: %q, recorded %q", name, g, w)
		}
	}
}

func (c *comparison) body(recorded, got string) {
	recorded, got = strings.TrimSpace(recorded), strings.TrimSpace(got)
	if recorded == "" || got == "" {
		if recorded != got {
			c.fault("body %q, recorded %q", got, recorded)
		}
		return
	}
	var w, g any
	if err := json.Unmarshal([]byte(recorded), &w); err != nil {
		c.fault("the recorded body is not JSON: %v", err)
		return
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		c.fault("body is not JSON: %.200q", got)
		return
	}
	c.value("", w, g)
}

func (c *comparison) value(path string, recorded, got any) {
	if fmt.Sprintf("%T", recorded) != fmt.Sprintf("%T", got) {
		c.fault("%s: %v, recorded %v", path, got, recorded)
		return
	}
	switch w := recorded.(type) {
	case map[string]any:
		g := got.(map[string]any) // the types are the same
		recordedKeys, gotKeys := slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(g))
		if !slices.Equal(recordedKeys, gotKeys) {
			c.fault("%s: keys %v, recorded %v", path, gotKeys, recordedKeys)
			return
		}
		for _, key := range recordedKeys {
			c.value(path+"."+key, w[key], g[key])
		}
	case []any:
		g := got.([]any)
		if len(w) != len(g) {
			c.fault("%s: %d items, recorded %d", path, len(g), len(w))
			return
		}
		for n := range w {
			c.value(fmt.Sprintf("%s[%d]", path, n), w[n], g[n])
		}
	case string:
		c.text(path, w, got.(string))
	default:
		if c.values && recorded != got {
			c.fault("%s: %v, recorded %v", path, got, recorded)
		}
	}
}

func (c *comparison) text(path, recorded, got string) {
	switch {
	case strings.HasSuffix(path, ".created_at") || strings.HasSuffix(path, ".updated_at"):
		if !stampFormat.MatchString(got) {
			c.fault("%s: %q, recorded %q", path, got, recorded)
		}
	case c.values && !c.names.same(recorded, got):
		c.fault("%s: %q, recorded %q", path, got, c.names.translate(recorded))
	}
}
