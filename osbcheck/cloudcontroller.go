package osbcheck

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// cloudControllerChecks is section L: what Cloud Foundry's Cloud Controller adds.
func cloudControllerChecks() []Check {
	return []Check{
		inside("L1", Practice, reading, "the catalog, as Cloud Controller reads it", "with a service, a plan, redirect_uri and schemas of draft-04", each(offersServices, ofServices(each2(hasPlans, boolean("bindable", true), dashboardClient, permissions), ""), ofPlans(each2(maintenance, seconds("maximum_polling_duration"))), draftFour)),
		inside("L2", Practice, reading, "its headers", "they are taken", itsHeaders),
		inside("L3", Practice, there, "its polls", "with plan_id, service_id and operation; GETs without any", itsPolls),
		inside("L4", Practice, overall, "polls while an operation runs", "200, or 5xx: it takes 400 for the operation's failure, and 410 for its end", pollsWhileRunning),
		inside("L5", Practice, overall, "422 to creations and bindings", "with an error code that it knows, or it cleans up", knownCodes(anyPut)),
		inside("L6", Practice, there, "credentials and operation", "an object and a text: it refuses null", notNull),
		inside("L7", Practice, there, "a service key: no app, a client's id", "201, or 422 RequiresApp", serviceKey),
	}
}

func draftFour(ctx context.Context, s *session) error {
	err := ofSchemas(func(schema object) error {
		if uri, _ := schema["$schema"].(string); !strings.HasPrefix(uri, "http://json-schema.org/draft-04/schema") {
			return fmt.Errorf("it is of %s", uri)
		}
		return nil
	})(ctx, s)
	var none skipped
	if errors.As(err, &none) {
		return nil
	}
	return err
}

func itsHeaders(ctx context.Context, s *session) error {
	r := s.catalogRequest().saying(versionName, "2.15").saying("X-Api-Info-Location", "api.example.com/v2/info").saying("X-VCAP-Request-Id", fresh()).
		saying(identityName, identity("cloudfoundry", `{"user_id":"683ea748-3092-4ff4-b656-39cacc4d5360"}`))
	_, err := s.expect(ctx, r, http.StatusOK)
	return err
}

func itsPolls(ctx context.Context, s *session) error {
	if s.creation.answer.Status != http.StatusAccepted {
		return skip("the broker makes instances in the request")
	}
	_, err := s.expect(ctx, s.poll(s.shared, s.creation.data).saying(versionName, "2.15"), http.StatusOK)
	return err
}

func pollsWhileRunning(_ context.Context, s *session) error {
	for _, o := range []*operation{s.creation, s.change, s.removal} {
		if o != nil && o.last != nil && (o.last.Status == http.StatusBadRequest || o.last.Status == http.StatusGone && o != s.removal) {
			return wrong(o.last, "answered %d", o.last.Status)
		}
	}
	return nil
}

func notNull(ctx context.Context, s *session) error {
	if value, given := s.creation.answer.object["operation"]; given && value == nil {
		return wrong(s.creation.answer, "operation is null")
	}
	return ofBinding(func(_ *session, e *Exchange) error {
		value, given := e.object["credentials"]
		if _, isObject := value.(object); given && !isObject {
			return wrong(e, "credentials are no object")
		}
		return nil
	})(ctx, s)
}

func serviceKey(ctx context.Context, s *session) error {
	r := s.bind(s.shared, fresh()).with(object{"app_guid": nil, "bind_resource": object{"credential_client_id": "osb-check"}})
	e, err := s.expect(ctx, r, 201, 422)
	switch {
	case err != nil:
		return err
	case e.Status == http.StatusUnprocessableEntity:
		return e.saysCode("RequiresApp")
	}
	_, err = s.expect(ctx, s.unbind(s.shared, r.binding), http.StatusOK)
	return err
}
