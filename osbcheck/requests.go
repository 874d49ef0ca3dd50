package osbcheck

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
)

type object = map[string]any

// login is a user and password; none if both are empty.
type login struct{ username, password string }

// request is one request of the specification, whole and right until a check changes it.
type request struct {
	method, path string // escaped
	query        url.Values
	body         any // nil for none; a string is sent as it is
	header       map[string]string
	login        *login // nil for the right one

	instance, binding string // what it is about
}

func (r request) target() string {
	if len(r.query) == 0 {
		return r.path
	}
	return r.path + "?" + r.query.Encode()
}

func (r request) encoded() ([]byte, error) {
	switch body := r.body.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(body), nil
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding the body of %s %s: %w", r.method, r.path, err)
		}
		return text, nil
	}
}

// with is the request with members of its body changed; nil takes one away.
func (r request) with(change object) request {
	body, _ := r.body.(object)
	body = maps.Clone(body)
	for name, value := range change {
		if value == nil {
			delete(body, name)
			continue
		}
		body[name] = value
	}
	r.body = body
	return r
}

// sending is the request with another body.
func (r request) sending(body any) request { r.body = body; return r }

// asking is the request with a parameter of its query changed; empty takes it away.
func (r request) asking(name, value string) request {
	r.query = maps.Clone(r.query)
	if r.query == nil {
		r.query = url.Values{}
	}
	if r.query.Del(name); value != "" {
		r.query.Set(name, value)
	}
	return r
}

// at is the request with its path changed.
func (r request) at(path string) request { r.path = path; return r }

// saying is the request with a header changed; empty takes it away.
func (r request) saying(name, value string) request {
	r.header = maps.Clone(r.header)
	if r.header == nil {
		r.header = map[string]string{}
	}
	r.header[name] = value
	return r
}

// as is the request by another user.
func (r request) as(username, password string) request {
	r.login = &login{username, password}
	return r
}

// waiting is the request of a platform that doesn't do asynchronous operations.
func (r request) waiting() request { return r.asking("accepts_incomplete", "") }

func instancePath(id string) string         { return "/v2/service_instances/" + id }
func bindingPath(id, binding string) string { return instancePath(id) + "/service_bindings/" + binding }

func incomplete() url.Values { return url.Values{"accepts_incomplete": {"true"}} }

func (s *session) catalogRequest() request {
	return request{method: http.MethodGet, path: "/v2/catalog"}
}

// provision asks for an instance, as Cloud Foundry does, its annotations included.
func (s *session) provision(id string) request {
	body := object{
		"service_id": s.service.ID, "plan_id": s.plan.ID,
		"organization_guid": s.options.OrganizationGUID, "space_guid": s.options.SpaceGUID,
		"context": s.cloudFoundry("osb-check"),
	}
	if len(s.options.ProvisionParameters) > 0 {
		body["parameters"] = s.options.ProvisionParameters
	}
	return request{method: http.MethodPut, path: instancePath(id), query: incomplete(), body: body, instance: id}
}

// cloudFoundry is a context as in the profile, with a member that nobody knows yet.
func (s *session) cloudFoundry(instanceName string) object {
	return object{
		"platform": "cloudfoundry", "organization_guid": s.options.OrganizationGUID, "space_guid": s.options.SpaceGUID,
		"organization_name": "osb-check", "space_name": "osb-check", "instance_name": instanceName,
		"organization_annotations": object{"example.com/owner": "osb-check"}, "space_annotations": object{}, "instance_annotations": object{},
	}
}

// kubernetes is a context as in the profile.
func (s *session) kubernetes() object {
	return object{
		"platform": "kubernetes", "namespace": "osb-check", "clusterid": "osb-check", "instance_name": "osb-check",
		"namespace_annotations": object{"example.com/owner": "osb-check"}, "instance_annotations": object{},
	}
}

// update asks for the update that the run makes: of the parameters if there are any to send, else of nothing but a redeploy.
func (s *session) update(id string) request {
	body := object{
		"service_id": s.service.ID, "context": s.cloudFoundry("osb-check"),
		"previous_values": object{"plan_id": s.plan.ID, "service_id": s.service.ID, "organization_id": s.options.OrganizationGUID, "space_id": s.options.SpaceGUID},
		"parameters":      noParameters,
	}
	if len(s.options.UpdateParameters) > 0 {
		body["parameters"] = s.options.UpdateParameters
	}
	if info := s.plan.MaintenanceInfo; info != nil {
		body["previous_values"].(object)["maintenance_info"] = object{"version": info.Version}
	}
	return request{method: http.MethodPatch, path: instancePath(id), query: incomplete(), body: body, instance: id}
}

func (s *session) offered() url.Values {
	return url.Values{"service_id": {s.service.ID}, "plan_id": {s.plan.ID}}
}

func (s *session) deprovision(id string) request {
	return request{method: http.MethodDelete, path: instancePath(id), query: s.offered(), instance: id}.asking("accepts_incomplete", "true")
}

func (s *session) fetch(id string) request {
	return request{method: http.MethodGet, path: instancePath(id), instance: id}
}

// poll asks how an operation stands; without one it asks for the last.
func (s *session) poll(id, operation string) request {
	return request{method: http.MethodGet, path: instancePath(id) + "/last_operation", query: s.offered(), instance: id}.asking("operation", operation)
}

func (s *session) bind(id, binding string) request {
	body := object{
		"service_id": s.service.ID, "plan_id": s.plan.ID, "context": s.cloudFoundry("osb-check"),
		"app_guid": appGUID, "bind_resource": object{"app_guid": appGUID, "space_guid": s.options.SpaceGUID, "app_annotations": object{"example.com/owner": "osb-check"}},
	}
	if len(s.options.BindParameters) > 0 {
		body["parameters"] = s.options.BindParameters
	}
	return request{method: http.MethodPut, path: bindingPath(id, binding), body: body, instance: id, binding: binding}
}

// appGUID is that of an application that doesn't exist.
const appGUID = "6a1c1b8e-0a8c-4d5e-9d0e-0db0c4ec0003"

func (s *session) unbind(id, binding string) request {
	return request{method: http.MethodDelete, path: bindingPath(id, binding), query: s.offered(), instance: id, binding: binding}
}

func (s *session) fetchBinding(id, binding string) request {
	return request{method: http.MethodGet, path: bindingPath(id, binding), instance: id, binding: binding}
}
