package config

import "strings"

func cloudFoundry() Group {
	return Group{
		Title: "Cloud Foundry",
		Text: "The section `cf`, which must be complete unless `broker.disable_cf_startup_checks` is `true`. The broker authenticates as a UAA client or as a user: " +
			"give one of the two.",
		Keys: below("cf",
			Key{Text: "Cloud Foundry: who there is, and UAA clients for service instances.",
				rules: []rule{not(allOf(anyGiven(legacyCFKeys()...), anyGiven(cfUAAKeys()...)))}},
			Key{Path: "url", Example: "https://api.sys.example.com", Text: "The URL of the Cloud Foundry API."},
			Key{Path: "root_ca_cert", Example: `"-----BEGIN CERTIFICATE-----\n…"`, Text: "A CA certificate (PEM) that is trusted for the API and its UAA, beside the system's."},
			Key{Path: "disable_ssl_cert_verification", Text: "Don't verify the UAA's certificate when UAA clients are made for service instances; see also `broker.disable_ssl_cert_verification`."},
			Key{Path: "uaa", Text: "Cloud Foundry's UAA, and who the broker is to it."},
			Key{Path: "uaa.url", Example: "https://uaa.sys.example.com", Text: "The URL of Cloud Foundry's UAA."},
			Key{Path: "uaa.authentication", Text: "Who the broker is to Cloud Foundry: `client_credentials` or `user_credentials`."},
			Key{Path: "uaa.authentication.client_credentials", Text: "A UAA client."},
			Key{Path: "uaa.authentication.client_credentials.client_id", Example: "odb", Text: "The UAA client's id."},
			Key{Path: "uaa.authentication.client_credentials.client_secret", Example: "replace-me", Text: "Its secret."},
			Key{Path: "uaa.authentication.user_credentials", Text: "A user of Cloud Foundry."},
			Key{Path: "uaa.authentication.user_credentials.username", Example: "odb", Text: "The user's name."},
			Key{Path: "uaa.authentication.user_credentials.password", Example: "replace-me", Text: "The user's password."},
			Key{Path: "uaa.client_definition", Text: "The template for one UAA client for each service instance, which are made if one of the four lists says something. " +
				"`ODB_SPACE_GUID` in a list stands for the instance's space. The broker must be a UAA client itself, with clients.write."},
			Key{Path: "uaa.client_definition.scopes", Example: "openid,cache.ODB_SPACE_GUID.admin", Text: "The client's scopes, separated by commas."},
			Key{Path: "uaa.client_definition.authorities", Example: "uaa.resource", Text: "Its authorities, separated by commas."},
			Key{Path: "uaa.client_definition.authorized_grant_types", Example: "client_credentials,authorization_code", Text: "The grant types that it may use, separated by commas."},
			Key{Path: "uaa.client_definition.resource_ids", Example: "cache", Text: "Its resource ids, separated by commas."},
			Key{Path: "uaa.client_definition.name", Example: "Cache dashboard", Text: "The name that users see. Empty: the instance's name."},
			Key{Path: "uaa.client_definition.allowpublic", Text: "The client is public: it has no secret."},
		),
	}
}

func instancesAPI() Group {
	return Group{
		Title: "Another list of service instances",
		Text:  "The section `service_instances_api`: where to list service instances, if not in Cloud Foundry.",
		Keys: below("service_instances_api",
			Key{Text: "An address that answers with the list of service instances.",
				rules: []rule{when(allOf(given("url"), anyGiven("authentication.basic.username", "authentication.basic.password")),
					allGiven("authentication.basic.username", "authentication.basic.password")),
					when(given("url"), checked("root_ca_cert", certificate()))}},
			Key{Path: "url", Example: "https://portal.example.com/instances", Text: "It answers GET with a list of `{\"service_instance_id\": …, \"plan_id\": …}`. Empty: Cloud Foundry is asked.", rules: []rule{address()}},
			Key{Path: "root_ca_cert", Example: `"-----BEGIN CERTIFICATE-----\n…"`, Text: "The CA certificate (PEM) of that address."},
			Key{Path: "disable_ssl_cert_verification", Text: "Don't verify its certificate."},
			Key{Path: "authentication", Text: "Who the broker is to it."},
			Key{Path: "authentication.basic", Text: "A user and a password."},
			Key{Path: "authentication.basic.username", Example: "lister", Text: "The user's name."},
			Key{Path: "authentication.basic.password", Example: "replace-me", Text: "The user's password."},
		),
	}
}

func platformCredHub() Group {
	return Group{
		Title: "The platform's CredHub",
		Text: "The section `credhub`: if any of its keys has a value, bindings hold references to credentials in the platform's CredHub. In a BOSH deployment it is switched on by the property " +
			"`secure_binding_credentials.enabled`, and the address and its CA come by the link `credhub`.",
		Keys: below("credhub",
			Key{Text: "The platform's CredHub, for the credentials of bindings.",
				rules: []rule{when(anyGiven("api_url", "client_id", "client_secret", "ca_cert", "internal_uaa_ca_cert"), allGiven("api_url", "client_id", "client_secret", "ca_cert"))}},
			Key{Path: "api_url", Example: "https://credhub.service.cf.internal:8844", Text: "CredHub's URL, with its port.", rules: []rule{address()}},
			Key{Path: "client_id", Example: "odb", Text: "A UAA client that may write below `/c/`."},
			Key{Path: "client_secret", Example: "replace-me", Text: "Its secret."},
			Key{Path: "ca_cert", Example: `"-----BEGIN CERTIFICATE-----\n…"`, Text: "CredHub's CA certificate (PEM). With it and the next one nobody else is trusted.", rules: []rule{certificate()}},
			Key{Path: "internal_uaa_ca_cert", Example: `"-----BEGIN CERTIFICATE-----\n…"`, Text: "The CA certificate (PEM) of the UAA that CredHub names, if it isn't the same.", rules: []rule{certificate()}},
		),
	}
}

func directorCredHub() Group {
	return Group{
		Title: "The Director's CredHub",
		Text:  "The section `bosh_credhub`: used, and then needed whole, with `broker.enable_secure_manifests`.",
		Keys: below("bosh_credhub",
			Key{Text: "The Director's CredHub, for the secrets of manifests."},
			Key{Path: "url", Example: "https://10.0.0.6:8844/api", Text: "Its URL, with its port."},
			Key{Path: "root_ca_cert", Example: `"-----BEGIN CERTIFICATE-----\n…"`, Text: "Its CA certificate (PEM). With it and `bosh.root_ca_cert` nobody else is trusted."},
			Key{Path: "authentication", Text: "Who the broker is to it."},
			Key{Path: "authentication.uaa", Text: "A client of the Director's UAA."},
			Key{Path: "authentication.uaa.client_credentials", Text: "The UAA client, with the scopes credhub.read and credhub.write."},
			Key{Path: "authentication.uaa.client_credentials.client_id", Example: "odb-credhub", Text: "The UAA client's id."},
			Key{Path: "authentication.uaa.client_credentials.client_secret", Example: "replace-me", Text: "Its secret."},
		),
	}
}

func adapter() Group {
	return Group{
		Title: "The service adapter",
		Text:  "The section `service_adapter`: the service author's executable.",
		Keys: below("service_adapter",
			Key{Needed: true, Text: "The service author's executable."},
			Key{Path: "path", Needed: true, Example: "/var/vcap/packages/odb-service-adapter/bin/service-adapter", Text: "The executable's path. The example is the BOSH job's default."},
			Key{Path: "mount_paths", Example: "[/etc/cache-adapter]", Text: "What BOSH's process manager mounts for the adapter. The broker itself has no use for it."},
			Key{Path: "timeout", New: true, Default: spelt(DefaultAdapterTimeout), Example: "5m", Text: "What one run may take. Then the adapter and all that it has started are ended."},
			Key{Path: "timeouts", New: true, Example: "{generate-manifest: 10m, dashboard-url: 30s}", Text: "The same for some of its subcommands: `" + strings.Join(adapterVerbs(), "`, `") + "`.",
				rules: []rule{{"propertyNames": oneOf(adapterVerbs()...)}}},
			Key{Path: "env", New: true, Example: "{PATH: \"/usr/bin:/bin\"}", Text: "The adapter's whole environment. Empty: the broker's own.", rules: []rule{{"propertyNames": matches(`^[^=]+$`)}}},
		),
	}
}
