package osbcheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"
)

// session is one run against one broker.
type session struct {
	options Options
	http    *http.Client
	catalog *Exchange
	service service
	plan    plan
	other   *plan // nil if there is no second one

	log     []*Exchange
	made    []string    // instances that may be there
	bound   [][2]string // bindings that may be there: instance and binding
	refused []string    // instances that were asked for and refused

	shared                    string // the shared instance
	creation, change, removal *operation
	bindingAnswer             *Exchange // of the binding that several checks look at
	leftBinding               string    // its id
	brief                     *briefLife
}

// service and plan are what the run needs to know of the catalog; the checks of the catalog read it as it came.
type service struct {
	ID                   string   `json:"id"`
	Name                 string   `json:"name"`
	Bindable             bool     `json:"bindable"`
	PlanUpdateable       bool     `json:"plan_updateable"`
	Requires             []string `json:"requires"`
	InstancesRetrievable bool     `json:"instances_retrievable"`
	BindingsRetrievable  bool     `json:"bindings_retrievable"`
	AllowContextUpdates  bool     `json:"allow_context_updates"`
	Plans                []plan   `json:"plans"`
}

type plan struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Bindable         *bool  `json:"bindable"`
	PlanUpdateable   *bool  `json:"plan_updateable"`
	BindingRotatable bool   `json:"binding_rotatable"`
	Schemas          object `json:"schemas"`
	MaintenanceInfo  *struct {
		Version string `json:"version"`
	} `json:"maintenance_info"`
}

func (s service) bindable(p plan) bool {
	if p.Bindable != nil {
		return *p.Bindable
	}
	return s.Bindable
}

func (s service) requires(permission string) bool { return slices.Contains(s.Requires, permission) }

func (s service) changes(p plan) bool {
	if p.PlanUpdateable != nil {
		return *p.PlanUpdateable
	}
	return s.PlanUpdateable
}

// newSession reads the catalog and chooses from it.
func newSession(ctx context.Context, options Options) (*session, error) {
	options, err := options.completed()
	if err != nil {
		return nil, err
	}
	s := &session{
		options: options, shared: uuid.NewString(),
		http: &http.Client{
			Transport:     options.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	s.catalog, err = s.send(ctx, s.catalogRequest())
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the catalog: %w", err)
	case s.catalog.Status != http.StatusOK:
		return nil, fmt.Errorf("reading the catalog: answered %d: %s", s.catalog.Status, s.catalog.Body)
	}
	return s, s.choose()
}

// choose finds the service and the plans to work with.
func (s *session) choose() error {
	var catalog struct {
		Services []service `json:"services"`
	}
	var wrongType *json.UnmarshalTypeError // the checks of the catalog tell of it
	if err := json.Unmarshal(s.catalog.text, &catalog); err != nil && !errors.As(err, &wrongType) {
		return fmt.Errorf("the catalog can't be read: %w", err)
	}
	at := slices.IndexFunc(catalog.Services, func(one service) bool {
		return len(one.Plans) > 0 && (s.options.ServiceID == "" || one.ID == s.options.ServiceID)
	})
	if at < 0 {
		return fmt.Errorf("the catalog has no service %s with a plan", s.options.ServiceID)
	}
	s.service = catalog.Services[at]
	plans := s.service.Plans
	at = slices.IndexFunc(plans, func(p plan) bool {
		if s.options.PlanID != "" {
			return p.ID == s.options.PlanID
		}
		return s.service.bindable(p)
	})
	if at < 0 && s.options.PlanID != "" {
		return fmt.Errorf("service %s has no plan %s", s.service.Name, s.options.PlanID)
	}
	s.plan = plans[max(at, 0)]
	at = slices.IndexFunc(plans, func(p plan) bool {
		return p.ID != s.plan.ID && (s.options.OtherPlanID == "" || p.ID == s.options.OtherPlanID)
	})
	if at < 0 && s.options.OtherPlanID != "" {
		return fmt.Errorf("service %s has no other plan %s", s.service.Name, s.options.OtherPlanID)
	}
	if at >= 0 {
		s.other = &plans[at]
	}
	return nil
}

// describesParameters tells whether the plan has a schema for what an instance is made with.
func (s *session) describesParameters() bool {
	_, described := schemasOf(object{"schemas": s.plan.Schemas})["service_instance.create"]
	return described
}

// note keeps what a request may have made, and what was refused to it. The status is 0 without an answer.
func (s *session) note(r request, status int) {
	if r.method != http.MethodPut || r.instance == "" {
		return
	}
	refused := status >= 400 && status < 500
	pair := [2]string{r.instance, r.binding}
	switch {
	case r.binding != "" && !refused && !slices.Contains(s.bound, pair):
		s.bound = append(s.bound, pair)
	case r.binding != "" || slices.Contains(s.made, r.instance):
	case refused:
		s.refused = append(s.refused, r.instance)
	default:
		s.made = append(s.made, r.instance)
	}
}

func fresh() string { return uuid.NewString() }
