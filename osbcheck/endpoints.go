package osbcheck

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// allEndpoints is section A: what holds for every request.
func allEndpoints() []Check {
	return []Check{
		inside("A1", Must, reading, "wrong or missing credentials", "401, whatever is asked for", wrongLogins),
		inside("A2", Must, reading, "every request is authenticated", "401 also for polls, reads and unknown paths", noLogin),
		inside("A3", Optional, reading, "a version that is not spoken", "412 with a description that names the version to use", describedRefusals(412, versions("1.0", "3.0"))),
		inside("A4", Optional, reading, "no version", "412 (or 400) with a description", describedRefusals(412, versions(""), 400)),
		inside("A5", Practice, reading, "a version that is none", "412", describedRefusals(412, versions("2", "abc", "2.17abc"), 400)),
		inside("A6", Must, reading, "a higher minor version", "it is served: minor versions add to one another", answers([]int{200}, versions("2.99"))),
		inside("A7", Practice, reading, "an older minor version", "the catalog is served; GET of instances, which it doesn't have, is refused", olderMinor),
		inside("A8", Optional, reading, "who asks, well and badly encoded", "it is taken; what can't be decoded is no failure of the broker", originatingIdentities),
		outside(Check{Row: "A9", Level: Must, Title: "platform in identity and context", Holds: "the same in both", Elsewhere: "it is the platform's duty, and a broker may but need not answer 400", Test: `cmd/odb/whoasks_test.go "may be of another platform than the context, which is in the log"`}),
		inside("A10", Should, overall, "the request's identity", "it comes back on every answer, refusals too", echoed),
		outside(Check{Row: "A11", Level: Optional, Title: "the request's identity in the log", Holds: "in the lines of the request", Elsewhere: "the log is inside", Test: `server/server_test.go "TestWhoAsksIsInTheLogAndInTheAnswer"`}),
		inside("A12", Must, there, "members that no broker knows", "they are ignored, at every level", unknownMembers),
		inside("A13", Must, overall, "statuses", "no request of the run was answered with a redirect or 5xx", aptStatuses),
		inside("A14", Must, overall, "error bodies", "a JSON object; error is one CamelCase word, description a text; neither is empty", errorBodies),
		inside("A15", Should, overall, "Content-Type", "application/json on every answer with a body", contentTypes),
		inside("A16", Should, refused, "a body that is not the JSON of the verb", "400", refuses(badBodies)),
		inside("A17", Practice, there, "a body that calls itself a form, as curl's do", "it is read as JSON, or 400", formBody),
		inside("A18", Must, overall, "what was answered with 4xx", "nothing was made: its deletion is answered 410", nothingMade),
		outside(Check{Row: "A19", Level: Should, Title: "what is answered with 5xx", Holds: "nothing was changed", Elsewhere: "no 5xx can be brought about from outside", Test: `cmd/odb/faults_test.go "starts nothing if the dashboard can't be told"`}),
		inside("A20", Must, refused, "an asynchronous plan, and a platform that can't wait", "422 AsyncRequired, if the plan is asynchronous", asyncRequired),
		inside("A21", Must, creating, "another operation on an instance that is being made", "422 ConcurrencyError", concurrency),
		inside("A22", Must, there, "an app is needed and none is given", "422 RequiresApp", requiresApp),
		inside("A23", Must, refused, "another maintenance_info than the catalog's", "422 MaintenanceInfoConflict", otherMaintenance),
		inside("A24", Must, overall, "instance_usable and update_repeatable", "booleans, in errors of updates and deletions only", usableFlags),
		inside("A25", Should, refused, "ids that don't fit into a path", "400, or they are taken whole; never 5xx", oddIDs),
		inside("A26", Practice, refused, "a body of 16 MB", "413 or 400", answers([]int{413, 400}, hugeBody)),
		inside("A27", Practice, overall, "time", "every answer within the 60 s that platforms wait", inTime),
	}
}

func wrongLogins(ctx context.Context, s *session) error {
	for _, r := range []request{s.catalogRequest(), s.poll(fresh(), "x"), s.deprovision(fresh()), s.catalogRequest().at("/v2/nothing")} {
		for _, l := range []login{{}, {s.options.Username, s.options.Password + "x"}, {s.options.Username + "x", s.options.Password}} {
			if _, err := s.expect(ctx, r.as(l.username, l.password), 401); err != nil {
				return err
			}
		}
	}
	return nil
}

func noLogin(ctx context.Context, s *session) error {
	id := fresh()
	for _, r := range []request{s.catalogRequest(), s.poll(id, "x"), s.fetch(id), s.fetchBinding(id, id), s.unbind(id, id), s.catalogRequest().at("/nothing")} {
		if _, err := s.expect(ctx, r.as("", ""), 401); err != nil {
			return err
		}
	}
	return nil
}

func versions(all ...string) func(*session) []request {
	return func(s *session) (requests []request) {
		for _, version := range all {
			requests = append(requests, s.catalogRequest().saying(versionName, version))
		}
		return requests
	}
}

func describedRefusals(status int, requests func(*session) []request, alsoGood ...int) checkFunc {
	return func(ctx context.Context, s *session) error {
		for _, r := range requests(s) {
			e, err := s.expect(ctx, r, append([]int{status}, alsoGood...)...)
			if err != nil {
				return err
			}
			if err := e.describes(); err != nil {
				return err
			}
		}
		return nil
	}
}

func olderMinor(ctx context.Context, s *session) error {
	if _, err := s.expect(ctx, s.catalogRequest().saying(versionName, "2.13"), 200); err != nil {
		return err
	}
	_, err := s.expect(ctx, s.fetch(fresh()).saying(versionName, "2.13"), 412, 404, 400)
	return err
}

func identity(platform, value string) string {
	return platform + " " + base64.StdEncoding.EncodeToString([]byte(value))
}

func originatingIdentities(ctx context.Context, s *session) error {
	for _, value := range []string{
		identity("cloudfoundry", `{"user_id":"683ea748-3092-4ff4-b656-39cacc4d5360"}`),
		identity("kubernetes", `{"username":"duke","uid":"c2dde242","groups":["admin"],"extra":{"a":["b"]}}`),
		"cloudfoundry", "cloudfoundry ***", identity("cloudfoundry", "{"), identity("", `{}`),
	} {
		e, err := s.send(ctx, s.catalogRequest().saying(identityName, value))
		switch {
		case err != nil:
			return err
		case e.Status != http.StatusOK && e.Status != http.StatusBadRequest:
			return wrong(e, "answered %d to the identity %q", e.Status, value)
		}
	}
	return nil
}

func echoed(_ context.Context, s *session) error {
	for _, e := range s.log {
		if !e.echoed {
			return wrong(e, "the answer lacks the request's %s", requestName)
		}
	}
	return nil
}

// unknownMembers is told by the shared instance, which was asked for with some.
func unknownMembers(ctx context.Context, s *session) error {
	if s.creation.answer.Status >= 300 {
		return wrong(s.creation.answer, "answered %d to a request with an unknown member", s.creation.answer.Status)
	}
	vendor := object{"x_vendor": object{"unknown": true}}
	resource := object{"app_guid": appGUID, "x_vendor": []int{1}}
	return s.bindAndUnbind(ctx, with(vendor), with(object{"bind_resource": resource}))
}

func badBodies(s *session) (requests []request) {
	id := fresh()
	for _, body := range []string{"", "{", "[]", "null", `"text"`, `{"service_id":7}`, `{"service_id":"x"`} {
		for _, r := range []request{s.provision(id), s.update(id), s.bind(id, fresh())} {
			requests = append(requests, r.sending(body))
		}
	}
	return requests
}

func formBody(ctx context.Context, s *session) error {
	r := s.bind(s.shared, fresh()).saying("Content-Type", "application/x-www-form-urlencoded")
	e, err := s.expect(ctx, r, 201, 202, 400)
	if err != nil || e.Status == http.StatusBadRequest {
		return err
	}
	_, err = s.send(ctx, s.unbind(s.shared, r.binding).asking("accepts_incomplete", "true"))
	return err
}

func asyncRequired(ctx context.Context, s *session) error {
	e, err := s.expect(ctx, s.provision(fresh()).waiting(), 422, 201)
	switch {
	case err != nil:
		return err
	case e.Status == http.StatusCreated:
		return skip("the broker makes instances in the request")
	}
	return e.saysCode("AsyncRequired")
}

func concurrency(ctx context.Context, s *session) error {
	return s.expectCode(ctx, s.update(s.shared), "ConcurrencyError")
}

func requiresApp(ctx context.Context, s *session) error {
	r := s.bind(s.shared, fresh()).with(object{"app_guid": nil, "bind_resource": nil})
	e, err := s.expect(ctx, r, 201, 202, 422)
	switch {
	case err != nil:
		return err
	case e.Status != http.StatusUnprocessableEntity:
		_, err = s.send(ctx, s.unbind(s.shared, r.binding).asking("accepts_incomplete", "true"))
		if err == nil {
			err = skip("the service binds without an app")
		}
		return err
	}
	return e.saysCode("RequiresApp")
}

func otherMaintenance(ctx context.Context, s *session) error {
	other := object{"maintenance_info": object{"version": "0.0.0-osb-check"}}
	return s.expectCode(ctx, s.provision(fresh()).with(other), "MaintenanceInfoConflict")
}

func oddIDs(ctx context.Context, s *session) error {
	for _, id := range []string{"a%2Fb", "%2E%2E", "a%20b", "a%00b", "%F0%9F%92%A9", strings.Repeat("x", 300)} {
		e, err := s.send(ctx, s.deprovision(fresh()).at(instancePath(id)))
		switch {
		case err != nil:
			return err
		case e.Status < 400 || e.Status >= 500:
			return wrong(e, "answered %d", e.Status)
		}
	}
	return nil
}

func hugeBody(s *session) []request {
	return []request{s.provision(fresh()).with(object{"x_vendor": strings.Repeat("x", 16<<20)})}
}

func inTime(_ context.Context, s *session) error {
	for _, e := range s.log {
		if e.took > time.Minute {
			return wrong(e, "it took %s", e.took.Round(time.Second))
		}
	}
	return nil
}
