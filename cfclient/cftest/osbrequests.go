package cftest

import (
	"net/http"
	"net/url"
)

// osbContext is what Cloud Controller tells of where something is (OSB 2.15 §Context Object, profile cloudfoundry).
func osbContext(in *space) map[string]any {
	return map[string]any{
		"platform": "cloudfoundry", "organization_guid": in.organization.guid, "organization_name": in.organization.name,
		"space_guid": in.guid, "space_name": in.name,
		"organization_annotations": struct{}{}, "space_annotations": struct{}{},
	}
}

func instancePath(i *instance) string { return "/v2/service_instances/" + i.guid }

func asynchronous() url.Values { return url.Values{"accepts_incomplete": {"true"}} }

// about are the ids that go with what has no body.
func about(p *plan) url.Values {
	query := asynchronous()
	query.Set("service_id", p.offering.catalog.ID)
	query.Set("plan_id", p.catalog.ID)
	return query
}

func (c *CloudController) provisionRequest(i *instance, parameters any, asks caller) osbRequest {
	where := osbContext(i.space)
	where["instance_name"], where["instance_annotations"] = i.name, struct{}{}
	body := map[string]any{
		"service_id": i.plan.offering.catalog.ID, "plan_id": i.plan.catalog.ID,
		"organization_guid": i.space.organization.guid, "space_guid": i.space.guid, "context": where,
	}
	if parameters != nil {
		body["parameters"] = parameters
	}
	if i.maintenance != nil {
		body["maintenance_info"] = i.maintenance
	}
	return osbRequest{verb: verbProvision, method: http.MethodPut, path: instancePath(i), query: asynchronous(), body: body, caller: asks}
}

func (c *CloudController) updateRequest(i *instance, change instanceChange, asks caller) osbRequest {
	where := osbContext(i.space)
	where["instance_name"] = i.name
	if change.name != "" {
		where["instance_name"] = change.name
	}
	previous := map[string]any{
		"plan_id": i.plan.catalog.ID, "service_id": i.plan.offering.catalog.ID,
		"organization_id": i.space.organization.guid, "space_id": i.space.guid,
	}
	if i.maintenance != nil {
		previous["maintenance_info"] = *i.maintenance
	}
	body := map[string]any{
		"service_id": i.plan.offering.catalog.ID, "plan_id": change.plan.catalog.ID,
		"previous_values": previous, "context": where, "parameters": struct{}{},
	}
	if change.parameters != nil {
		body["parameters"] = change.parameters
	}
	version := change.version
	if version == "" && change.plan != i.plan {
		version = change.plan.version()
	}
	if version != "" {
		body["maintenance_info"] = maintenanceInfo{Version: version}
	}
	return osbRequest{verb: verbUpdate, method: http.MethodPatch, path: instancePath(i), query: asynchronous(), body: body, caller: asks}
}

func (c *CloudController) deprovisionRequest(i *instance, asks caller) osbRequest {
	return osbRequest{verb: verbDeprovision, method: http.MethodDelete, path: instancePath(i), query: about(i.plan), caller: asks}
}

func bindingPath(b *binding) string {
	return instancePath(b.instance) + "/service_bindings/" + b.guid
}

func (c *CloudController) bindRequest(b *binding, parameters any, asks caller) osbRequest {
	i := b.instance
	body := map[string]any{
		"service_id": i.plan.offering.catalog.ID, "plan_id": i.plan.catalog.ID, "context": osbContext(i.space),
		"bind_resource": map[string]any{"credential_client_id": "cc_service_key_client"},
	}
	if b.app != nil {
		body["app_guid"] = b.app.guid
		body["context"] = osbContext(b.app.space)
		body["bind_resource"] = map[string]any{"app_guid": b.app.guid, "space_guid": b.app.space.guid, "app_annotations": struct{}{}}
	}
	if parameters != nil {
		body["parameters"] = parameters
	}
	return osbRequest{verb: verbBind, method: http.MethodPut, path: bindingPath(b), query: asynchronous(), body: body, caller: asks}
}

func (c *CloudController) unbindRequest(b *binding, asks caller) osbRequest {
	return osbRequest{verb: verbUnbind, method: http.MethodDelete, path: bindingPath(b), query: about(b.instance.plan), caller: asks}
}
