package osbcheck

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// updateChecks is section E: PATCH /v2/service_instances/:id.
func updateChecks() []Check {
	const noFailure = "an update can't be made to fail from outside"
	return []Check{
		inside("E1", Must, there, "service_id missing", "400", refuses(updates(object{"service_id": nil}, object{"service_id": ""}))),
		inside("E2", Must, there, "service_id unknown", "400", refuses(updates(object{"service_id": "osb-check"}))),
		inside("E3", Must, there, "plan_id unknown", "400", refuses(updates(object{"plan_id": "osb-check"}))),
		inside("E4", Must, updated, "plan_id absent", "the plan stays", planStayed),
		inside("E5", Must, there, "parameters absent", "they stay", parametersStay),
		inside("E6", Should, there, "parameters that can't be right", "400 with a description", describedRefusals(400, updates(object{"parameters": []int{1}}, object{"parameters": "text"}))),
		inside("E7", Must, there, "a plan change that is not supported", "422 with a description", changeNotSupported),
		outside(Check{Row: "E8", Level: Must, Title: "what can't be done in the present state", Holds: "422", Elsewhere: "it takes an instance in a state that no request brings about", Test: `cmd/odb/quotas_test.go "credit a plan change with what the instance uses, and refuse it with a 422"`}),
		inside("E9", Must, there, "an asynchronous plan, accepts_incomplete absent", "422 AsyncRequired, if the plan is asynchronous", updateAsyncRequired),
		inside("E10", Must, patched, "accepted", "202 (or 200, done in the request), and polls tell of it", updateAccepted),
		inside("E11", Must, patched, "done in the request", "200", updateAtOnce),
		inside("E12", Must, updating, "the same update again, while it runs", "202 with the same operation", func(ctx context.Context, s *session) error {
			return s.repeats(ctx, s.change, s.update(s.shared))
		}),
		inside("E13", Must, updating, "another operation, while it runs", "422 ConcurrencyError", otherOperation),
		inside("E14", Must, there, "another maintenance_info than the catalog's", "422 MaintenanceInfoConflict", means("MaintenanceInfoConflict", updates(object{"maintenance_info": object{"version": "0.0.0-osb-check"}}))),
		inside("E15", Must, updated, "the catalog's maintenance_info, and nothing else", "an upgrade of the instance", upgraded),
		inside("E16", Must, there, "the context alone", "it is accepted, if allow_context_updates", contextAlone),
		inside("E17", Must, there, "updates that were refused", "nothing of them was done: the instance is still the one that was asked for", answers([]int{200}, again)),
		inside("E18", Optional, patched, "dashboard_url", "a URL, or null, or absent", func(_ context.Context, s *session) error { return s.change.answer.dashboardFits() }),
		outside(Check{Row: "E19", Level: Should, Title: "instance_usable and update_repeatable", Holds: "told when an operation has failed", Elsewhere: noFailure, Test: `cmd/odb/edge_test.go "tells what is left of an instance whose operation failed"`}),
		inside("E20", Practice, refused, "an unknown instance", "404", answers([]int{404}, func(s *session) []request { return []request{s.update(fresh())} })),
		outside(Check{Row: "E21", Level: Must, Title: "changes that the instance has not got yet", Holds: "refused or done, nothing in between", Elsewhere: "it takes a change of the broker's configuration", Test: `cmd/odb/faults_test.go "refuse an update: the user is told briefly, the operator sees the difference"`}),
		inside("E22", Must, patched, "operation", "a text of up to 10 000 characters, if given", func(_ context.Context, s *session) error { return s.change.answer.operationFits() }),
	}
}

// updates are requests for the shared instance, each with a change.
func updates(changes ...object) func(*session) []request {
	return func(s *session) (requests []request) {
		for _, change := range changes {
			requests = append(requests, s.update(s.shared).with(change))
		}
		return requests
	}
}

func planStayed(ctx context.Context, s *session) error {
	if !s.service.InstancesRetrievable {
		return nil // the update without plan_id has succeeded
	}
	return fetchedPlan(ctx, s)
}

func fetchedPlan(ctx context.Context, s *session) error {
	e, err := s.expect(ctx, s.fetch(s.shared), http.StatusOK)
	if err == nil && e.member("plan_id") != s.plan.ID {
		return wrong(e, "plan_id is %q, not %q", e.member("plan_id"), s.plan.ID)
	}
	return err
}

func parametersStay(ctx context.Context, s *session) error {
	if !s.service.AllowContextUpdates || len(s.options.ProvisionParameters) == 0 {
		return skip("it takes allow_context_updates, and parameters to make an instance with")
	}
	// An update without parameters, and then the first request again: the parameters are still those if it is the same.
	if err := contextAlone(ctx, s); err != nil {
		return err
	}
	_, err := s.expect(ctx, s.provision(s.shared), http.StatusOK)
	return err
}

func changeNotSupported(ctx context.Context, s *session) error {
	switch {
	case s.other == nil:
		return skip("there is no second plan")
	case s.service.changes(s.plan):
		return skip("the plan can be changed")
	}
	return describedRefusals(422, updates(object{"plan_id": s.other.ID}))(ctx, s)
}

func updateAsyncRequired(ctx context.Context, s *session) error {
	e, err := s.expect(ctx, s.update(s.shared).waiting(), 422, 200)
	switch {
	case err != nil:
		return err
	case e.Status == http.StatusOK:
		return skip("the broker updates in the request")
	}
	return e.saysCode("AsyncRequired")
}

func updateAccepted(ctx context.Context, s *session) error {
	switch e := s.change.answer; e.Status {
	case http.StatusOK:
		return nil
	case http.StatusAccepted:
		return s.look(ctx, s.change)
	default:
		return wrong(e, "answered %d, not 202 or 200", e.Status)
	}
}

func updateAtOnce(_ context.Context, s *session) error {
	e := s.change.answer
	switch {
	case e.Status == http.StatusAccepted:
		return skip("the broker updates asynchronously")
	case e.Status != http.StatusOK:
		return wrong(e, "answered %d, not 200", e.Status)
	case e.member("operation") != "":
		return wrong(e, "there is an operation, though it is done")
	}
	return nil
}

func otherOperation(ctx context.Context, s *session) error {
	another := s.update(s.shared).with(object{"context": s.cloudFoundry(strings.Repeat("osb-check-", 2))})
	if len(s.options.UpdateParameters) == 0 {
		another = another.with(object{"parameters": nil, "x_vendor": 1})
	}
	return s.expectCode(ctx, another, "ConcurrencyError")
}

func upgraded(ctx context.Context, s *session) error {
	info := s.plan.MaintenanceInfo
	if info == nil {
		return skip("the plan has no maintenance_info")
	}
	r := s.update(s.shared).with(object{
		"parameters": nil, "maintenance_info": object{"version": info.Version},
		"previous_values": object{"plan_id": s.plan.ID, "maintenance_info": object{"version": "0.0.0"}},
	})
	return s.does(ctx, r)
}

// does follows an operation of its own to its end.
func (s *session) does(ctx context.Context, r request) error {
	o, err := s.begin(ctx, r)
	switch {
	case err != nil:
		return err
	case o.answer.Status != http.StatusAccepted && o.answer.Status != http.StatusOK:
		return wrong(o.answer, "answered %d, not 202 or 200", o.answer.Status)
	}
	return s.follow(ctx, o)
}

func contextAlone(ctx context.Context, s *session) error {
	if !s.service.AllowContextUpdates {
		return skip("allow_context_updates is not set")
	}
	return s.does(ctx, s.update(s.shared).with(object{"parameters": nil, "context": s.cloudFoundry("osb-check-renamed")}))
}

// noParameters is an update of nothing.
var noParameters = json.RawMessage(`{}`)
