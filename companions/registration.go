package companions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/on-demand-broker/odb/cfclient"
)

// Brokers is what is asked of Cloud Foundry about service brokers and what they offer (cfclient).
type Brokers interface {
	Broker(ctx context.Context, name string) (cfclient.Broker, error)
	CreateBroker(ctx context.Context, registration cfclient.BrokerRegistration) (cfclient.Warnings, error)
	UpdateBroker(ctx context.Context, guid string, registration cfclient.BrokerRegistration) (cfclient.Warnings, error)
	DeleteBroker(ctx context.Context, guid string) (cfclient.Warnings, error)
	Offerings(ctx context.Context, catalogID string) ([]cfclient.Offering, error)
	BrokerOfferings(ctx context.Context, brokerGUID string) ([]cfclient.Offering, error)
	OfferingPlans(ctx context.Context, offeringGUIDs ...string) ([]cfclient.Plan, error)
	Count(ctx context.Context, planGUIDs ...string) (int, error)
}

// Visibilities is what is asked of Cloud Foundry about who may use plans (cfclient).
type Visibilities interface {
	Visibility(ctx context.Context, planGUID string) (cfclient.Visibility, error)
	SetVisibility(ctx context.Context, planGUID string, visibility cfclient.Visibility) error
	AddOrganizations(ctx context.Context, planGUID string, organizations ...cfclient.Organization) error
	Organization(ctx context.Context, name string) (cfclient.Organization, error)
	Organizations(ctx context.Context) ([]cfclient.Organization, error)
}

// Registrar is what is asked of Cloud Foundry to register a broker.
type Registrar interface {
	Brokers
	Visibilities
}

// Telling is how what is done is said, a line each.
type Telling struct {
	Tell func(line string)
	Warn func(line string) // what Cloud Foundry warns of, and what isn't as configured
}

func (t Telling) tell(format string, values ...any) { t.Tell(fmt.Sprintf(format, values...)) }
func (t Telling) warn(format string, values ...any) { t.Warn(fmt.Sprintf(format, values...)) }

func (t Telling) warnings(warnings cfclient.Warnings) {
	for _, warning := range warnings {
		t.warn("Cloud Foundry warns: %s", strings.Join(strings.Fields(warning), " "))
	}
}

// Registration is what Cloud Foundry is to know of a broker, and who may use its plans.
type Registration struct {
	Broker     cfclient.BrokerRegistration
	OfferingID string // in the broker's catalog
	Plans      []PlanAccess
	// Prune takes access from organizations that have it and aren't configured.
	Prune bool
}

// Apply registers the broker, or updates its registration so that Cloud Foundry reads the catalog again, and changes the access
// to its plans where it isn't what it is to be. It may be repeated. Organizations and plans that there aren't are errors from
// before any access is changed.
func (r Registration) Apply(ctx context.Context, platform Registrar, telling Telling) error {
	organizations, err := r.organizations(ctx, platform)
	if err != nil {
		return err
	}
	broker, err := r.register(ctx, platform, telling)
	if err != nil {
		return err
	}
	plans, err := r.plansOf(ctx, platform, broker)
	if err != nil {
		return err
	}
	if unknown := r.unknownPlans(plans); len(unknown) > 0 {
		return fmt.Errorf("the broker's catalog has no plan %s: it has %s", strings.Join(unknown, ", "), strings.Join(planNames(plans), ", "))
	}
	for _, wanted := range r.Plans {
		change, err := r.accessOf(ctx, platform, plans[wanted.Plan], wanted, organizations)
		if err == nil {
			err = change.apply(ctx, platform, plans[wanted.Plan])
		}
		if err != nil {
			return fmt.Errorf("access to plan %s: %w", wanted.Plan, err)
		}
		change.tell(wanted, telling, "access was for %s, is now for %s")
	}
	return nil
}

// Foretell says what Apply would do, and changes nothing. Plans that Cloud Foundry doesn't know may be in the catalog that it would
// read.
func (r Registration) Foretell(ctx context.Context, platform Registrar, telling Telling) error {
	organizations, err := r.organizations(ctx, platform)
	if err != nil {
		return err
	}
	plans := map[string]cfclient.Plan{}
	broker, err := platform.Broker(ctx, r.Broker.Name)
	switch {
	case errors.Is(err, cfclient.ErrNotFound):
		telling.tell("broker %s: would be registered, at %s", r.Broker.Name, r.Broker.URL)
	case err != nil:
		return err
	default:
		telling.tell("broker %s: would be updated, at %s; Cloud Foundry would read its catalog", r.Broker.Name, fromTo(broker.URL, r.Broker.URL))
		if plans, err = r.plansSoFar(ctx, platform, broker); err != nil {
			return err
		}
	}
	for _, wanted := range r.Plans {
		plan, known := plans[wanted.Plan]
		if !known {
			plan = cfclient.Plan{Name: wanted.Plan, VisibilityType: cfclient.VisibilityAdmin}
			telling.tell("plan %s: Cloud Foundry doesn't know it yet", wanted.Plan)
		}
		change, err := r.accessOf(ctx, platform, plan, wanted, organizations)
		if err != nil {
			return fmt.Errorf("access to plan %s: %w", wanted.Plan, err)
		}
		change.tell(wanted, telling, "access is for %s, would be for %s")
	}
	return nil
}

func fromTo(now, then string) string {
	if now == then {
		return now
	}
	return fmt.Sprintf("%s instead of %s", then, now)
}

// register makes Cloud Foundry know the broker.
func (r Registration) register(ctx context.Context, platform Brokers, telling Telling) (cfclient.Broker, error) {
	done := ""
	err := insist(ctx, func(ctx context.Context) error {
		broker, err := platform.Broker(ctx, r.Broker.Name)
		var warnings cfclient.Warnings
		switch {
		case errors.Is(err, cfclient.ErrNotFound):
			done = "registered"
			warnings, err = platform.CreateBroker(ctx, r.Broker)
		case err == nil && done == "": // else it was created just now, and the answer got lost
			done = "updated"
			fallthrough
		case err == nil:
			warnings, err = platform.UpdateBroker(ctx, broker.GUID, r.Broker)
		}
		telling.warnings(warnings)
		return err
	})
	if failed := new(cfclient.JobFailed); errors.As(err, &failed) && done == "registered" {
		return cfclient.Broker{}, fmt.Errorf("broker %s is registered, but Cloud Foundry can't use it at %s; put that right and register it again: %w", r.Broker.Name, r.Broker.URL, err)
	}
	if err != nil {
		return cfclient.Broker{}, fmt.Errorf("registering broker %s at %s: %w", r.Broker.Name, r.Broker.URL, err)
	}
	telling.tell("broker %s: %s, at %s; Cloud Foundry has read its catalog", r.Broker.Name, done, r.Broker.URL)
	return platform.Broker(ctx, r.Broker.Name)
}

// organizations looks up all that are configured, by name.
func (r Registration) organizations(ctx context.Context, platform Visibilities) (map[string]cfclient.Organization, error) {
	found := map[string]cfclient.Organization{}
	var unknown []string
	for _, plan := range r.Plans {
		if plan.Access != AccessOrgRestricted {
			continue
		}
		for _, name := range plan.Organizations {
			organization, err := platform.Organization(ctx, name)
			switch {
			case errors.Is(err, cfclient.ErrNotFound):
				unknown = append(unknown, fmt.Sprintf("%s (plan %s)", name, plan.Plan))
			case err != nil:
				return nil, err
			}
			found[name] = organization
		}
	}
	if len(unknown) == 0 {
		return found, nil
	}
	there, err := platform.Organizations(ctx)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("no organization %s in Cloud Foundry: it has %s", strings.Join(unknown, ", "), some(there))
}

// mostNamed is how many of a list are named to those who look for one of it.
const mostNamed = 20

func some(organizations []cfclient.Organization) string {
	names := make([]string, len(organizations))
	for i, organization := range organizations {
		names[i] = organization.Name
	}
	slices.Sort(names)
	return shortList(names)
}

func shortList(names []string) string {
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > mostNamed:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
	}
	return strings.Join(names, ", ")
}

// plansOf are the plans that the broker, and no other one with the same ids, offers, by name.
func (r Registration) plansOf(ctx context.Context, platform Brokers, broker cfclient.Broker) (map[string]cfclient.Plan, error) {
	offerings, err := platform.BrokerOfferings(ctx, broker.GUID)
	if err != nil {
		return nil, err
	}
	var offered []string
	for _, offering := range offerings {
		if offering.CatalogID == r.OfferingID {
			return plansByName(ctx, platform, offering)
		}
		offered = append(offered, fmt.Sprintf("%s (%s)", offering.CatalogID, offering.Name))
	}
	return nil, noOfferingError{fmt.Errorf("broker %s offers no service with the id %s: it offers %s", broker.Name, r.OfferingID, shortList(offered))}
}

// noOfferingError says that the broker's catalog, as Cloud Foundry knows it, has no such offering.
type noOfferingError struct{ error }

// plansSoFar is plansOf while the catalog may be about to change.
func (r Registration) plansSoFar(ctx context.Context, platform Brokers, broker cfclient.Broker) (map[string]cfclient.Plan, error) {
	plans, err := r.plansOf(ctx, platform, broker)
	if errors.As(err, new(noOfferingError)) {
		return nil, nil
	}
	return plans, err
}

func plansByName(ctx context.Context, platform Brokers, offering cfclient.Offering) (map[string]cfclient.Plan, error) {
	plans, err := platform.OfferingPlans(ctx, offering.GUID)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]cfclient.Plan, len(plans))
	for _, plan := range plans {
		if _, taken := byName[plan.Name]; plan.Available || !taken {
			byName[plan.Name] = plan
		}
	}
	return byName, nil
}

func (r Registration) unknownPlans(plans map[string]cfclient.Plan) (unknown []string) {
	for _, wanted := range r.Plans {
		if _, known := plans[wanted.Plan]; !known {
			unknown = append(unknown, wanted.Plan)
		}
	}
	return unknown
}

func planNames(plans map[string]cfclient.Plan) (names []string) {
	for name := range plans {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// accessOf finds out what is to change. A visibility that tells all by its type isn't asked for.
func (r Registration) accessOf(ctx context.Context, platform Visibilities, plan cfclient.Plan, wanted PlanAccess, organizations map[string]cfclient.Organization) (accessChange, error) {
	now := cfclient.Visibility{Type: plan.VisibilityType}
	if wanted.Access == AccessManual {
		return accessChange{now: now}, nil
	}
	if now.Type == cfclient.VisibilityOrganization {
		var err error
		if now, err = platform.Visibility(ctx, plan.GUID); err != nil {
			return accessChange{}, err
		}
	}
	named := make([]cfclient.Organization, len(wanted.Organizations))
	for i, name := range wanted.Organizations {
		named[i] = organizations[name]
	}
	return decideAccess(now, wanted.Access, named, r.Prune), nil
}
