// Command demo tells the broker's main story by doing it: it starts a broker and a development Director, then provisions,
// binds, updates, unbinds and deprovisions through the Open Service Broker API, as a platform would. It knows
// the broker by its HTTP API only, and exits 0 only if each step did what it says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	odb := flag.String("odb", "bin/odb", "the odb executable")
	config := flag.String("config", "examples/cache/broker.yml", "the broker's configuration")
	user := flag.String("user", "broker", "broker.username of that configuration")
	password := flag.String("password", "broker", "broker.password of that configuration")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	err := demo(ctx, *odb, *config, *user, *password)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo failed:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, odb, config, user, password string) (err error) {
	process, err := start(ctx, odb, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, process.stop()) }()
	p := &platform{url: process.brokerURL, user: user, password: password}
	say("The broker is at %s, a development Director at %s.", process.brokerURL, process.directorURL)

	s := &story{platform: p, director: process, instance: "demo-instance", binding: "demo-binding"}
	steps := []struct {
		title string
		do    func(context.Context) error
	}{
		{"The catalog", s.catalog},
		{"Provision an instance of the small plan", s.provision},
		{"Bind an app to it", s.bind},
		{"Update it to the bigger plan", s.update},
		{"The same credentials still hold", s.bindAgain},
		{"Unbind", s.unbind},
		{"Deprovision", s.deprovision},
		{"Nothing is left behind", s.nothingLeft},
	}
	for i, step := range steps {
		say("\n%d. %s", i+1, step.title)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
	}
	say("\nAll of it worked.")
	return nil
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// story is one instance's life.
type story struct {
	platform *platform
	director *process

	instance, binding string
	service           string
	small, large      plan
	password          string
}

type plan struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (s *story) catalog(ctx context.Context) error {
	var catalog struct {
		Services []struct {
			ID          string `json:"id"`
			Name        string `json:"name"`
			Description string `json:"description"`
			Plans       []plan `json:"plans"`
		} `json:"services"`
	}
	if err := s.platform.call(ctx, request{method: "GET", path: "/v2/catalog", want: 200}, &catalog); err != nil {
		return err
	}
	if len(catalog.Services) != 1 || len(catalog.Services[0].Plans) < 2 {
		return errors.New("expected one service with two plans")
	}
	service := catalog.Services[0]
	s.service, s.small, s.large = service.ID, service.Plans[0], service.Plans[1]
	say("   %s (%s), plans: %s, %s", service.Name, service.Description, s.small.Name, s.large.Name)
	return nil
}

func (s *story) path() string { return "/v2/service_instances/" + s.instance }

func (s *story) provision(ctx context.Context) error {
	return s.operation(ctx, request{method: "PUT", path: s.path() + "?accepts_incomplete=true", want: 202, body: map[string]any{
		"service_id": s.service, "plan_id": s.small.ID, "organization_guid": "demo-org", "space_guid": "demo-space",
		"context":    map[string]string{"platform": "demo", "instance_name": "my-cache"},
		"parameters": map[string]any{"max_memory_mb": 256},
	}})
}

func (s *story) update(ctx context.Context) error {
	return s.operation(ctx, request{method: "PATCH", path: s.path() + "?accepts_incomplete=true", want: 202, body: map[string]any{
		"service_id": s.service, "plan_id": s.large.ID, "previous_values": map[string]string{"plan_id": s.small.ID},
	}})
}

func (s *story) deprovision(ctx context.Context) error {
	return s.operation(ctx, request{method: "DELETE", path: s.path() + "?accepts_incomplete=true&" + s.ids(s.large), want: 202})
}

func (s *story) ids(p plan) string { return "service_id=" + s.service + "&plan_id=" + p.ID }

// operation asks for something that takes a while and follows it to its end, showing the stages as they pass.
func (s *story) operation(ctx context.Context, r request) error {
	var accepted struct {
		Operation    string `json:"operation"`
		DashboardURL string `json:"dashboard_url"`
	}
	if err := s.platform.call(ctx, r, &accepted); err != nil {
		return err
	}
	if accepted.Operation == "" {
		return errors.New("accepted, but without an operation")
	}
	if accepted.DashboardURL != "" {
		say("   dashboard: %s", accepted.DashboardURL)
	}
	shown := ""
	for {
		state, err := s.platform.lastOperation(ctx, s.path(), accepted.Operation)
		if err != nil {
			return err
		}
		if state.Description != shown {
			say("   %-11s  %s", state.State, state.Description)
			shown = state.Description
		}
		switch state.State {
		case "succeeded":
			return nil
		case "failed":
			return errors.New(state.Description)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *story) bind(ctx context.Context) error {
	credentials, err := s.credentials(ctx, http.StatusCreated)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(credentials, "   ", "  ")
	if err != nil {
		return err
	}
	say("   %s", text)
	password, _ := credentials["password"].(string)
	if password == "" {
		return errors.New("the credentials have no password")
	}
	s.password = password
	return nil
}

func (s *story) bindAgain(ctx context.Context) error {
	credentials, err := s.credentials(ctx, http.StatusOK)
	if err != nil {
		return err
	}
	if credentials["password"] != s.password {
		return errors.New("the update changed the password")
	}
	if hosts, _ := credentials["hosts"].([]any); len(hosts) != 3 {
		return fmt.Errorf("the bigger plan has three nodes, the credentials name %d", len(hosts))
	}
	say("   the same password, now for three nodes")
	return nil
}

// credentials asks for the binding, as it was asked for first: 201 when it is made, 200 when it is there.
func (s *story) credentials(ctx context.Context, want int) (map[string]any, error) {
	var bound struct {
		Credentials map[string]any `json:"credentials"`
	}
	err := s.platform.call(ctx, request{method: "PUT", path: s.path() + "/service_bindings/" + s.binding, want: want, body: map[string]any{
		"service_id": s.service, "plan_id": s.small.ID, "bind_resource": map[string]string{"app_guid": "demo-app"},
	}}, &bound)
	return bound.Credentials, err
}

func (s *story) unbind(ctx context.Context) error {
	if err := s.platform.call(ctx, request{method: "DELETE", path: s.path() + "/service_bindings/" + s.binding + "?" + s.ids(s.large), want: 200}, nil); err != nil {
		return err
	}
	say("   done")
	return nil
}

func (s *story) nothingLeft(ctx context.Context) error {
	if err := s.platform.call(ctx, request{method: "DELETE", path: s.path() + "?accepts_incomplete=true&" + s.ids(s.large), want: 410}, nil); err != nil {
		return err
	}
	left, err := s.director.deployments(ctx)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("the Director still has %s", strings.Join(left, ", "))
	}
	say("   the broker knows no such instance, the Director has no deployment")
	return nil
}
