package devdirector

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type linkOwner struct {
	Type string    `json:"type"`
	Name string    `json:"name"`
	Info ownerInfo `json:"info"`
}

type ownerInfo struct {
	Group string `json:"instance_group"`
}

type linkDefinition struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

type providerBody struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Shared     bool           `json:"shared"`
	Deployment string         `json:"deployment"`
	Definition linkDefinition `json:"link_provider_definition"`
	Owner      linkOwner      `json:"owner_object"`
}

type consumerBody struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Optional   bool           `json:"optional"`
	Deployment string         `json:"deployment"`
	Owner      linkOwner      `json:"owner_object"`
	Definition linkDefinition `json:"link_consumer_definition"`
}

type linkBody struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	ConsumerID string `json:"link_consumer_id"`
	ProviderID string `json:"link_provider_id"`
	CreatedAt  string `json:"created_at"`
}

func (l *link) body() linkBody {
	return linkBody{itoa(l.ID), l.Name, itoa(l.Consumer), itoa(l.Provider), l.Created.UTC().Format(createdAtLayout)}
}

// ofDeployment finds the deployment that ?deployment= names.
func (d *Director) ofDeployment(q *request) (*deployment, *response) {
	name := q.query.Get("deployment")
	if name == "" {
		refusal := refuse(http.StatusBadRequest, 190024, "Deployment name is required")
		return nil, &refusal
	}
	dep, is := d.world.deployments[name]
	if !is {
		refusal := noDeployment(name)
		return nil, &refusal
	}
	return dep, d.permit(q.user, readAccess, dep.Teams)
}

func (d *Director) listLinkProviders(q *request) response {
	d.enter()
	defer d.leave()
	dep, refusal := d.ofDeployment(q)
	if refusal != nil {
		return *refusal
	}
	list := []providerBody{}
	for _, p := range dep.Providers {
		list = append(list, providerBody{
			ID: itoa(p.ID), Name: p.Name, Shared: p.Shared, Deployment: dep.Name,
			Definition: linkDefinition{"address", p.Original}, Owner: linkOwner{"job", p.Job, ownerInfo{p.Group}},
		})
	}
	return ok(list)
}

func (d *Director) listLinkConsumers(q *request) response {
	d.enter()
	defer d.leave()
	dep, refusal := d.ofDeployment(q)
	if refusal != nil {
		return *refusal
	}
	list := []consumerBody{}
	for _, c := range dep.Consumers {
		list = append(list, consumerBody{
			ID: itoa(c.ID), Name: c.Name, Optional: true, Deployment: dep.Name,
			Owner: linkOwner{"job", c.Job, ownerInfo{c.Group}}, Definition: linkDefinition{c.Type, c.Name},
		})
	}
	return ok(list)
}

func (d *Director) listLinks(q *request) response {
	d.enter()
	defer d.leave()
	dep, refusal := d.ofDeployment(q)
	if refusal != nil {
		return *refusal
	}
	list := []linkBody{}
	for _, l := range d.world.links.byDeployment[dep.Name] {
		list = append(list, l.body())
	}
	return ok(list)
}

type newLink struct {
	ProviderID string `json:"link_provider_id"`
	Network    string `json:"network"`
	Consumer   struct {
		Owner struct {
			Type string `json:"type"`
			Name string `json:"name"`
		} `json:"owner_object"`
	} `json:"link_consumer"`
}

// The Director's codes about links.
const (
	codeNoLink          = 810000
	codeLinkRequest     = 810001
	codeNoProvider      = 810002
	codeLinkNetwork     = 810003
	codeLinkID          = 810006
	codeProviderPrivate = 810009
)

// createLink makes a link for an external consumer; the same link again is the one that is there.
func (d *Director) createLink(q *request) response {
	var asked newLink
	if err := json.Unmarshal(q.body, &asked); err != nil {
		return invalidJSON(q.body)
	}
	if asked.ProviderID == "" {
		return refuse(http.StatusBadRequest, codeLinkRequest, "Invalid request: `link_provider_id` must be provided")
	}
	if asked.Consumer.Owner.Type != "external" {
		return refuse(http.StatusBadRequest, codeLinkRequest, "Invalid request: `link_consumer.owner_object.type` should be 'external'")
	}
	d.enter()
	defer d.leave()
	dep, provider := d.findProvider(asked.ProviderID)
	if provider == nil {
		return refuse(http.StatusBadRequest, codeNoProvider, "Invalid link_provider_id: "+asked.ProviderID)
	}
	if refusal := d.permit(q.user, adminAccess, dep.Teams); refusal != nil {
		return *refusal
	}
	consumer := asked.Consumer.Owner.Name
	switch {
	case !provider.Shared:
		return refuse(http.StatusForbidden, codeProviderPrivate, "Provider not `shared`")
	case asked.Network != "" && !slices.Contains(provider.Networks, asked.Network):
		return refuse(http.StatusBadRequest, codeLinkNetwork, fmt.Sprintf(
			"Can't resolve network: `%s` in provider id: %d for `%s`", asked.Network, provider.ID, consumer))
	}
	return ok(d.world.link(dep, provider, consumer).body())
}

func (w *world) link(dep *deployment, provider *linkProvider, consumer string) *link {
	s := &w.links
	for _, l := range s.byDeployment[dep.Name] {
		if l.Provider == provider.ID && l.ConsumerName == consumer {
			return l
		}
	}
	made := &link{
		ID: s.lastLink + 1, Provider: provider.ID, Consumer: s.lastConsumer + 1, Name: provider.Original,
		ConsumerName: consumer, Deployment: dep.Name, Created: w.now,
	}
	s.add(made)
	w.store.put(linkRecord, itoa(made.ID), made)
	return made
}

func (d *Director) findProvider(id string) (*deployment, *linkProvider) {
	number, err := strconv.Atoi(id)
	if err != nil {
		return nil, nil
	}
	dep, is := d.world.deployments[d.world.links.providers[number]]
	if !is {
		return nil, nil
	}
	at := slices.IndexFunc(dep.Providers, func(p linkProvider) bool { return p.ID == number })
	if at < 0 {
		return nil, nil
	}
	return dep, &dep.Providers[at]
}

func (d *Director) findLink(id string) *link {
	number, err := strconv.Atoi(id)
	if err != nil {
		return nil
	}
	return d.world.links.links[number]
}

func (d *Director) deleteLink(q *request) response {
	d.enter()
	defer d.leave()
	found := d.findLink(q.param(0))
	if found == nil {
		return refuse(http.StatusNotFound, codeNoLink, "Invalid link id: "+q.param(0))
	}
	if refusal := d.permit(q.user, adminAccess, d.world.deployments[found.Deployment].Teams); refusal != nil {
		return *refusal
	}
	s := &d.world.links
	delete(s.links, found.ID)
	s.byDeployment[found.Deployment] = slices.DeleteFunc(s.byDeployment[found.Deployment], func(l *link) bool { return l == found })
	d.world.store.drop(linkRecord, itoa(found.ID))
	d.world.keepCounters()
	return noContent()
}

// healthFilters are the values of ?status= of a link's address, as bosh-dns encodes them.
var healthFilters = map[string]string{"": "0", "default": "0", "unhealthy": "1", "healthy": "3", "all": "4"}

// linkAddress is the DNS name of a link's provider, narrowed to AZs and to a state of health.
func (d *Director) linkAddress(q *request) response {
	id := q.query.Get("link_id")
	if id == "" {
		return refuse(http.StatusBadRequest, codeLinkID, "Link id is required")
	}
	health, known := healthFilters[q.query.Get("status")]
	if !known {
		return refuse(http.StatusBadRequest, codeLinkRequest, "Invalid request: unknown status '"+q.query.Get("status")+"'")
	}
	d.enter()
	defer d.leave()
	found := d.findLink(id)
	if found == nil {
		return refuse(http.StatusNotFound, codeNoLink, "Could not find a link with id "+id)
	}
	dep, provider := d.findProvider(itoa(found.Provider))
	if provider == nil || len(provider.Networks) == 0 {
		return refuse(http.StatusNotFound, codeNoLink, "Could not find a link with id "+id)
	}
	if refusal := d.permit(q.user, readAccess, dep.Teams); refusal != nil {
		return *refusal
	}
	query := "q-"
	for _, az := range q.query["azs[]"] {
		query += "a" + itoa(d.world.azNumber(az))
	}
	address := strings.Join([]string{query + "s" + health, provider.Group, provider.Networks[0], dep.Name, "bosh"}, ".")
	return ok(map[string]string{"address": address})
}

// azNumber is how bosh-dns knows an AZ: by the order in which it was first seen.
func (w *world) azNumber(az string) int {
	if at := slices.IndexFunc(w.configs.cloud().AZs, func(n named) bool { return n.Name == az }); at >= 0 {
		return at + 1
	}
	if at := slices.Index(w.otherAZs, az); at >= 0 {
		return len(w.configs.cloud().AZs) + at + 1
	}
	w.otherAZs = append(w.otherAZs, az)
	return len(w.configs.cloud().AZs) + len(w.otherAZs)
}
