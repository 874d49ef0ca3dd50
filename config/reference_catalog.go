package config

import "strings"

func deployments() Group {
	return Group{
		Title: "What service instances are made of",
		Text:  "The section `service_deployment`, handed to the adapter. Versions are exact: what is deployed must not change by itself.",
		Keys: below("service_deployment",
			Key{Needed: true, Text: "The releases and stemcells of service instances.",
				rules: []rule{anyOf(anyGiven("stemcell.os", "stemcell.version", "stemcell.name"), at("stemcells", rule{"type": "array", "minItems": 1})),
					not(allOf(anyGiven("stemcell.os", "stemcell.version", "stemcell.name"), at("stemcells", rule{"type": "array", "minItems": 1}))),
					when(anyGiven("stemcell.os", "stemcell.version", "stemcell.name"), allGiven("stemcell.os", "stemcell.version"))}},
			Key{Path: "releases", Needed: true, Text: "The BOSH releases."},
			Key{Path: "releases[].name", Needed: true, Example: "cache", Text: "The release's name."},
			Key{Path: "releases[].version", Needed: true, Example: "4.2.0", Text: "Its exact version.", rules: []rule{without("latest$")}},
			Key{Path: "releases[].jobs", Needed: true, Example: "[cache-server, cache-check]", Text: "The jobs that instances take from it."},
			Key{Path: "stemcells", Text: "The stemcells; at least one."},
			Key{Path: "stemcells[].os", Needed: true, Example: "ubuntu-jammy", Text: "The operating system."},
			Key{Path: "stemcells[].version", Needed: true, Example: `"1.351"`, Text: "The exact version.", rules: []rule{without("latest$")}},
			Key{Path: "stemcells[].name", Example: "bosh-openstack-kvm-ubuntu-jammy-go_agent", Text: "The name, for stemcells that share an operating system."},
		),
	}
}

func offering() Group {
	return Group{
		Title: "The service offering",
		Text:  "The section `service_catalog`: what the platform offers (Open Service Broker API, `GET /v2/catalog`), and what holds for all plans.",
		Keys: below("service_catalog",
			Key{Needed: true, Text: "What the platform offers."},
			Key{Path: "id", Needed: true, Example: "5a1c7b0e-9d3f-4f0a-8a52-2d1f6c0e0001", Text: "The service offering's id, a GUID that never changes."},
			Key{Path: "service_name", Needed: true, Example: "cache", Text: "Its name: letters, digits, dots and hyphens."},
			Key{Path: "service_description", Needed: true, Example: "A cache of one's own", Text: "What users read about it."},
			Key{Path: "bindable", Needed: true, Example: "true", Text: "Instances can be bound."},
			Key{Path: "plan_updatable", Text: "Users may change the plan of an instance."},
			Key{Path: "instances_retrievable", New: true, Text: "Platforms may fetch instances, with their parameters if there is the section `credhub`, where these are kept. Needs BOSH configs."},
			Key{Path: "allow_context_updates", New: true, Text: "Platforms tell of new names of instances, spaces and organizations. Needs BOSH configs."},
			Key{Path: "requires", Example: "[syslog_drain]", Text: "Permissions of the service: `" + strings.Join(permissions(), "`, `") + "`.", rules: []rule{{"items": oneOf(permissions()...)}}},
			Key{Path: "tags", Example: "[cache]", Text: "Tags of the service offering."},
			Key{Path: "keep_bindings", New: true, Values: []string{KeepInCredHub, KeepInMemory}, Example: KeepInMemory,
				Text: "Where bindings are kept, so that the broker can answer for them again: `credhub`, which is the default with the section `credhub`, or `memory`, where they are forgotten " +
					"when the broker stops. See [BINDINGS.md](BINDINGS.md)."},
			Key{Path: "metadata", Text: "What is shown to those who choose a service. Any other key is passed on as it is."},
			Key{Path: "metadata.display_name", Example: "Cache", Text: "The name to show."},
			Key{Path: "metadata.image_url", Example: "https://example.com/cache.png", Text: "The icon to show, a URL or a data URL."},
			Key{Path: "metadata.long_description", Example: "A cache on virtual machines of its own", Text: "More than `service_description` says."},
			Key{Path: "metadata.provider_display_name", Example: "Example Corporation", Text: "Who provides the service."},
			Key{Path: "metadata.documentation_url", Example: "https://docs.example.com/cache", Text: "Where its documentation is."},
			Key{Path: "metadata.support_url", Example: "https://support.example.com", Text: "Where its support is."},
			Key{Path: "metadata.shareable", Text: "Instances may be shared with other spaces."},
			Key{Path: "dashboard_client", Text: "The OAuth client for single sign-on to the service's dashboard: all three keys, or none.",
				rules: []rule{when(anyGiven("id", "secret", "redirect_uri"), allGiven("id", "secret", "redirect_uri"))}},
			Key{Path: "dashboard_client.id", Example: "cache-dashboard", Text: "The client's id."},
			Key{Path: "dashboard_client.secret", Example: "replace-me", Text: "Its secret."},
			Key{Path: "dashboard_client.redirect_uri", Example: "https://cache.example.com/login", Text: "The dashboard's address, where users come back to."},
			Key{Path: "global_properties", Example: "{persistence: true}", Text: "Properties for the adapter, beneath those of each plan, whose keys win whole. The broker doesn't read them."},
			Key{Path: "maintenance_info", Text: "What makes platforms offer upgrades. What a plan says lies over this."},
			Key{Path: "maintenance_info.version", Example: "1.0.0", Text: "A semantic version. Change it whenever an upgrade would change anything.", rules: []rule{semantic()}},
			Key{Path: "maintenance_info.description", Example: "A new engine, each node restarts once", Text: "What the upgrade brings."},
			Key{Path: "maintenance_info.public", Example: `{engine: "4.2"}`, Text: "Not known to OSB and Cloud Foundry; see `broker.full_maintenance_info`."},
			Key{Path: "maintenance_info.private", Example: `{template: "17"}`, Text: "Not known to OSB and Cloud Foundry; see `broker.full_maintenance_info`."},
			Key{Path: "plans", Needed: true, nullItems: true, Text: "The plans, at least one. Entries that are null count as not there.",
				rules: []rule{{"contains": rule{"type": "object"}},
					{"items": when(at("cf_service_access", oneOf(orgRestricted)), anyOf(given("service_access_org"), at("service_access_orgs", rule{"type": "array", "minItems": 1})))}}},
		),
	}
}

func offeringLimits() Group {
	return Group{
		Title: "Limits for all plans together",
		Text:  "`service_catalog.global_quotas`. A request that would exceed a limit is refused.",
		Keys: below("service_catalog.global_quotas",
			Key{Text: "Limits for all plans together.", rules: []rule{not(allOf(at("resources", nonEmpty()), at("resource_limits", nonEmpty())))}},
			Key{Path: "service_instance_limit", Example: "100", Text: "How many instances there may be. Without it: any number; 0: none at all.", rules: []rule{atLeast(0)}},
			Key{Path: "resources", Example: "{ips: {limit: 250}}", Text: "Kinds of resources, which are yours to name."},
			Key{Path: "resources.*.limit", Default: 0, Example: "250", Text: "What all instances may use together. A kind listed here without a limit has the limit zero.", rules: []rule{atLeast(0)}},
		),
	}
}

func deprecatedKeys() Group {
	return Group{
		Title: "Deprecated",
		Text:  "Keys that are still read, and keys that do nothing. `odb config check` names the place of each in a file.",
		Keys: []Key{
			{Path: "bosh.authentication.uaa.client_id", Instead: "`bosh.authentication.uaa.client_credentials.client_id`", Text: "How the BOSH job's property spells it."},
			{Path: "bosh.authentication.uaa.client_secret", Instead: "`bosh.authentication.uaa.client_credentials.client_secret`", Text: "How the BOSH job's property spells it."},
			{Path: "bosh.authentication.uaa.user_credentials", Instead: "`bosh.authentication.uaa.client_credentials`", Text: "Refused: no Director takes them."},
			{Path: "cf.authentication", Instead: "`cf.uaa` (where `secret` is called `client_secret`)", Text: "The old spelling of `cf.uaa`."},
			{Path: "service_deployment.stemcell", Instead: "the list `service_deployment.stemcells`", Text: "A single stemcell.",
				rules: []rule{at("version", without("latest$"))}},
			{Path: "service_catalog.global_quotas.resource_limits", Instead: "`resources.KIND.limit`", Text: "Limits by kind. They replace all `resources`."},
			{Path: "service_catalog.global_quotas.resource_costs", Instead: "`quotas.resources.KIND.cost` of each plan", Text: "Has no effect."},
			{Path: "service_catalog.global_quotas.resources.*.cost", Instead: "`quotas.resources.KIND.cost` of each plan", Text: "Has no effect.", rules: []rule{{"enum": []any{0, nil}}}},
			{Path: "service_catalog.plans[].quotas.resource_limits", Instead: "`resources.KIND.limit`", Text: "Limits by kind. They replace `resources` of the same kinds."},
			{Path: "service_catalog.plans[].quotas.resource_costs", Instead: "`resources.KIND.cost`", Text: "Costs by kind. They replace `resources` of the same kinds."},
			{Path: "broker.enable_optimised_upgrades", Instead: Nothing, Text: "Has no effect: " + retiredKeys()["broker.enable_optimised_upgrades"] + "."},
			{Path: "bosh.authentication.uaa.url", Instead: Nothing, Text: "Has no effect: " + retiredKeys()["bosh.authentication.uaa.url"] + "."},
		},
	}
}
