package cftest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// broker is a registered service broker; without a URL it is a simulated one.
type broker struct {
	record
	access brokerAccess
	busy   bool // a job changes it
}

// brokerAccess is where a broker is and how to log in.
type brokerAccess struct{ url, username, password string }

func (b *broker) view(c *CloudController) any {
	return struct {
		recordView
		Name          string          `json:"name"`
		URL           string          `json:"url"`
		Relationships struct{}        `json:"relationships"`
		Metadata      metadata        `json:"metadata"`
		Links         map[string]link `json:"links"`
	}{
		recordView: b.head(), Name: b.name, URL: b.access.url,
		Links: map[string]link{
			"self":              {Href: c.URL() + "/v3/service_brokers/" + b.guid},
			"service_offerings": {Href: c.URL() + "/v3/service_offerings?service_broker_guids=" + b.guid},
		},
	}
}

func (c *CloudController) listBrokers(q *request) response {
	l, refusal := q.listing(listableBy([]string{"guids", "names"}, "guids", "space_guids", "names", "label_selector"))
	if refusal != nil {
		return *refusal
	}
	guids, names := l.filter("guids"), l.filter("names")
	answer, _ := page(c, l, c.world.brokers.find(func(b *broker) bool {
		return q.seesAll() && guids.has(b.guid) && names.has(b.name)
	}))
	return ok(answer)
}

func (c *CloudController) showBroker(q *request) response {
	return show(c, q, &c.world.brokers, "Service broker")
}

// brokerChange is what a body says of a broker; nil: nothing.
type brokerChange struct {
	name, url   *string
	credentials *brokerAccess
}

// readBroker checks the body of a creation (whole) or of a change.
func readBroker(fields map[string]any, whole bool) (brokerChange, []string) {
	var change brokerChange
	var problems []string
	text := func(key, title string) *string {
		value, given := fields[key]
		found, is := value.(string)
		if !is && (given || whole) {
			problems = append(problems, title+" must be a string")
		}
		if !is {
			return nil
		}
		return &found
	}
	change.name = text("name", "Name")
	change.url = text("url", "Url")
	if value, given := fields["url"]; given || whole {
		address, _ := value.(string)
		if parsed, err := url.Parse(address); err != nil || !slices.Contains([]string{"http", "https"}, parsed.Scheme) || parsed.Host == "" {
			problems = append(problems, "Url '"+address+"' must be a valid url")
		}
	}
	if value, given := fields["authentication"]; given || whole {
		change.credentials = readCredentials(value, &problems)
	}
	return change, append(problems, fieldsBeyond(fields, "name", "url", "authentication", "relationships", "metadata")...)
}

func readCredentials(value any, problems *[]string) *brokerAccess {
	authentication, is := value.(map[string]any)
	if !is {
		*problems = append(*problems, "Authentication must be an object")
		return nil
	}
	credentials, _ := authentication["credentials"].(map[string]any)
	username, hasName := credentials["username"].(string)
	password, hasPassword := credentials["password"].(string)
	if authentication["type"] != "basic" {
		*problems = append(*problems, "Authentication authentication.type must be one of ['basic']")
	}
	if !hasName || !hasPassword {
		*problems = append(*problems, "Authentication credentials must have a username and a password")
	}
	return &brokerAccess{username: username, password: password}
}

func (c *CloudController) brokerNamed(name string) *broker {
	found := c.world.brokers.find(func(b *broker) bool { return b.name == name })
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func (c *CloudController) createBroker(q *request) response {
	change, problems := readBroker(q.readBody(), true)
	if len(problems) > 0 {
		return unprocessable(strings.Join(problems, ", "))
	}
	if c.brokerNamed(*change.name) != nil {
		return unprocessable("Name must be unique")
	}
	made := &broker{record: c.newRecord("", *change.name), access: *change.credentials, busy: true}
	made.access.url = *change.url
	c.world.brokers.add(made)
	asks := callerOf(q)
	return c.start("service_broker.catalog.synchronize", c.aboutBroker(made), func(ctx context.Context, j *job) *apiError {
		return c.synchronize(ctx, j, made, brokerSync{made.name, made.access, asks})
	})
}

func (c *CloudController) aboutBroker(b *broker) subject {
	return subject{name: "service_brokers", path: "/v3/service_brokers/" + b.guid, there: func() bool {
		_, is := c.world.brokers.get(b.guid)
		return is
	}}
}

func (c *CloudController) updateBroker(q *request) response {
	b, is := c.world.brokers.get(q.guid())
	if !is {
		return notFound("Service broker")
	}
	change, problems := readBroker(q.readBody(), false)
	if len(problems) > 0 {
		return unprocessable(strings.Join(problems, ", "))
	}
	if change == (brokerChange{}) {
		return ok(b.view(c))
	}
	if b.busy {
		return unprocessable("Cannot update a broker when other operation is already in progress")
	}
	name, access := b.name, b.access
	if change.name != nil {
		name = *change.name
	}
	if other := c.brokerNamed(name); other != nil && other != b {
		return unprocessable("Name must be unique")
	}
	if change.credentials != nil {
		access.username, access.password = change.credentials.username, change.credentials.password
	}
	if change.url != nil {
		access.url = *change.url
	}
	b.busy = true
	asks := callerOf(q)
	return c.start("service_broker.update", c.aboutBroker(b), func(ctx context.Context, j *job) *apiError {
		return c.synchronize(ctx, j, b, brokerSync{name, access, asks})
	})
}

// brokerSync is what a broker is to be called and how it is reached, if its catalog is good, and who wants that.
type brokerSync struct {
	name   string
	access brokerAccess
	asks   caller
}

// synchronize asks a broker for its catalog, and takes name, access and catalog over if it is good.
func (c *CloudController) synchronize(ctx context.Context, j *job, b *broker, to brokerSync) *apiError {
	var failure *apiError
	var offered []catalogService
	if to.access.url != "" {
		offered, failure = c.fetchCatalog(ctx, to.access, to.asks)
	}
	c.locked(func() {
		b.busy = false
		if failure != nil {
			return
		}
		b.name, b.access, b.updated = to.name, to.access, c.options.Now()
		if to.access.url != "" {
			j.warnings = append(j.warnings, c.takeCatalog(b, offered)...)
		}
	})
	return failure
}

func (c *CloudController) deleteBroker(q *request) response {
	b, is := c.world.brokers.get(q.guid())
	if !is {
		return notFound("Service broker")
	}
	if b.busy {
		return unprocessable("Cannot delete a broker when other operation is already in progress")
	}
	for _, i := range c.world.instances.order {
		if i.plan.offering.broker == b {
			return refuse(http.StatusUnprocessableEntity, apiError{
				"Can not remove brokers that have associated service instances: " + b.name, "CF-ServiceBrokerNotRemovable", 270010,
			})
		}
	}
	b.busy = true
	return c.start("service_broker.delete", c.aboutBroker(b), func(context.Context, *job) *apiError {
		c.locked(func() {
			for _, o := range c.world.offerings.find(func(o *offering) bool { return o.broker == b }) {
				c.removeOffering(o)
			}
			c.world.brokers.remove(b.guid)
		})
		return nil
	})
}
