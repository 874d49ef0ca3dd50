package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// client is one of the platform's workers. It wants something of an instance, follows it for a while, and goes on.
type client struct {
	world   *world
	journal *journal
	ids     []string
	rng     *rand.Rand
	http    *http.Client
}

type answer struct {
	status int
	text   string
	body   struct{ Operation, State, Error, Description string }
}

// work goes on until ctx ends.
func (c *client) work(ctx context.Context) {
	for ctx.Err() == nil {
		id := c.ids[c.rng.IntN(len(c.ids))]
		switch n := c.rng.IntN(100); {
		case n < 40:
			c.change(ctx, "PUT", id, nil, instance(id))
		case n < 55:
			c.change(ctx, "PATCH", id, nil, map[string]any{"service_id": serviceID, "plan_id": planID, "parameters": map[string]any{"n": c.rng.IntN(100)}})
		case n < 75:
			c.bindAndUnbind(ctx, id)
		default:
			c.change(ctx, "DELETE", id, plan(), nil)
		}
		pause(ctx, time.Duration(10+c.rng.IntN(60))*time.Millisecond)
	}
}

// instance is what is asked for under an id, by whoever asks.
func instance(id string) map[string]any {
	return map[string]any{"service_id": serviceID, "plan_id": planID, "organization_guid": "org", "space_guid": "space", "parameters": map[string]any{"of": id}}
}

func plan() url.Values { return url.Values{"service_id": {serviceID}, "plan_id": {planID}} }

// change asks for one, and follows it to its end or, as platforms do that give up, only for a while.
func (c *client) change(ctx context.Context, method, id string, query url.Values, body any) {
	a, ok := c.ask(ctx, method, id, "", query, body)
	if !ok || a.status != http.StatusAccepted {
		return
	}
	c.follow(ctx, id, a.body.Operation, time.Duration(c.rng.IntN(20_000))*time.Millisecond)
}

// follow polls an accepted operation to its end, unless that takes too long.
func (c *client) follow(ctx context.Context, id, operation string, patience time.Duration) {
	c.journal.accepted(id, operation)
	for end := time.Now().Add(patience); ctx.Err() == nil && time.Now().Before(end); {
		pause(ctx, time.Duration(20+c.rng.IntN(80))*time.Millisecond)
		if state, known := c.poll(ctx, id, operation); known && state != inProgress {
			c.journal.ended(operation, state)
			return
		}
	}
}

const inProgress = "in progress"

// poll gives the state of an operation, as far as somebody knows it.
func (c *client) poll(ctx context.Context, id, operation string) (state string, known bool) {
	query := plan()
	query.Set("operation", operation)
	a, ok := c.ask(ctx, "GET", id, "/last_operation", query, nil)
	return a.body.State, ok && a.status == http.StatusOK
}

func (c *client) bindAndUnbind(ctx context.Context, id string) {
	path := fmt.Sprintf("/service_bindings/b-%d", c.rng.IntN(1_000_000))
	if a, ok := c.ask(ctx, "PUT", id, path, nil, map[string]any{"service_id": serviceID, "plan_id": planID}); ok && a.status == http.StatusCreated {
		c.ask(ctx, "DELETE", id, path, plan(), nil)
	}
}

// ask sends a request to any of the brokers, and to another one if that one is away or dies of it, as a platform behind a
// load balancer does. It gives up after a while.
func (c *client) ask(ctx context.Context, method, id, path string, query url.Values, body any) (answer, bool) {
	all := url.Values{"accepts_incomplete": {"true"}}
	for name, values := range query {
		all[name] = values
	}
	for range 20 {
		b := c.world.brokers[c.rng.IntN(len(c.world.brokers))]
		a, err := c.send(ctx, method, b.url()+"/v2/service_instances/"+id+path+"?"+all.Encode(), body)
		if err == nil {
			c.journal.answered(method, id, path, a)
			return a, true
		}
		if ctx.Err() != nil {
			break
		}
		pause(ctx, 20*time.Millisecond)
	}
	return answer{}, false
}

func (c *client) send(ctx context.Context, method, target string, body any) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(text))
	if err != nil {
		return answer{}, err
	}
	request.SetBasicAuth(user, password)
	request.Header.Set("X-Broker-API-Version", "2.17")
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: response.StatusCode, text: string(content)}
	if err := json.Unmarshal(content, &a.body); err != nil {
		return a, fmt.Errorf("%s %s: %d is no JSON: %w", method, target, a.status, err)
	}
	return a, nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
