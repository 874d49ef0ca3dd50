package osbcheck

import (
	"context"
	"net/http"
	"net/url"
)

// provisionChecks is section C: PUT /v2/service_instances/:id.
func provisionChecks() []Check {
	return []Check{
		inside("C1", Must, refused, "service_id or plan_id missing or empty", "400", refuses(provisions(
			object{"service_id": nil}, object{"service_id": ""}, object{"plan_id": nil}, object{"plan_id": ""}))),
		inside("C2", Must, refused, "service_id not in the catalog", "400", refuses(provisions(object{"service_id": "osb-check"}))),
		inside("C3", Must, refused, "plan_id not a plan of the service", "400", refuses(provisions(object{"plan_id": "osb-check"}))),
		inside("C4", Must, refused, "organization_guid or space_guid missing or empty", "400", refuses(provisions(
			object{"organization_guid": nil}, object{"organization_guid": ""}, object{"space_guid": nil}, object{"space_guid": ""}))),
		inside("C5", Must, refused, "JSON malformed", "400", refuses(func(s *session) []request { return []request{s.provision(fresh()).sending(`{"service_id":`)} })),
		inside("C6", Should, refused, "parameters that can't be right", "400 with a description", describedRefusals(400, provisions(
			object{"parameters": []int{1}}, object{"parameters": "text"}, object{"parameters": 7}))),
		inside("C7", Must, refused, "an asynchronous plan, accepts_incomplete absent or false", "422 AsyncRequired, if the plan is asynchronous", incompleteRefused),
		inside("C8", Must, asked, "accepted asynchronously", "202, and polls tell of it", acceptedAsynchronously),
		inside("C9", Must, asked, "made in the request", "201", madeAtOnce),
		inside("C10", Should, there, "the same request again, when the instance is there", "200", answers([]int{200}, again)),
		inside("C11", Must, creating, "the same request again, while it is being made", "202 with the same operation", sameOperation),
		inside("C12", Must, there, "another request for the same instance", "409", answers([]int{409}, conflicting)),
		inside("C13", Must, refused, "another maintenance_info than the catalog's", "422 MaintenanceInfoConflict", otherMaintenance),
		inside("C14", Must, asked, "no maintenance_info", "it is accepted", accepted),
		inside("C15", Must, asked, "dashboard_url", "a URL, or null, or absent, in the first answer", dashboardURL),
		inside("C16", Must, asked, "operation", "a text of up to 10 000 characters, if given", func(_ context.Context, s *session) error { return s.creation.answer.operationFits() }),
		inside("C17", Optional, asked, "metadata", "objects of labels and attributes, if given", instanceMetadata),
		outside(Check{Row: "C18", Level: Must, Title: "a deletion after a failed creation", Holds: "it works", Elsewhere: "a creation can't be made to fail from outside", Test: `cmd/odb/away_test.go "deletes what a failed create left"`}),
		inside("C19", Practice, overall, "422 to a creation", "with an error code that platforms know; with another they clean up", knownCodes(func(r request) bool { return anyPut(r) && r.binding == "" })),
		inside("C20", Must, refused, "no instance id", "4xx", answers([]int{400, 404, 405}, func(s *session) []request {
			return []request{s.provision(fresh()).at(instancePath(""))}
		})),
		outside(Check{Row: "C21", Level: Practice, Title: "a quota is reached", Holds: "4xx with a description", Elsewhere: "it takes a broker with a quota", Test: `cmd/odb/quotas_test.go "count resources by each plan's own cost, and tell all that is exceeded at once"`}),
	}
}

// provisions are requests for instances of their own, each with a change.
func provisions(changes ...object) func(*session) []request {
	return func(s *session) (requests []request) {
		for _, change := range changes {
			requests = append(requests, s.provision(fresh()).with(change))
		}
		return requests
	}
}

func incompleteRefused(ctx context.Context, s *session) error {
	if err := asyncRequired(ctx, s); err != nil {
		return err
	}
	return s.expectCode(ctx, s.provision(fresh()).asking("accepts_incomplete", "false"), "AsyncRequired")
}

// accepted tells whether the request for the shared instance was.
func accepted(_ context.Context, s *session) error {
	if status := s.creation.answer.Status; status != http.StatusAccepted && status != http.StatusCreated {
		return wrong(s.creation.answer, "answered %d, not 202 or 201", status)
	}
	return nil
}

func acceptedAsynchronously(ctx context.Context, s *session) error {
	if err := accepted(ctx, s); err != nil {
		return err
	}
	if s.creation.answer.Status == http.StatusCreated {
		return skip("the broker makes instances in the request")
	}
	return s.look(ctx, s.creation)
}

func madeAtOnce(ctx context.Context, s *session) error {
	if s.creation.answer.Status == http.StatusAccepted {
		return skip("the broker makes instances asynchronously")
	}
	return accepted(ctx, s)
}

// again is the request for the shared instance once more.
func again(s *session) []request { return []request{s.provision(s.shared)} }

func sameOperation(ctx context.Context, s *session) error {
	return s.repeats(ctx, s.creation, s.provision(s.shared))
}

// repeats sends a request again and wants the operation that it began.
func (s *session) repeats(ctx context.Context, o *operation, r request) error {
	e, err := s.expect(ctx, r, http.StatusAccepted)
	if err == nil && e.member("operation") != o.data {
		return wrong(e, "the operation is another one than the first answer's")
	}
	return err
}

func conflicting(s *session) []request {
	requests := []request{
		s.provision(s.shared).with(object{"organization_guid": fresh()}),
		s.provision(s.shared).with(object{"space_guid": fresh()}),
	}
	if s.other != nil {
		requests = append(requests, s.provision(s.shared).with(object{"plan_id": s.other.ID}))
	}
	if !s.describesParameters() { // parameters that a schema forbids are refused before
		requests = append(requests, s.provision(s.shared).with(object{"parameters": object{"osb_check": "other"}}))
	}
	return requests
}

func dashboardURL(_ context.Context, s *session) error { return s.creation.answer.dashboardFits() }

func (e *Exchange) dashboardFits() error {
	value, given := e.object["dashboard_url"]
	if !given || value == nil {
		return nil
	}
	text, isText := value.(string)
	if address, err := url.Parse(text); !isText || err != nil || address.Host == "" {
		return wrong(e, "dashboard_url is %v", value)
	}
	return nil
}

const maxOperation = 10_000

func (e *Exchange) operationFits() error {
	value, given := e.object["operation"]
	text, isText := value.(string)
	if given && (!isText || len(text) > maxOperation) {
		return wrong(e, "operation is no text of up to %d characters", maxOperation)
	}
	return nil
}

func instanceMetadata(_ context.Context, s *session) error {
	value, given := s.creation.answer.object["metadata"]
	if !given {
		return skip("the broker gives none")
	}
	metadata, isObject := value.(object)
	if !isObject {
		return wrong(s.creation.answer, "metadata is no object")
	}
	for _, member := range []string{"labels", "attributes"} {
		if value, given := metadata[member]; given {
			if _, isObject := value.(object); !isObject {
				return wrong(s.creation.answer, "metadata.%s is no object", member)
			}
		}
	}
	return nil
}

func anyPut(r request) bool { return r.method == http.MethodPut }

// knownCodes looks at all answers of 422 to such requests.
func knownCodes(of func(request) bool) checkFunc {
	return func(_ context.Context, s *session) error {
		for _, e := range s.log {
			code := e.member("error")
			if of(e.sent) && e.Status == http.StatusUnprocessableEntity && !knownCode[code] {
				return wrong(e, "422 with the error %q", code)
			}
		}
		return nil
	}
}

// knownCode are the codes that the specification names.
var knownCode = map[string]bool{"AsyncRequired": true, "ConcurrencyError": true, "RequiresApp": true, "MaintenanceInfoConflict": true}
