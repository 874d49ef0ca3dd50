package companions

import (
	"context"
	"slices"
	"strings"

	"github.com/on-demand-broker/odb/cfclient"
)

// The kinds of access to a plan (spec/errands.md §1). Any other word means that nobody has it.
const (
	AccessEnable        = "enable"         // everybody may use the plan
	AccessDisable       = "disable"        // nobody but administrators
	AccessManual        = "manual"         // access is left as it is
	AccessOrgRestricted = "org-restricted" // the members of some organizations
)

// PlanAccess is who is to have access to a plan, by names.
type PlanAccess struct {
	Plan          string
	Access        string
	Organizations []string // with AccessOrgRestricted
}

// accessChange is what brings the access to a plan from what it is to what it is to be, in one request.
type accessChange struct {
	now cfclient.Visibility
	set *cfclient.Visibility // replaces it; nil if nothing has to go
	// add are organizations that get access beside those that have it, so that a grant made at this very moment stays.
	add []cfclient.Organization
	// kept are organizations that nobody configured, and that keep their access.
	kept []cfclient.Organization
}

func (c accessChange) due() bool { return c.set != nil || len(c.add) > 0 }

// result is who has access afterwards.
func (c accessChange) result() cfclient.Visibility {
	if c.set != nil {
		return *c.set
	}
	return cfclient.Visibility{Type: c.now.Type, Organizations: slices.Concat(c.now.Organizations, c.add)}
}

// decideAccess finds the change for any access but AccessManual. organizations are those of the plan's configuration; prune takes access from all others.
func decideAccess(now cfclient.Visibility, access string, organizations []cfclient.Organization, prune bool) accessChange {
	change := accessChange{now: now}
	wanted := cfclient.Visibility{Type: cfclient.VisibilityAdmin}
	switch access {
	case AccessEnable:
		wanted.Type = cfclient.VisibilityPublic
	case AccessOrgRestricted:
		wanted = cfclient.Visibility{Type: cfclient.VisibilityOrganization, Organizations: organizations}
	}
	switch {
	case now.Type != wanted.Type:
		change.set = &wanted
		return change
	case wanted.Type != cfclient.VisibilityOrganization:
		return change
	}
	others := without(now.Organizations, organizations)
	if prune && len(others) > 0 {
		change.set = &wanted
		return change
	}
	change.add, change.kept = without(organizations, now.Organizations), others
	return change
}

// without are the organizations that the others don't hold.
func without(organizations, others []cfclient.Organization) (rest []cfclient.Organization) {
	for _, one := range organizations {
		if !slices.ContainsFunc(others, func(other cfclient.Organization) bool { return other.GUID == one.GUID }) {
			rest = append(rest, one)
		}
	}
	return rest
}

// whoHas says in words who has access.
func whoHas(v cfclient.Visibility) string {
	switch v.Type {
	case cfclient.VisibilityPublic:
		return "everybody"
	case cfclient.VisibilityAdmin:
		return "nobody"
	case cfclient.VisibilityOrganization:
		return orgNames(v.Organizations)
	}
	return "visibility " + v.Type
}

func orgNames(organizations []cfclient.Organization) string {
	names := make([]string, len(organizations))
	for i, organization := range organizations {
		names[i] = organization.Name
	}
	slices.Sort(names)
	if len(names) == 1 {
		return "organization " + names[0]
	}
	return "organizations " + strings.Join(names, ", ")
}

// apply makes the change: one request, or none.
func (c accessChange) apply(ctx context.Context, platform Visibilities, plan cfclient.Plan) error {
	return insist(ctx, func(ctx context.Context) error {
		switch {
		case c.set != nil:
			return platform.SetVisibility(ctx, plan.GUID, *c.set)
		case len(c.add) > 0:
			return platform.AddOrganizations(ctx, plan.GUID, c.add...)
		}
		return nil
	})
}

// tell says what has changed, or would; changed is how, with who had access and who has.
func (c accessChange) tell(wanted PlanAccess, telling Telling, changed string) {
	switch {
	case wanted.Access == AccessManual:
		telling.tell("plan %s: access is managed by hand", wanted.Plan)
	case c.due():
		telling.tell("plan %s: "+changed, wanted.Plan, whoHas(c.now), whoHas(c.result()))
	default:
		telling.tell("plan %s: access is for %s, as configured", wanted.Plan, whoHas(c.now))
	}
	if len(c.kept) > 0 {
		telling.warn("plan %s: kept the access of %s, which isn't configured; odb register --prune takes it away", wanted.Plan, orgNames(c.kept))
	}
}
