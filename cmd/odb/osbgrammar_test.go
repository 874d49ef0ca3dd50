package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
)

// osbRequest is a request as a platform might send it, or might not.
type osbRequest struct {
	verb    string // that it was made for
	method  string
	path    string // escaped
	query   string // raw
	body    string
	headers map[string]string
	chunked bool     // its length isn't told in advance
	changes []string // what was done to it
}

func (r osbRequest) String() string {
	return fmt.Sprintf("%s: %s %s?%s\n  headers %q\n  body %.600q\n  changed: %s", r.verb, r.method, r.path, r.query, r.headers, r.body, strings.Join(r.changes, ", "))
}

// osbGrammar makes requests: right ones of all verbs on few instances and bindings, so that they meet, and wrong ones by
// changing right ones in all their parts.
type osbGrammar struct {
	*rand.Rand
	operations []string // that the broker answered lately
}

var (
	fuzzInstances = []string{"i-1", "i-2", "i-3"}
	fuzzBindings  = []string{"b-1", "b-2"}
	fuzzPlans     = []string{smallPlan, largePlan}
)

func oneOf[T any](g *osbGrammar, all []T) T { return all[g.IntN(len(all))] }

// remember keeps an operation for polls to come.
func (g *osbGrammar) remember(operation string) {
	g.operations = append(g.operations, operation)
	g.operations = g.operations[max(0, len(g.operations)-8):]
}

// next is a request with none to three changes.
func (g *osbGrammar) next() osbRequest {
	r, body := g.valid()
	changes := oneOf(g, []int{0, 0, 1, 1, 1, 1, 2, 3})
	bodyChanges := 0
	if body != nil && changes > 0 {
		bodyChanges = g.IntN(changes + 1)
	}
	for range bodyChanges {
		r.changes = append(r.changes, g.changeTree(body))
	}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		r.body = string(text)
	}
	for range changes - bodyChanges {
		g.change(&r)
	}
	return r
}

// valid is a request as OSB 2.17 has it. Its body is apart.
func (g *osbGrammar) valid() (r osbRequest, body object) {
	instance, plan := instancePath(oneOf(g, fuzzInstances)), oneOf(g, fuzzPlans)
	binding := instance + "/service_bindings/" + oneOf(g, fuzzBindings)
	pair := planQuery(plan)
	r.headers = map[string]string{"X-Broker-API-Version": "2.17", "Content-Type": "application/json"}
	if g.IntN(2) == 0 {
		r.headers["X-Broker-API-Originating-Identity"] = "cloudfoundry " + base64.StdEncoding.EncodeToString([]byte(`{"user_id":"jane"}`))
	}
	place := object{"platform": "cloudfoundry", "organization_guid": "org", "space_guid": "space", "instance_name": oneOf(g, []string{"one", "two"})}
	r.verb = oneOf(g, []string{"provision", "provision", "provision", "update", "update", "deprovision", "bind", "bind", "unbind", "poll", "poll", "poll", "read", "read-binding", "poll-binding", "catalog"})
	switch r.verb {
	case "provision":
		r.method, r.path, r.query = "PUT", instance, "accepts_incomplete=true"
		body = merged(provisionBody(plan), object{"context": place, "parameters": object{"size": g.IntN(3), "tags": []any{"a", "b"}}})
	case "update":
		r.method, r.path, r.query = "PATCH", instance, "accepts_incomplete=true"
		body = object{"service_id": serviceID, "plan_id": plan, "context": place, "parameters": object{"size": g.IntN(3)},
			"previous_values": object{"service_id": serviceID, "plan_id": oneOf(g, fuzzPlans), "organization_id": "org", "space_id": "space"}}
	case "deprovision":
		r.method, r.path, r.query = "DELETE", instance, "accepts_incomplete=true&"+pair
	case "bind":
		r.method, r.path, r.query = "PUT", binding, "accepts_incomplete="+oneOf(g, []string{"true", "false"})
		body = object{"service_id": serviceID, "plan_id": plan, "context": place, "bind_resource": object{"app_guid": "app"}, "app_guid": "app", "parameters": object{"role": "reader"}}
	case "unbind":
		r.method, r.path, r.query = "DELETE", binding, pair
	case "poll":
		r.method, r.path, r.query = "GET", instance+"/last_operation", pair+"&operation="+url.QueryEscape(g.operation())
	case "read":
		r.method, r.path, r.query = "GET", instance, pair
	case "read-binding":
		r.method, r.path, r.query = "GET", binding, pair
	case "poll-binding":
		r.method, r.path, r.query = "GET", binding+"/last_operation", pair
	case "catalog":
		r.method, r.path = "GET", "/v2/catalog"
	}
	return r, body
}

func (g *osbGrammar) operation() string {
	if len(g.operations) == 0 {
		return `{"BoshTaskID":1,"OperationType":"create"}`
	}
	return oneOf(g, g.operations)
}

// odd is a JSON value that is seldom what is wanted.
func (g *osbGrammar) odd() any {
	return oneOf(g, []any{
		nil, true, 0, -1, 1.5, "", " ", "x", smallPlan, "service-instance_i-1", "no-such-id", []any{}, []any{nil, object{}}, object{}, object{"": object{"a": nil}},
		"\x00", "💥\u202e", "../../etc", "((secret))", strings.Repeat("long ", 1000),
		json.RawMessage("1e999999"), json.RawMessage("123456789012345678901234567890"), json.RawMessage(`"\ud800"`), json.RawMessage("-0.0"),
		json.RawMessage(strings.Repeat("[", 300) + strings.Repeat("]", 300)), json.RawMessage(strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)),
	})
}

// changeTree changes one member of one object of a body.
func (g *osbGrammar) changeTree(body object) string {
	places := []object{body}
	for i := 0; i < len(places); i++ {
		for _, name := range slices.Sorted(maps.Keys(places[i])) {
			if inner, ok := places[i][name].(object); ok {
				places = append(places, inner)
			}
		}
	}
	place := oneOf(g, places)
	names := slices.Sorted(maps.Keys(place))
	if len(names) == 0 {
		place["added"] = g.odd()
		return "added a member"
	}
	name := oneOf(g, names)
	switch g.IntN(5) {
	case 0:
		delete(place, name)
		return "no " + name
	case 1:
		place[strings.ToUpper(name)] = place[name]
		delete(place, name)
		return "in capitals: " + name
	case 2:
		added := oneOf(g, []string{"added", "maintenance_info", "predecessor_binding_id", "parameters", "context", "dashboard_url", "", "__proto__"})
		place[added] = g.odd()
		return "added " + added
	default:
		place[name] = g.odd()
		return "odd " + name
	}
}

// change changes one of the other parts of a request.
func (g *osbGrammar) change(r *osbRequest) {
	parts := []struct {
		name   string
		change func(*osbRequest)
	}{
		{"body", g.changeText}, {"body", g.changeText}, {"query", g.changeQuery}, {"query", g.changeQuery},
		{"path", g.changePath}, {"header", g.changeHeader}, {"method", g.changeMethod},
	}
	part := oneOf(g, parts)
	part.change(r)
	r.changes = append(r.changes, part.name)
}

func (g *osbGrammar) changeText(r *osbRequest) {
	at := 0
	if r.body != "" {
		at = g.IntN(len(r.body))
	}
	random := string([]byte{byte(g.IntN(256))})
	r.body = oneOf(g, []func() string{
		func() string { return "" },
		func() string { return "null" },
		func() string { return r.body[:at] },
		func() string { return r.body[:at] + random + r.body[at:] },
		func() string { return r.body[:at] + random + r.body[min(at+1, len(r.body)):] },
		func() string { return r.body + r.body },
		func() string { return "\ufeff" + r.body },
		func() string { return "[" + r.body + "]" },
		func() string { return " \n" + r.body + "\n " },
		func() string { return strings.Replace(r.body, "{", `{"plan_id":7,"service_id":null,`, 1) },
		func() string { return strings.Replace(r.body, "{", `{"x":"`+strings.Repeat("x", 2<<20)+`",`, 1) },
		func() string { return url.Values{"service_id": {serviceID}}.Encode() },
	})()
	r.chunked = g.IntN(4) == 0
}

func (g *osbGrammar) changeQuery(r *osbRequest) {
	members := strings.Split(r.query, "&")
	at := g.IntN(len(members))
	name, value, _ := strings.Cut(members[at], "=")
	odd := oneOf(g, []string{"", "true", "TRUE", "1", "false", smallPlan, "no-such-id", "%00", "%zz", "a%2Fb", "💥", `{"BoshTaskID":-1,"OperationType":"delete"}`,
		`{"BoshTaskID":99999999999999999999,"OperationType":"create"}`, `{"BoshTaskID":1,"OperationType":"update","BoshContextID":"x"}`, "[]", "null", strings.Repeat("9", 12000)})
	if name == "operation" && g.IntN(2) == 0 {
		odd = g.changedOperation(value)
	}
	r.query = oneOf(g, []func() string{
		func() string { return strings.Join(slices.Delete(slices.Clone(members), at, at+1), "&") },
		func() string { return r.query + "&" + members[at] },
		func() string { return r.query + "&" + name + "=" + url.QueryEscape(odd) },
		func() string {
			return strings.Join(slices.Replace(members, at, at+1, name+"="+url.QueryEscape(odd)), "&")
		},
		func() string {
			return strings.Join(slices.Replace(members, at, at+1, name+"="+url.QueryEscape(odd)), "&")
		},
		func() string { return r.query + ";%zz&&=&" + "accepts_incomplete" },
	})()
}

// changedOperation is an operation with one of its bytes changed.
func (g *osbGrammar) changedOperation(escaped string) string {
	text, err := url.QueryUnescape(escaped)
	if err != nil || text == "" {
		return "{}"
	}
	at := g.IntN(len(text))
	return text[:at] + oneOf(g, []string{"", "0", "9", `"`, "}", "x"}) + text[at+1:]
}

func (g *osbGrammar) changePath(r *osbRequest) {
	segments := strings.Split(strings.TrimPrefix(r.path, "/"), "/")
	at := g.IntN(len(segments))
	odd := url.PathEscape(oneOf(g, []string{"", " ", ".", "..", "a/b", "a%2Fb", "\x00", "💥", "I-1", "i-1 ", "no-such-id", "last_operation", "service_bindings", strings.Repeat("x", 256), strings.Repeat("é", 300)}))
	switch g.IntN(4) {
	case 0:
		segments = slices.Delete(segments, at, at+1)
	case 1:
		segments = slices.Insert(segments, at, odd)
	default:
		segments[at] = odd
	}
	r.path = "/" + strings.Join(segments, "/")
}

func (g *osbGrammar) changeHeader(r *osbRequest) {
	odd := oneOf(g, []string{"", "2.17", "2.99999999999999999999", "1.0", "3", "x", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "text/plain",
		"cloudfoundry", "cloudfoundry !!!", "cloudfoundry bnVsbA==", "a b c", "Basic", "Basic !!!", "Basic " + base64.StdEncoding.EncodeToString([]byte("platform:wrong")), "Bearer x", "gzip", "*", strings.Repeat("h", 20000)})
	name := oneOf(g, []string{"X-Broker-API-Version", "Content-Type", "X-Broker-API-Originating-Identity", "Authorization", "Traceparent", "If-None-Match", "Content-Encoding", "Accept", "Expect"})
	if name == "Expect" { // the HTTP library refuses any other
		odd = "100-continue"
	}
	r.headers[name] = odd
}

func (g *osbGrammar) changeMethod(r *osbRequest) {
	r.method = oneOf(g, []string{"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"})
}
