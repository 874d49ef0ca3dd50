package osbcheck

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRulesForCatalogs(t *testing.T) {
	const plan = `{"id":"p","name":"small","description":"d"}`
	service := func(more, plans string) string {
		return `{"services":[{"id":"s","name":"redis","description":"d","bindable":true` + more + `,"plans":[` + plans + `]}]}`
	}
	of := func(more string) string { return service("", strings.TrimSuffix(plan, "}")+","+more+"}") }
	schema := func(text string) string {
		return of(`"schemas":{"service_instance":{"create":{"parameters":` + text + `}}}`)
	}
	for _, c := range []struct {
		row, catalog string
		fails        bool
	}{
		{"B1", service("", plan), false},
		{"B1", `{"services":[]}`, true},
		{"B1", `{"services":null}`, true},
		{"B3", `{"services":[{"name":"my service"}]}`, true},
		{"B3", `{"services":[{"name":"a"},{"name":"a"}]}`, true},
		{"B4", service("", `{"id":"p","name":"n"}`), true},
		{"B5", `{"services":[{"bindable":"yes"}]}`, true},
		{"B5", `{"services":[{}]}`, true},
		{"B6", service("", ""), true},
		{"B7", service("", plan+","+plan), true},
		{"B7", service("", `{"name":"n"}`), true},
		{"B9", service(`,"requires":["syslog_drain"]`, plan), false},
		{"B9", service(`,"requires":["root"]`, plan), true},
		{"B9", service(`,"requires":"syslog_drain"`, plan), true},
		{"B10", of(`"bindable":"no"`), true},
		{"B11", of(`"plan_updatable":true`), true},
		{"B11", service(`,"plan_updateable":1`, plan), true},
		{"B12", of(`"free":0`), true},
		{"B17", schema(`{"$schema":"x"}`), false},
		{"B17", schema(`{}`), true},
		{"B17", schema(`{"$schema":"x","a":[{"$ref":"https://elsewhere"}]}`), true},
		{"B17", schema(`{"$schema":"x","a":{"$ref":"#/b"}}`), false},
		{"B17", schema(`{"$schema":"` + strings.Repeat("x", 64<<10) + `"}`), true},
		{"B18", schema(`null`), true},
		{"B18", schema(`{"default":null}`), false},
		{"B19", of(`"maximum_polling_duration":1.5`), true},
		{"B19", of(`"maximum_polling_duration":"60"`), true},
		{"B19", of(`"maximum_polling_duration":60`), false},
		{"B20", of(`"maintenance_info":{"version":"1.2.3-a+b"}`), false},
		{"B20", of(`"maintenance_info":{"version":"1.2"}`), true},
		{"B20", of(`"maintenance_info":{"version":"1.2.3","private":"x"}`), true},
		{"B21", of(`"description":"` + strings.Repeat("ä", 10_001) + `"`), true},
		{"B22", of(`"metadata":{"bullets":"one"}`), true},
		{"B22", service(`,"metadata":{"shareable":"no"}`, plan), true},
		{"B23", service(`,"dashboard_client":{"id":"x","secret":"y"}`, plan), true},
		{"B23", service(`,"dashboard_client":{"id":"x","secret":"y","redirect_uri":"https://z"}`, plan), false},
		{"L1", schema(`{"$schema":"http://json-schema.org/draft-07/schema#"}`), true},
		{"L1", schema(`{"$schema":"http://json-schema.org/draft-04/schema#"}`), false},
	} {
		e := &Exchange{text: []byte(c.catalog)}
		if err := json.Unmarshal(e.text, &e.object); err != nil {
			t.Fatalf("%s: %v", c.catalog, err)
		}
		if err := checkOf(t, c.row).run(t.Context(), &session{catalog: e}); (err != nil) != c.fails {
			t.Errorf("%s of %s: %v", c.row, c.catalog, err)
		}
	}
}

func checkOf(t *testing.T, row string) Check {
	t.Helper()
	for _, c := range Checks() {
		if c.Row == row {
			return c
		}
	}
	t.Fatalf("there is no row %s", row)
	return Check{}
}

func TestEveryRowIsThereOnceAndSaysWhatItIs(t *testing.T) {
	last := map[byte]int{}
	for _, c := range Checks() {
		if c.Title == "" || c.Holds == "" || !strings.Contains("MSOP", string(c.Level)) {
			t.Errorf("%s lacks something: %+v", c.Row, c)
		}
		if (c.run == nil) == (c.Elsewhere == "") {
			t.Errorf("%s is checked, or says why not, but not both", c.Row)
		}
		section, number := c.Row[0], 0
		for _, digit := range c.Row[1:] {
			number = number*10 + int(digit-'0')
		}
		if number != last[section]+1 {
			t.Errorf("%s follows %c%d", c.Row, section, last[section])
		}
		last[section] = number
	}
	want := map[byte]int{'A': 27, 'B': 26, 'C': 21, 'D': 8, 'E': 22, 'F': 14, 'G': 13, 'H': 24, 'I': 8, 'J': 10, 'K': 8, 'L': 7}
	for section, number := range want {
		if last[section] != number {
			t.Errorf("section %c has %d rows, not %d", section, last[section], number)
		}
	}
}

func TestShownBodiesHoldNoSecret(t *testing.T) {
	for text, want := range map[string]string{
		``: ``,
		`{"credentials":{"password":"hush"},"a":[{"parameters":{"pin":"hush"}}],"dashboard_client":{"id":"x","secret":"hush"}}`: `{"a":[{"parameters":"(cut out)"}],"credentials":"(cut out)","dashboard_client":{"id":"x","secret":"(cut out)"}}`,
		`hush`:                                 `(4 bytes that are no JSON)`,
		`{"credentials":{"password":"hu`:       `(30 bytes that are no JSON)`,
		`"` + strings.Repeat("x", 9<<10) + `"`: `"` + strings.Repeat("x", maxShown-1) + `...`,
	} {
		if got := shown([]byte(text)); got != want {
			t.Errorf("%.60s is shown as %.100s, not %.100s", text, got, want)
		}
	}
}
