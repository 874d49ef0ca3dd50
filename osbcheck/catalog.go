package osbcheck

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// catalogChecks is section B: GET /v2/catalog.
func catalogChecks() []Check {
	return []Check{
		inside("B1", Must, reading, "the catalog", "200, and services is a list with something in it (Cloud Foundry refuses an empty one)", offersServices),
		inside("B2", Must, reading, "service ids", "there, different, the same in every answer", stableIDs),
		inside("B3", Must, reading, "service names", "there and different, of letters, digits, dots and hyphens", ofServices(func(one object) error { return name(one) }, "name")),
		inside("B4", Must, reading, "descriptions", "of every service and plan", ofAll(text("description"))),
		inside("B5", Must, reading, "bindable of services", "there, a boolean", ofServices(boolean("bindable", true), "")),
		inside("B6", Must, reading, "plans", "one at least for each service", ofServices(hasPlans, "")),
		inside("B7", Must, reading, "plan ids and names", "ids there and different in the catalog, names in the service", planNames),
		outside(Check{Row: "B8", Level: Must, Title: "names are compared case-sensitively", Holds: "two names that differ in case are two", Elsewhere: "who compares is the platform", Test: `config/catalog_test.go "TestNamesThatDifferInCaseAreTwo"`}),
		inside("B9", Must, reading, "requires", "only syslog_drain, route_forwarding, volume_mount", ofServices(permissions, "")),
		inside("B10", Must, reading, "bindable of plans", "a boolean, if given", ofPlans(boolean("bindable", false))),
		inside("B11", Must, reading, "plan_updateable", "so spelt, a boolean", ofAll(each2(boolean("plan_updateable", false), absent("plan_updatable")))),
		inside("B12", Optional, reading, "free", "a boolean, if given", ofPlans(boolean("free", false))),
		inside("B13", Must, reading, "instances_retrievable", "a boolean, if given; D1 shows whether it holds", ofServices(boolean("instances_retrievable", false), "")),
		inside("B14", Must, reading, "bindings_retrievable", "a boolean, if given; H21 shows whether it holds", ofServices(boolean("bindings_retrievable", false), "")),
		inside("B15", Must, reading, "allow_context_updates", "a boolean, if given; E16 shows whether it holds", ofServices(boolean("allow_context_updates", false), "")),
		inside("B16", Must, reading, "binding_rotatable", "a boolean, if given; I2 shows whether it holds", ofPlans(boolean("binding_rotatable", false))),
		inside("B17", Must, reading, "schemas", "with $schema, no reference outside, 64 kB at most", ofSchemas(sound)),
		inside("B18", Must, reading, "schemas that aren't given", "left out, not null", ofPlans(noNullSchemas)),
		inside("B19", Should, reading, "maximum_polling_duration", "whole seconds, if given", ofPlans(seconds("maximum_polling_duration"))),
		inside("B20", Must, reading, "maintenance_info", "a semantic version; version and description only (Cloud Foundry refuses others)", ofPlans(maintenance)),
		inside("B21", Should, reading, "lengths", "names up to 255 characters, descriptions up to 10 000", ofAll(lengths)),
		inside("B22", Optional, reading, "metadata", "an object, its usual members of the usual types", ofAll(metadata)),
		inside("B23", Must, reading, "dashboard_client", "id, secret and (for Cloud Foundry) redirect_uri", ofServices(dashboardClient, "")),
		inside("B24", Optional, reading, "ETag", "304 to who has the catalog already", notModified),
		outside(Check{Row: "B25", Level: Should, Title: "a plan with instances leaves the catalog", Holds: "not without a word", Elsewhere: "it takes a change of the broker's configuration", Test: `cmd/odb/remembered_test.go "tells at the start which plans have instances and are no longer sold; those can still be deleted"`}),
		inside("B26", Should, reading, "cost", "read again within a second, as platforms do all the time", cheap),
	}
}

// rule is what holds for one service, plan or schema of the catalog.
type rule = func(one object) error

func (s *session) services() []object { return objects(s.catalog.object["services"]) }

func objects(value any) (all []object) {
	list, _ := value.([]any)
	for _, member := range list {
		one, _ := member.(object)
		all = append(all, one)
	}
	return all
}

// ofServices holds a rule for each service, and that a member is another one in each.
func ofServices(holds rule, unique string) checkFunc {
	return func(_ context.Context, s *session) error {
		seen := map[any]bool{}
		for i, one := range s.services() {
			if err := holds(one); err != nil {
				return wrong(s.catalog, "services[%d]: %v", i, err)
			}
			if unique != "" && seen[one[unique]] {
				return wrong(s.catalog, "services[%d]: %s is that of another service", i, unique)
			}
			seen[one[unique]] = true
		}
		return nil
	}
}

func ofPlans(holds rule) checkFunc {
	return ofServices(func(one object) error {
		for i, plan := range objects(one["plans"]) {
			if err := holds(plan); err != nil {
				return fmt.Errorf("plans[%d]: %w", i, err)
			}
		}
		return nil
	}, "")
}

func ofAll(holds rule) checkFunc { return each(ofServices(holds, ""), ofPlans(holds)) }

// ofSchemas holds a rule for each schema; there have to be some.
func ofSchemas(holds rule) checkFunc {
	return func(ctx context.Context, s *session) error {
		found := 0
		err := ofPlans(func(plan object) error {
			for where, schema := range schemasOf(plan) {
				found++
				if err := holds(schema); err != nil {
					return fmt.Errorf("schemas.%s: %w", where, err)
				}
			}
			return nil
		})(ctx, s)
		if err == nil && found == 0 {
			return skip("no plan has schemas")
		}
		return err
	}
}

// schemaPlaces are where a plan may have a schema.
var schemaPlaces = [][2]string{{"service_instance", "create"}, {"service_instance", "update"}, {"service_binding", "create"}}

func schemasOf(plan object) map[string]object {
	found := map[string]object{}
	for _, place := range schemaPlaces {
		all, _ := plan["schemas"].(object)
		of, _ := all[place[0]].(object)
		verb, _ := of[place[1]].(object)
		if schema, ok := verb["parameters"].(object); ok {
			found[place[0]+"."+place[1]] = schema
		}
	}
	return found
}

func each2(rules ...rule) rule {
	return func(one object) error {
		for _, holds := range rules {
			if err := holds(one); err != nil {
				return err
			}
		}
		return nil
	}
}

func text(member string) rule {
	return func(one object) error {
		if value, _ := one[member].(string); value == "" {
			return fmt.Errorf("%s is missing", member)
		}
		return nil
	}
}

func absent(member string) rule {
	return func(one object) error {
		if _, given := one[member]; given {
			return fmt.Errorf("%s is no member of it", member)
		}
		return nil
	}
}

func boolean(member string, needed bool) rule {
	return func(one object) error {
		value, given := one[member]
		if _, is := value.(bool); given && !is {
			return fmt.Errorf("%s is %v, no boolean", member, value)
		}
		if needed && !given {
			return fmt.Errorf("%s is missing", member)
		}
		return nil
	}
}

func seconds(member string) rule {
	return func(one object) error {
		value, given := one[member]
		if number, is := value.(float64); given && (!is || number < 1 || number != float64(int(number))) {
			return fmt.Errorf("%s is %v, no whole number of seconds", member, value)
		}
		return nil
	}
}

var cliFriendly = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)

func name(one object) error {
	if err := text("name")(one); err != nil {
		return err
	}
	if name := one["name"].(string); !cliFriendly.MatchString(name) {
		return fmt.Errorf("the name %q is awkward on a command line", name)
	}
	return nil
}

func offersServices(_ context.Context, s *session) error {
	if len(s.services()) == 0 {
		return wrong(s.catalog, "services is no list, or empty")
	}
	return nil
}

func idsOf(e *Exchange) (ids []string) {
	for _, service := range objects(e.object["services"]) {
		id, _ := service["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

func stableIDs(ctx context.Context, s *session) error {
	if err := ofServices(text("id"), "id")(ctx, s); err != nil {
		return err
	}
	again, err := s.expect(ctx, s.catalogRequest(), 200)
	if err == nil && !slices.Equal(idsOf(s.catalog), idsOf(again)) {
		return wrong(again, "the ids are others than in the catalog before: %v, %v", idsOf(again), idsOf(s.catalog))
	}
	return err
}

func hasPlans(one object) error {
	if len(objects(one["plans"])) == 0 {
		return fmt.Errorf("it has no plan")
	}
	return nil
}

func planNames(_ context.Context, s *session) error {
	ids := map[any]bool{}
	for _, service := range s.services() {
		names := map[any]bool{}
		for i, plan := range objects(service["plans"]) {
			if err := each2(text("id"), name)(plan); err != nil {
				return wrong(s.catalog, "plans[%d]: %v", i, err)
			}
			if ids[plan["id"]] || names[plan["name"]] {
				return wrong(s.catalog, "plans[%d]: its id or name is that of another plan", i)
			}
			ids[plan["id"]], names[plan["name"]] = true, true
		}
	}
	return nil
}

func notModified(ctx context.Context, s *session) error {
	tag, since := s.catalog.header.Get("ETag"), s.catalog.header.Get("Last-Modified")
	if tag == "" && since == "" {
		return wrong(s.catalog, "the catalog has neither ETag nor Last-Modified")
	}
	e, err := s.expect(ctx, s.catalogRequest().saying("If-None-Match", tag).saying("If-Modified-Since", since), http.StatusNotModified)
	if err == nil && len(e.text) > 0 {
		return wrong(e, "304 has a body")
	}
	if err == nil && tag != "" {
		_, err = s.expect(ctx, s.catalogRequest().saying("If-None-Match", `"another"`), 200)
	}
	return err
}

func cheap(ctx context.Context, s *session) error {
	for range 5 {
		e, err := s.expect(ctx, s.catalogRequest(), 200)
		switch {
		case err != nil:
			return err
		case e.took > time.Second:
			return wrong(e, "it took %s", e.took.Round(time.Millisecond))
		}
	}
	return nil
}

func lengths(one object) error {
	for member, most := range map[string]int{"id": 255, "name": 255, "description": 10_000} {
		if value, _ := one[member].(string); utf8.RuneCountInString(value) > most {
			return fmt.Errorf("%s has more than %d characters", member, most)
		}
	}
	tags, _ := json.Marshal(one["tags"])
	if len(tags) > 2048 {
		return fmt.Errorf("the tags have more than 2048 characters together")
	}
	return nil
}
