package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// platform speaks the Open Service Broker API over connections that it keeps.
type platform struct {
	url  string
	http *http.Client
}

// callTime is longer than the slow adapter takes.
const callTime = 2 * time.Minute

func newPlatform(url string, clients int) *platform {
	transport := &http.Transport{MaxIdleConns: clients, MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}
	return &platform{url: url, http: &http.Client{Timeout: callTime, Transport: transport}}
}

// answer is what the driver reads of the broker's answers.
type answer struct {
	State       string `json:"state"`
	Operation   string `json:"operation"`
	Credentials any    `json:"credentials"`
}

func (p *platform) call(ctx context.Context, method, path, body string, want int) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.SetBasicAuth(brokerUser, brokerPassword)
	request.Header.Set("X-Broker-API-Version", "2.17")
	response, err := p.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	if response.StatusCode != want {
		return answer{}, fmt.Errorf("%s %s: expected %d, got %s: %s", method, path, want, response.Status, text)
	}
	var read answer
	return read, json.Unmarshal(text, &read)
}

func (p *platform) catalog(ctx context.Context) error {
	_, err := p.call(ctx, http.MethodGet, "/v2/catalog", "", http.StatusOK)
	return err
}

// poll asks for the state of an operation and insists on the one expected.
func (p *platform) poll(ctx context.Context, instance, operation, expected string) error {
	got, err := p.call(ctx, http.MethodGet, instancePath(instance)+"/last_operation?operation="+url.QueryEscape(operation), "", http.StatusOK)
	if err == nil && got.State != expected {
		err = fmt.Errorf("last_operation of %s: expected %q, got %q", instance, expected, got.State)
	}
	return err
}

const (
	asyncQuery    = "?accepts_incomplete=true"
	offeringQuery = "service_id=" + serviceID + "&plan_id=" + planID
	offeringJSON  = `"service_id":"` + serviceID + `","plan_id":"` + planID + `"`
)

func instancePath(instance string) string { return "/v2/service_instances/" + instance }

func bindingPath(instance string) string {
	return instancePath(instance) + "/service_bindings/" + instance + "-binding"
}

// provision returns the operation.
func (p *platform) provision(ctx context.Context, instance string) (string, error) {
	body := `{` + offeringJSON + `,"organization_guid":"org","space_guid":"space",` +
		`"context":{"platform":"bench","instance_name":"` + instance + `"},"parameters":{"max_memory_mb":256}}`
	got, err := p.call(ctx, http.MethodPut, instancePath(instance)+asyncQuery, body, http.StatusAccepted)
	if err == nil && got.Operation == "" {
		err = fmt.Errorf("provision of %s: no operation in the answer", instance)
	}
	return got.Operation, err
}

func (p *platform) update(ctx context.Context, instance string) error {
	return p.patch(ctx, instance, http.StatusAccepted)
}

// updateNothing asks for an update of an instance that isn't there.
func (p *platform) updateNothing(ctx context.Context, instance string) error {
	return p.patch(ctx, instance, http.StatusNotFound)
}

func (p *platform) patch(ctx context.Context, instance string, want int) error {
	body := `{` + offeringJSON + `,"previous_values":{"plan_id":"` + planID + `"},` +
		`"context":{"platform":"bench","instance_name":"` + instance + `"},"parameters":{"max_memory_mb":512}}`
	_, err := p.call(ctx, http.MethodPatch, instancePath(instance)+asyncQuery, body, want)
	return err
}

func (p *platform) bind(ctx context.Context, instance string) error {
	body := `{` + offeringJSON + `,"bind_resource":{"app_guid":"app"}}`
	got, err := p.call(ctx, http.MethodPut, bindingPath(instance), body, http.StatusCreated)
	if err == nil && got.Credentials == nil {
		err = errors.New("bind: no credentials in the answer")
	}
	return err
}

func (p *platform) unbind(ctx context.Context, instance string) error {
	_, err := p.call(ctx, http.MethodDelete, bindingPath(instance)+"?"+offeringQuery, "", http.StatusOK)
	return err
}

// deprovision returns the operation.
func (p *platform) deprovision(ctx context.Context, instance string) (string, error) {
	got, err := p.call(ctx, http.MethodDelete, instancePath(instance)+asyncQuery+"&"+offeringQuery, "", http.StatusAccepted)
	return got.Operation, err
}

// pollToEnd asks until the operation has succeeded: the broker may be cleaning up after a deletion by itself just then.
func (p *platform) pollToEnd(ctx context.Context, instance, operation string) error {
	const tries, pause = 100, 5 * time.Millisecond
	for try := 1; ; try++ {
		err := p.poll(ctx, instance, operation, succeeded)
		if err == nil || try == tries {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
