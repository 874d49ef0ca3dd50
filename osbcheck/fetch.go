package osbcheck

import (
	"context"
	"net/http"
)

// fetchChecks is section D: GET /v2/service_instances/:id.
func fetchChecks() []Check {
	return []Check{
		inside("D1", Must, there, "the instance, as soon as it is said to be there", "200, if instances_retrievable", retrievable(fetched)),
		inside("D2", Must, reading, "an unknown instance", "404", unknownInstance(func(s *session) []request { return []request{s.fetch(fresh())} })),
		inside("D3", Must, creating, "an instance that is being made", "404", unknownInstance(theShared)),
		inside("D4", Must, updating, "an instance that is being updated", "422 ConcurrencyError, if instances_retrievable", retrievable(means("ConcurrencyError", theShared))),
		inside("D5", Optional, there, "what is told", "service_id and plan_id, dashboard_url and metadata as before; parameters, if told, as an object", retrievable(fetchedWhole)),
		inside("D6", Optional, there, "maintenance_info", "the version that is deployed, if the plan has one", retrievable(fetchedMaintenance)),
		inside("D7", Must, there, "service_id and plan_id in the query", "hints, with which the answer is the same", retrievable(answers([]int{200}, func(s *session) []request {
			return []request{s.fetch(s.shared).asking("service_id", s.service.ID).asking("plan_id", s.plan.ID)}
		}))),
		inside("D8", Practice, there, "where it is not offered", "404 or 400", notRetrievable),
	}
}

func theShared(s *session) []request { return []request{s.fetch(s.shared)} }

// unknown wants 404, or 400 of a broker that doesn't offer to fetch such things.
func unknown(offered bool, requests func(*session) []request) checkFunc {
	if offered {
		return answers([]int{http.StatusNotFound}, requests)
	}
	return answers([]int{http.StatusNotFound, http.StatusBadRequest}, requests)
}

func unknownInstance(requests func(*session) []request) checkFunc {
	return func(ctx context.Context, s *session) error {
		return unknown(s.service.InstancesRetrievable, requests)(ctx, s)
	}
}

// retrievable is a check for brokers that let instances be fetched.
func retrievable(check checkFunc) checkFunc {
	return func(ctx context.Context, s *session) error {
		if !s.service.InstancesRetrievable {
			return skip("instances_retrievable is not set")
		}
		return check(ctx, s)
	}
}

func fetched(ctx context.Context, s *session) error {
	_, err := s.expect(ctx, s.fetch(s.shared), http.StatusOK)
	return err
}

func fetchedWhole(ctx context.Context, s *session) error {
	e, err := s.expect(ctx, s.fetch(s.shared), http.StatusOK)
	if err != nil {
		return err
	}
	for member, want := range map[string]string{
		"service_id": s.service.ID, "plan_id": s.plan.ID, "dashboard_url": s.creation.answer.member("dashboard_url"),
	} {
		if got := e.member(member); got != want {
			return wrong(e, "%s is %q, not %q", member, got, want)
		}
	}
	if _, isObject := e.object["parameters"].(object); e.object["parameters"] != nil && !isObject {
		return wrong(e, "parameters is no object")
	}
	return nil
}

func fetchedMaintenance(ctx context.Context, s *session) error {
	if s.plan.MaintenanceInfo == nil {
		return skip("the plan has no maintenance_info")
	}
	e, err := s.expect(ctx, s.fetch(s.shared), http.StatusOK)
	if err != nil {
		return err
	}
	info, _ := e.object["maintenance_info"].(object)
	if version, _ := info["version"].(string); version != s.plan.MaintenanceInfo.Version {
		return wrong(e, "maintenance_info.version is %q, not %q", version, s.plan.MaintenanceInfo.Version)
	}
	return nil
}

func notRetrievable(ctx context.Context, s *session) error {
	if s.service.InstancesRetrievable {
		return skip("instances_retrievable is set")
	}
	_, err := s.expect(ctx, s.fetch(s.shared), 404, 400)
	return err
}
