package cftest

import (
	"encoding/json"
	"net/url"
	"testing"
)

// FuzzQuery: whatever is asked for, a list is refused or asks for a page that can be, and the way to its pages asks for
// the same.
func FuzzQuery(f *testing.F) {
	for _, raw := range []string{
		"", "page=2&per_page=5000", "page=0", "per_page=abc", "per_page=5001", "names=a,b%2Cc", "names=a%252Cb", "names=", "names=a&names=b",
		"order_by=-name", "order_by=bogus", "nonsense=1", "fields[space]=name,guid", "fields%5Bspace.organization%5D=name", "%zz=%", "&&=&",
		"page=9223372036854775807&per_page=5000", "label_selector=a",
	} {
		f.Add(raw)
	}
	kind := listableBy([]string{"names", "fields"}, "names", "fields", "label_selector")
	f.Fuzz(func(t *testing.T, raw string) {
		l, problems, unmodelled := kind.parse("/v3/x", raw)
		if len(problems) > 0 || len(unmodelled) > 0 {
			return
		}
		if l.page < 1 || l.perPage < 1 || l.perPage > maximumPerPage {
			t.Fatalf("page %d of %d a page", l.page, l.perPage)
		}
		made, shown := page(&CloudController{url: "http://cc"}, l, []*organization{{}, {}, {}})
		if len(shown) > l.perPage || made.pagination.TotalResults != 3 {
			t.Errorf("%d on the page, %d in all", len(shown), made.pagination.TotalResults)
		}
		parsed, err := url.Parse(l.href("http://cc", 7))
		if err != nil {
			t.Fatal(err)
		}
		again, problems, _ := kind.parse("/v3/x", parsed.RawQuery)
		if len(problems) > 0 || again.page != 7 || again.perPage != l.perPage || again.order != l.order || again.descending != l.descending {
			t.Errorf("%q leads to %+v, %v", parsed.RawQuery, again, problems)
		}
		for _, p := range l.parameters {
			if value, is := again.value(p.name); !is || value != p.value {
				t.Errorf("%q is lost in %q", p.name, parsed.RawQuery)
			}
		}
	})
}

// FuzzBody: whatever is sent, it is read as fields, and a broker made of them is whole or has problems.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		"", "{}", "[1]", "null", `{"name":`, `{"name":"a","bogus":1}`, "a=b&c", "%zz",
		`{"name":"a","url":"http://b","authentication":{"type":"basic","credentials":{"username":"u","password":"p"}}}`,
		`{"name":1,"url":"::","authentication":[]}`,
	} {
		f.Add("application/json", body)
		f.Add("application/x-www-form-urlencoded", body)
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		fields := parseBody(contentType, []byte(body))
		change, problems := readBroker(fields, true)
		if len(problems) == 0 && (change.name == nil || change.url == nil || change.credentials == nil) {
			t.Errorf("nothing is wrong with %q, and something is missing", body)
		}
		_ = textIn(fields, "relationships", "space", "data", "guid")
	})
}

// FuzzCatalog: a catalog that nothing is wrong with has offerings with plans, all with ids of their own.
func FuzzCatalog(f *testing.F) {
	whole := `{"services":[{"id":"a","name":"b","description":"c","plans":[{"id":"d","name":"e","description":"f","schemas":{"service_instance":1}}]}]}`
	for _, raw := range []string{whole, "", "{}", "[]", `{"services":null}`, `{"services":[{}]}`, `{"services":[{"id":"a","plans":[{}]}]}`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		services, problems := parseCatalog(raw)
		if len(problems) > 0 {
			return
		}
		if len(services) == 0 {
			t.Fatal("nothing is offered, and nothing is wrong")
		}
		ids := map[string]bool{}
		for _, s := range services {
			for _, p := range s.Plans {
				if ids[p.ID] || p.ID == "" {
					t.Errorf("id %q of two plans", p.ID)
				}
				ids[p.ID] = true
				if made := (&plan{catalog: p}).schemas(); !json.Valid(encode(made)) {
					t.Errorf("schemas %v", made)
				}
			}
		}
	})
}

// FuzzBrokerAnswer: what a broker says is read as an object, or is a failure, or is at least no success.
func FuzzBrokerAnswer(f *testing.F) {
	for _, raw := range []string{`{"operation":"a"}`, "", "[]", "null", `{"operation":1}`, "<html>", ` {"credentials":{"a":1}}`} {
		f.Add(200, []byte(raw))
		f.Add(500, []byte(raw))
	}
	f.Fuzz(func(t *testing.T, status int, raw []byte) {
		a, failure := parseAnswer(status, raw)
		if failure == nil && status < 300 && !json.Valid(raw) {
			t.Errorf("%q is taken for an answer", raw)
		}
		if a.refused().Detail == "" {
			t.Error("a refusal without a word")
		}
	})
}
