package cftest

import (
	"net/http"
	"slices"
	"strings"
)

// Visibility types of a plan.
const (
	visibilityPublic       = "public"
	visibilityAdmin        = "admin"
	visibilityOrganization = "organization"
)

func (p *plan) visibility() string {
	switch {
	case p.public:
		return visibilityPublic
	case len(p.organizations) > 0:
		return visibilityOrganization
	}
	return visibilityAdmin
}

type organizationView struct {
	GUID string `json:"guid"`
	Name string `json:"name"`
}

type visibilityView struct {
	Type          string             `json:"type"`
	Organizations []organizationView `json:"organizations,omitempty"`
}

func (p *plan) visibilityView() visibilityView {
	view := visibilityView{Type: p.visibility()}
	if view.Type != visibilityOrganization {
		return view
	}
	for _, o := range p.organizations {
		view.Organizations = append(view.Organizations, organizationView{o.guid, o.name})
	}
	return view
}

func (c *CloudController) showVisibility(q *request) response {
	p, is := c.world.plans.get(q.guid())
	if !is || (!q.seesAll() && !p.public) {
		return notFound("Service plan")
	}
	return ok(p.visibilityView())
}

// readVisibility reads the body of a change, or is how to refuse it.
func (c *CloudController) readVisibility(q *request) (kind string, named []*organization, refusal *response) {
	refused := func(r response) (string, []*organization, *response) { return "", nil, &r }
	fields := q.readBody()
	kind, _ = fields["type"].(string)
	if !slices.Contains([]string{visibilityPublic, visibilityAdmin, visibilityOrganization}, kind) {
		return refused(badRequest("Type must be one of 'public', 'admin', 'organization'"))
	}
	if kind != visibilityOrganization {
		return kind, nil, nil
	}
	items, isList := fields["organizations"].([]any)
	var problems []string
	if !isList {
		problems = append(problems, "Organizations must be an array")
	}
	if len(items) == 0 {
		problems = append(problems, "Organizations can't be blank")
	}
	if len(problems) > 0 {
		return refused(badRequest(strings.Join(problems, ", ")))
	}
	for _, item := range items {
		guid := textIn(item, "guid")
		found, is := c.world.organizations.get(guid)
		if !is {
			return refused(refuse(http.StatusBadRequest, apiError{"Could not find Organization with guid: " + guid, "CF-InvalidRelation", 1002}))
		}
		named = append(named, found)
	}
	return kind, named, nil
}

// replaceVisibility makes the visibility what the body says.
func (c *CloudController) replaceVisibility(q *request) response {
	p, is := c.world.plans.get(q.guid())
	if !is {
		return notFound("Service plan")
	}
	kind, named, refusal := c.readVisibility(q)
	if refusal != nil {
		return *refusal
	}
	p.public, p.organizations = kind == visibilityPublic, nil
	p.admit(named)
	return ok(p.visibilityView())
}

// extendVisibility adds organizations. A public plan stays public, whatever the answer says.
func (c *CloudController) extendVisibility(q *request) response {
	p, is := c.world.plans.get(q.guid())
	if !is {
		return notFound("Service plan")
	}
	kind, named, refusal := c.readVisibility(q)
	if refusal != nil {
		return *refusal
	}
	if kind != visibilityOrganization {
		p.public, p.organizations = kind == visibilityPublic, nil
	}
	p.admit(named)
	return ok(visibilityView{Type: kind})
}

func (p *plan) admit(named []*organization) {
	for _, o := range named {
		if !slices.Contains(p.organizations, o) {
			p.organizations = append(p.organizations, o)
		}
	}
}

func (c *CloudController) reduceVisibility(q *request) response {
	p, is := c.world.plans.get(q.guid())
	if !is {
		return notFound("Service plan")
	}
	o, is := c.world.organizations.get(q.param("organization"))
	if !is {
		return notFound("Organization")
	}
	if p.visibility() != visibilityOrganization {
		return unprocessable("Cannot delete visibilities from non-org-restricted plans")
	}
	at := slices.Index(p.organizations, o)
	if at < 0 {
		return notFound("Service plan visibility")
	}
	p.organizations = slices.Delete(p.organizations, at, at+1)
	return noContent()
}
