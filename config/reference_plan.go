package config

const planPath = "service_catalog.plans[]"

func plans() Group {
	return Group{
		Title: "Plans: what users see",
		Text:  "The items of `service_catalog.plans`.",
		Keys: below(planPath,
			Key{Path: "plan_id", Needed: true, Example: "5a1c7b0e-9d3f-4f0a-8a52-2d1f6c0e0101", Text: "The plan's id, a GUID that never changes."},
			Key{Path: "name", Needed: true, Example: "small", Text: "Its name: letters, digits, dots and hyphens."},
			Key{Path: "description", Needed: true, Example: "One node with 2 GB", Text: "What users read about it."},
			Key{Path: "free", Example: "true", Text: "The plan costs nothing. Not said: platforms take it for true."},
			Key{Path: "bindable", Example: "true", Text: "Instances can be bound. Not said: as the service offering says."},
			Key{Path: "plan_updatable", New: true, Example: "true", Text: "Users may change to another plan. Not said: as the service offering says."},
			Key{Path: "maximum_polling_duration", New: true, Default: 0, Example: "3600", Text: "After how many seconds platforms take an operation for failed; 0 leaves it to them.", rules: []rule{atLeast(0)}},
			Key{Path: "metadata", Text: "What is shown to those who choose a plan. Any other key is passed on as it is."},
			Key{Path: "metadata.display_name", Example: "Small", Text: "The name to show."},
			Key{Path: "metadata.bullets", Example: "[one node, 2 GB of memory]", Text: "What the plan has to offer."},
			Key{Path: "metadata.costs", nullItems: true, Text: "Prices."},
			Key{Path: "metadata.costs[].amount", Example: "{usd: 9.5, eur: 9}", Text: "The price, by currency."},
			Key{Path: "metadata.costs[].unit", Example: "MONTHLY", Text: "What the price is for."},
			Key{Path: "cf_service_access", Values: accessKinds(), Example: "org-restricted",
				Text: "Who may use the plan in Cloud Foundry: read by `odb register`, not by the broker. Empty: `enable`. `manual` leaves it as it is."},
			Key{Path: "service_access_org", Example: "production", Text: "The organization, for `org-restricted`."},
			Key{Path: "service_access_orgs", New: true, Example: "[staging, production]", Text: "More organizations for `org-restricted`."},
			Key{Path: "maintenance_info", Text: "What makes platforms offer upgrades: over what the service offering says."},
			Key{Path: "maintenance_info.version", Example: "1.0.1", Text: "A semantic version, in place of the service offering's.", rules: []rule{semantic()}},
			Key{Path: "maintenance_info.description", Example: "A new engine, each node restarts once", Text: "What the upgrade brings."},
			Key{Path: "maintenance_info.public", Example: `{engine: "4.2"}`, Text: "Lies over the service offering's, key by key."},
			Key{Path: "maintenance_info.private", Example: `{template: "17"}`, Text: "Lies over the service offering's, key by key."},
		),
	}
}

func planLimits() Group {
	return Group{
		Title: "Plans: limits",
		Text:  "`quotas` of a plan, beside those for all plans together.",
		Keys: below(planPath+".quotas",
			Key{Text: "Limits of the plan."},
			Key{Path: "service_instance_limit", Example: "60", Text: "How many instances of the plan there may be. Without it: any number; 0: none at all.", rules: []rule{atLeast(0)}},
			Key{Path: "resources", Example: "{ips: {cost: 1, limit: 60}}", Text: "Kinds of resources, which are yours to name."},
			Key{Path: "resources.*.cost", Default: 0, Example: "1", Text: "What one instance uses.", rules: []rule{atLeast(0)}},
			Key{Path: "resources.*.limit", Default: 0, Example: "60", Text: "What all instances of the plan may use together; 0: no limit of its own.", rules: []rule{atLeast(0)}},
		),
	}
}

func planDeployment() Group {
	return Group{
		Title: "Plans: what the adapter is given",
		Text:  "What the adapter makes the manifest of. The names of VM types, networks and so on are those of the Director's cloud config.",
		Keys: below(planPath,
			Key{Path: "properties", Example: "{max_memory: 1500mb}", Text: "Properties for the adapter; a key here wins over the one of `global_properties`. The broker doesn't read them."},
			Key{Path: "instance_groups", Needed: true, Text: "The plan's instance groups. A key that the broker doesn't know is passed on to the adapter."},
			Key{Path: "instance_groups[].name", Needed: true, Example: "cache-server", Text: "The name that the adapter knows the group by."},
			Key{Path: "instance_groups[].vm_type", Needed: true, Example: "small", Text: "The VM type."},
			Key{Path: "instance_groups[].vm_extensions", Example: "[public-ip]", Text: "VM extensions. Empty entries count as not there."},
			Key{Path: "instance_groups[].persistent_disk_type", Example: "10GB", Text: "The type of the persistent disk."},
			Key{Path: "instance_groups[].instances", Needed: true, Example: "1", Text: "How many VMs.", rules: []rule{atLeast(0)}},
			Key{Path: "instance_groups[].networks", Needed: true, Example: "[services]", Text: "The networks."},
			Key{Path: "instance_groups[].azs", Needed: true, Example: "[z1, z2]", Text: "The availability zones."},
			Key{Path: "instance_groups[].lifecycle", Values: lifecycles(), Example: "errand", Text: "Whether the group stays, or is there for an errand only. Empty: `service`."},
			Key{Path: "instance_groups[].migrated_from", nullItems: true, Text: "Groups that this one was once."},
			Key{Path: "instance_groups[].migrated_from[].name", Example: "cache-node", Text: "The name of such a group."},
			Key{Path: "update", Text: "How BOSH is to go through an instance's VMs, as in a BOSH manifest. The adapter may use it.",
				rules: []rule{when(anyOf(at("canaries", not(rule{"enum": []any{nil, 0}})), anyGiven("canary_watch_time", "update_watch_time", "serial", "initial_deploy_az_update_strategy")), given("max_in_flight"))}},
			Key{Path: "update.canaries", Default: 0, Example: "1", Text: "How many VMs are updated before the others."},
			Key{Path: "update.max_in_flight", Type: "whole number or percentage", Example: "50%", Text: "How many VMs are updated at the same time: a number, or a percentage. Needed with any other key of `update`.",
				rules: []rule{anyOf(rule{"type": []string{"integer", "null"}}, rule{"type": "string", "pattern": percent.String()})}},
			Key{Path: "update.canary_watch_time", Example: "3000-180000", Text: "How long BOSH waits for a canary: milliseconds, or a range.", rules: []rule{watch()}},
			Key{Path: "update.update_watch_time", Example: "3000-180000", Text: "How long BOSH waits for another VM: milliseconds, or a range.", rules: []rule{watch()}},
			Key{Path: "update.serial", Example: "false", Text: "Instance groups are updated one after another. Not said: the adapter or BOSH decides."},
			Key{Path: "update.initial_deploy_az_update_strategy", Values: updateStrategies(), Example: "parallel", Text: "How the first deploy goes through availability zones."},
		),
	}
}

func planErrands() Group {
	errands := func(list, text string) []Key {
		return below("lifecycle_errands."+list,
			Key{Text: text, nullItems: true},
			Key{Path: "[].name", Needed: true, Example: "cache-check", Text: "The errand's name."},
			Key{Path: "[].instances", Example: "[cache-server/0]", Text: "Where it runs, each `GROUP` or `GROUP/INSTANCE`. Empty: wherever it is.", rules: []rule{{"items": rule{"type": []string{"string", "number", "boolean"}, "pattern": `^[^/]+(/[^/]+)?$`}}}},
			Key{Path: "[].disabled", Text: "The entry counts as not there."},
		)
	}
	keys := []Key{{Path: "lifecycle_errands", Text: "Errands of the operations on an instance."}}
	keys = append(keys, errands("post_deploy", "Errands that are a part of each create and update.")...)
	keys = append(keys, errands("pre_delete", "Errands that run before an instance is deleted.")...)
	return Group{
		Title: "Plans: errands",
		Text:  "`lifecycle_errands` of a plan. They run one after another, in the order of the list; if one fails, the operation has failed.",
		Keys:  below(planPath, keys...),
	}
}

func planBindings() Group {
	return Group{
		Title: "Plans: bindings",
		Text:  "See [BINDINGS.md](BINDINGS.md).",
		Keys: below(planPath,
			Key{Path: "binding", New: true, Text: "How bindings are made."},
			Key{Path: "binding.async", New: true, Text: "Bindings are made after the request, where the platform accepts it. Needs `keep_bindings`."},
			Key{Path: "binding.rotatable", New: true, Text: "A binding may follow another one with its parameters. Needs the section `credhub`."},
			Key{Path: "binding_with_dns", Text: "BOSH DNS addresses that the adapter is given for bindings. Needs `broker.use_stdin`."},
			Key{Path: "binding_with_dns[].name", Needed: true, Example: "primary", Text: "The name that the adapter knows the address by."},
			Key{Path: "binding_with_dns[].link_provider", Needed: true, Example: "cache-link", Text: "The link that a job of the manifest provides."},
			Key{Path: "binding_with_dns[].instance_group", Needed: true, Example: "cache-server", Text: "The provider's instance group."},
			Key{Path: "binding_with_dns[].properties", Text: "Which VMs the address resolves to."},
			Key{Path: "binding_with_dns[].properties.azs", Example: "[z1]", Text: "Those in these availability zones. Empty: all."},
			Key{Path: "binding_with_dns[].properties.status", Values: dnsStatuses(), Example: "healthy", Text: "Those in this state. Empty: `default`."},
		),
	}
}
