package cftest

type organization struct {
	record
	quota string
}

type space struct {
	record
	organization *organization
}

// app is no more than what bindings need to know of it.
type app struct {
	record
	space *space
}

// AddOrganization adds an organization and returns its GUID.
func (c *CloudController) AddOrganization(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := &organization{record: c.newRecord("", name), quota: c.newRecord("", "").guid}
	c.world.organizations.add(made)
	return made.guid
}

// AddSpace adds a space to the organization of that GUID and returns its GUID.
func (c *CloudController) AddSpace(organizationGUID, name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	in, is := c.world.organizations.get(organizationGUID)
	if !is {
		misuse("organization", organizationGUID)
	}
	made := &space{record: c.newRecord("", name), organization: in}
	c.world.spaces.add(made)
	return made.guid
}

// AddApp adds an app to the space of that GUID and returns its GUID.
func (c *CloudController) AddApp(spaceGUID, name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	in, is := c.world.spaces.get(spaceGUID)
	if !is {
		misuse("space", spaceGUID)
	}
	made := &app{record: c.newRecord("", name), space: in}
	c.world.apps[made.guid] = made
	return made.guid
}

func (o *organization) view(c *CloudController) any {
	self := c.URL() + "/v3/organizations/" + o.guid
	quota := c.URL() + "/v3/organization_quotas/" + o.quota
	return struct {
		recordView
		Name          string              `json:"name"`
		Suspended     bool                `json:"suspended"`
		Relationships map[string]relation `json:"relationships"`
		Metadata      metadata            `json:"metadata"`
		Links         map[string]link     `json:"links"`
	}{
		recordView: o.head(), Name: o.name, Relationships: map[string]relation{"quota": relatedTo(o.quota)},
		Links: map[string]link{
			"self": {Href: self}, "domains": {Href: self + "/domains"}, "default_domain": {Href: self + "/domains/default"},
			"quota": {Href: quota},
		},
	}
}

func (s *space) view(c *CloudController) any {
	self := c.URL() + "/v3/spaces/" + s.guid
	return struct {
		recordView
		Name          string              `json:"name"`
		Relationships map[string]relation `json:"relationships"`
		Metadata      metadata            `json:"metadata"`
		Links         map[string]link     `json:"links"`
	}{
		recordView: s.head(), Name: s.name,
		Relationships: map[string]relation{"organization": relatedTo(s.organization.guid), "quota": {}},
		Links: map[string]link{
			"self":           {Href: self},
			"organization":   {Href: c.URL() + "/v3/organizations/" + s.organization.guid},
			"features":       {Href: self + "/features"},
			"apply_manifest": {Href: self + "/actions/apply_manifest", Method: "POST"},
		},
	}
}

func (c *CloudController) listOrganizations(q *request) response {
	l, refusal := q.listing(listableBy([]string{"names", "guids"}, "names", "guids", "label_selector"))
	if refusal != nil {
		return *refusal
	}
	names, guids := l.filter("names"), l.filter("guids")
	answer, _ := page(c, l, c.world.organizations.find(func(o *organization) bool {
		return q.seesAll() && names.has(o.name) && guids.has(o.guid)
	}))
	return ok(answer)
}

func (c *CloudController) listSpaces(q *request) response {
	l, refusal := q.listing(listableBy([]string{"names", "guids", "organization_guids", "include"},
		"names", "guids", "organization_guids", "include", "label_selector"))
	if refusal != nil {
		return *refusal
	}
	names, guids, in := l.filter("names"), l.filter("guids"), l.filter("organization_guids")
	answer, shown := page(c, l, c.world.spaces.find(func(s *space) bool {
		return q.seesAll() && names.has(s.name) && guids.has(s.guid) && in.has(s.organization.guid)
	}))
	if l.includes("organization") || l.includes("org") {
		found := newUnique[*organization]()
		for _, s := range shown {
			found.add(s.organization)
		}
		answer.included = map[string]any{"organizations": found.views(c)}
	}
	return ok(answer)
}

// show answers with one resource of a table, for who sees everything.
func show[R resource](c *CloudController, q *request, t *table[R], what string) response {
	found, is := t.get(q.guid())
	if !is || !q.seesAll() {
		return notFound(what)
	}
	return ok(found.view(c))
}

func (c *CloudController) showOrganization(q *request) response {
	return show(c, q, &c.world.organizations, "Organization")
}

func (c *CloudController) showSpace(q *request) response {
	return show(c, q, &c.world.spaces, "Space")
}
