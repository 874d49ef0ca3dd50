package server

import (
	"net/http"

	"github.com/pivotal-cf/brokerapi/v11/domain"
)

// catalogPlan is a plan with what brokerapi's lacks.
type catalogPlan struct {
	domain.ServicePlan
	BindingRotatable bool `json:"binding_rotatable,omitempty"`
}

// catalogService is a service whose plans those are.
type catalogService struct {
	domain.Service
	Plans []catalogPlan `json:"plans"`
}

// catalog says which plans' bindings can be followed by others (row I1).
func (e *edge) catalog(w http.ResponseWriter, r *http.Request) {
	services, err := e.options.Broker.Services(r.Context())
	if err != nil {
		e.fail(w, r, "catalog", err)
		return
	}
	body := struct {
		Services []catalogService `json:"services"`
	}{Services: make([]catalogService, 0, len(services))}
	for _, s := range services {
		service := catalogService{Service: s, Plans: make([]catalogPlan, 0, len(s.Plans))}
		for _, p := range s.Plans {
			service.Plans = append(service.Plans, catalogPlan{ServicePlan: p, BindingRotatable: e.options.Broker.IsRotatable(p.ID)})
		}
		body.Services = append(body.Services, service)
	}
	writeJSON(w, http.StatusOK, body)
}
