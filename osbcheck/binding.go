package osbcheck

import (
	"context"
	"net/http"
	"reflect"
	"regexp"
	"strings"
)

// bindingChecks is section H: PUT …/service_bindings/:id, its reading and its last_operation.
func bindingChecks() []Check {
	return []Check{
		inside("H1", Must, there, "service_id or plan_id missing", "400", refuses(binds(object{"service_id": nil}, object{"plan_id": nil}, object{"service_id": ""}, object{"plan_id": ""}))),
		inside("H2", Must, there, "service_id or plan_id unknown, or not the instance's", "400", each(refuses(binds(object{"service_id": "osb-check"}, object{"plan_id": "osb-check"})), refuses(ofOtherPlans))),
		inside("H3", Must, there, "JSON malformed", "400", refuses(func(s *session) []request { return []request{s.bind(s.shared, fresh()).sending(`{"service_id":`)} })),
		inside("H4", Should, there, "parameters that can't be right", "400 with a description", describedRefusals(400, binds(object{"parameters": []int{1}}, object{"parameters": "text"}))),
		inside("H5", Must, there, "made in the request", "201", boundAtOnce),
		inside("H6", Should, there, "the same binding again", "200 with the same body", boundAgain),
		inside("H7", Must, there, "another request for the same binding", "409", boundOtherwise),
		inside("H8", Must, there, "made asynchronously", "202 without credentials; the same again, the same operation", boundLater),
		inside("H9", Must, there, "an asynchronous binding, accepts_incomplete absent", "422 AsyncRequired, if bindings are asynchronous", bindAsyncRequired),
		inside("H10", Must, there, "the service needs an app, and none is given", "422 RequiresApp", requiresApp),
		inside("H11", Must, creating, "a binding while the instance is made", "422 ConcurrencyError, or 404: there is no instance yet", bindWhileCreating),
		inside("H12", Practice, refused, "an unknown instance", "404", answers([]int{404}, func(s *session) []request { return []request{s.bind(fresh(), fresh())} })),
		inside("H13", Practice, there, "a plan that is not bindable", "400", notBindable),
		inside("H14", Must, there, "credentials", "given once at least, by PUT or GET", givesCredentials),
		inside("H15", Should, there, "credentials of two bindings", "not the same, so that one can be revoked", ownCredentials),
		inside("H16", Should, there, "endpoints", "host, ports that are not empty, a protocol that is known, if given", endpoints),
		inside("H17", Must, there, "syslog_drain_url, route_service_url, volume_mounts", "only with the permission, well-formed", drains),
		inside("H18", Must, there, "metadata.expires_at and renew_before", "ISO 8601 with Z, the second not after the first, if given", expiry),
		inside("H19", Must, there, "operation of a binding", "a text of up to 10 000 characters, if given", boundOperation),
		outside(Check{Row: "H20", Level: Optional, Title: "bind_resource", Holds: "the adapter gets all of it, app_annotations too", Elsewhere: "the adapter is inside", Test: `cmd/odb/catalog_test.go "is told the adapter with all that was asked"`}),
		inside("H21", Must, there, "GET of a binding", "200, if bindings_retrievable", bindingFetched),
		inside("H22", Must, there, "GET of an unknown binding", "404", func(ctx context.Context, s *session) error {
			return unknown(s.service.BindingsRetrievable, func(s *session) []request { return []request{s.fetchBinding(s.shared, fresh())} })(ctx, s)
		}),
		inside("H23", Must, there, "last_operation of an unknown binding", "404, 410 or 400", answers([]int{404, 410, 400}, func(s *session) []request {
			return []request{s.fetchBinding(s.shared, fresh()).at(bindingPath(s.shared, fresh()) + "/last_operation")}
		})),
		inside("H24", Must, there, "GET of an asynchronous binding after its end", "it works at once", boundLater),
	}
}

// binds are requests for bindings of the shared instance, each with a change.
func binds(changes ...object) func(*session) []request {
	return func(s *session) (requests []request) {
		for _, change := range changes {
			requests = append(requests, s.bind(s.shared, fresh()).with(change))
		}
		return requests
	}
}

// ofOtherPlans are requests for bindings of the shared instance that name another of the service's plans.
func ofOtherPlans(s *session) (requests []request) {
	for _, p := range s.service.Plans {
		if p.ID != s.plan.ID && s.service.bindable(p) {
			requests = append(requests, s.bind(s.shared, fresh()).with(object{"plan_id": p.ID}))
		}
	}
	return requests
}

// theBinding is one that several checks look at. It is left for the deletion to take along.
func (s *session) theBinding(ctx context.Context) (*Exchange, error) {
	if s.bindingAnswer != nil {
		return s.bindingAnswer, nil
	}
	if !s.service.bindable(s.plan) {
		return nil, skip("the plan is not bindable")
	}
	r := s.bind(s.shared, fresh())
	e, err := s.send(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case e.Status == http.StatusUnprocessableEntity && e.member("error") == "AsyncRequired":
		return nil, skip("the broker makes bindings asynchronously only")
	case e.Status != http.StatusCreated:
		return e, wrong(e, "answered %d, not 201", e.Status)
	}
	s.bindingAnswer, s.leftBinding = e, r.binding
	return e, nil
}

// ofBinding is a check of the answer to the binding that all look at.
func ofBinding(look func(s *session, e *Exchange) error) checkFunc {
	return func(ctx context.Context, s *session) error {
		e, err := s.theBinding(ctx)
		if err != nil {
			return err
		}
		return look(s, e)
	}
}

func boundAtOnce(ctx context.Context, s *session) error {
	_, err := s.theBinding(ctx)
	return err
}

func boundAgain(ctx context.Context, s *session) error {
	first, err := s.theBinding(ctx)
	if err != nil {
		return err
	}
	e, err := s.expect(ctx, s.bind(s.shared, s.leftBinding), http.StatusOK)
	if err == nil && !reflect.DeepEqual(e.object["credentials"], first.object["credentials"]) {
		return wrong(e, "the credentials are others than the first time")
	}
	return err
}

func boundOtherwise(ctx context.Context, s *session) error {
	if _, err := s.theBinding(ctx); err != nil {
		return err
	}
	other := s.bind(s.shared, s.leftBinding).with(object{"app_guid": fresh(), "bind_resource": object{"app_guid": fresh()}})
	_, err := s.expect(ctx, other, http.StatusConflict)
	return err
}

// boundLater makes a binding of a broker that may take its time.
func boundLater(ctx context.Context, s *session) error {
	r := s.bind(s.shared, fresh()).asking("accepts_incomplete", "true")
	e, err := s.expect(ctx, r, 201, 202)
	switch {
	case err != nil:
		return err
	case e.Status == http.StatusCreated:
		if _, err := s.expect(ctx, s.unbind(s.shared, r.binding), 200); err != nil {
			return err
		}
		return skip("the broker makes bindings in the request")
	case e.object["credentials"] != nil:
		return wrong(e, "202 with credentials")
	}
	return s.followBinding(ctx, r, e)
}

// followBinding polls a binding to its end, and fetches it.
func (s *session) followBinding(ctx context.Context, r request, started *Exchange) error {
	again, err := s.expect(ctx, r, 202, 200)
	switch {
	case err != nil:
		return err
	case again.Status == http.StatusAccepted && again.member("operation") != started.member("operation"):
		return wrong(again, "the operation is another one than the first answer's")
	}
	o := &operation{instance: r.instance, binding: r.binding, answer: started, data: started.member("operation")}
	if err := s.follow(ctx, o); err != nil {
		return err
	}
	_, err = s.expect(ctx, s.fetchBinding(r.instance, r.binding), http.StatusOK)
	return err
}

func bindAsyncRequired(ctx context.Context, s *session) error {
	r := s.bind(s.shared, fresh()).waiting()
	e, err := s.expect(ctx, r, 201, 422)
	switch {
	case err != nil:
		return err
	case e.Status == http.StatusUnprocessableEntity:
		return e.saysCode("AsyncRequired")
	}
	if _, err := s.expect(ctx, s.unbind(s.shared, r.binding), 200); err != nil {
		return err
	}
	return skip("the broker makes bindings in the request")
}

func bindWhileCreating(ctx context.Context, s *session) error {
	e, err := s.expect(ctx, s.bind(s.shared, fresh()), 422, 404)
	if err != nil || e.Status == http.StatusNotFound {
		return err
	}
	return e.saysCode("ConcurrencyError")
}

func notBindable(ctx context.Context, s *session) error {
	for _, p := range s.service.Plans {
		if !s.service.bindable(p) {
			return refuses(binds(object{"plan_id": p.ID}))(ctx, s)
		}
	}
	return skip("all plans are bindable")
}

func givesCredentials(ctx context.Context, s *session) error {
	return ofBinding(func(s *session, e *Exchange) error {
		if e.object["credentials"] == nil && len(e.object) == 0 {
			return skip("the service gives none")
		}
		return nil
	})(ctx, s)
}

func ownCredentials(ctx context.Context, s *session) error {
	first, err := s.theBinding(ctx)
	if err != nil {
		return err
	}
	if first.object["credentials"] == nil {
		return skip("the service gives none")
	}
	r := s.bind(s.shared, fresh())
	e, err := s.expect(ctx, r, http.StatusCreated)
	if err != nil {
		return err
	}
	if _, err := s.expect(ctx, s.unbind(s.shared, r.binding), http.StatusOK); err != nil {
		return err
	}
	if reflect.DeepEqual(e.object["credentials"], first.object["credentials"]) {
		return wrong(e, "both have the same")
	}
	return nil
}

func boundOperation(ctx context.Context, s *session) error {
	return ofBinding(func(_ *session, e *Exchange) error { return e.operationFits() })(ctx, s)
}

func bindingFetched(ctx context.Context, s *session) error {
	if !s.service.BindingsRetrievable {
		return skip("bindings_retrievable is not set")
	}
	if _, err := s.theBinding(ctx); err != nil {
		return err
	}
	_, err := s.expect(ctx, s.fetchBinding(s.shared, s.leftBinding), http.StatusOK)
	return err
}

func endpoints(ctx context.Context, s *session) error {
	return ofBinding(func(_ *session, e *Exchange) error {
		value, given := e.object["endpoints"]
		if !given {
			return skip("the service gives none")
		}
		for _, one := range objects(value) {
			ports, _ := one["ports"].([]any)
			host, _ := one["host"].(string)
			protocol, named := one["protocol"].(string)
			if host == "" || len(ports) == 0 || named && !strings.Contains(" tcp udp all ", " "+protocol+" ") {
				return wrong(e, "an endpoint is %v", one)
			}
		}
		return nil
	})(ctx, s)
}

// permissionOf is what a member of a binding needs the service to require.
var permissionOf = map[string]string{"syslog_drain_url": "syslog_drain", "route_service_url": "route_forwarding", "volume_mounts": "volume_mount"}

func drains(ctx context.Context, s *session) error {
	return ofBinding(func(s *session, e *Exchange) error {
		for member, permission := range permissionOf {
			value, given := e.object[member]
			if !given {
				continue
			}
			if !s.service.requires(permission) {
				return wrong(e, "%s without %s in requires", member, permission)
			}
			if text, isText := value.(string); member == "route_service_url" && (!isText || !strings.HasPrefix(text, "https://")) {
				return wrong(e, "route_service_url is no https address")
			}
		}
		return nil
	})(ctx, s)
}

var instant = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+Z$`)

func expiry(ctx context.Context, s *session) error {
	return ofBinding(func(_ *session, e *Exchange) error {
		metadata, _ := e.object["metadata"].(object)
		expires, ends := metadata["expires_at"].(string)
		renew, renews := metadata["renew_before"].(string)
		switch {
		case !ends && !renews:
			return skip("the service gives none")
		case ends && !instant.MatchString(expires), renews && !instant.MatchString(renew):
			return wrong(e, "they are not of the form yyyy-mm-ddThh:mm:ss.sZ")
		case ends && renews && renew > expires:
			return wrong(e, "renew_before is after expires_at")
		}
		return nil
	})(ctx, s)
}
