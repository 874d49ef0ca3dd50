package config

func brokerAddress() Group {
	return Group{
		Title: "The broker's address and who may call",
		Text:  "The section `broker`: where platforms and commands reach the broker, and what they authenticate with.",
		Keys: below("broker",
			Key{Needed: true, Text: "How the broker is reached, and what it may do."},
			Key{Path: "host", New: true, Example: "10.0.0.7", Text: "The address to listen on, without a port. Empty: all interfaces.",
				rules: []rule{matches(`^([^/@ :]*|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$`)}},
			Key{Path: "port", Needed: true, Example: "8080", Text: "The TCP port to listen on. The BOSH job's default is 8080.", rules: []rule{between(1, 65535)}},
			Key{Path: "username", Needed: true, Example: "broker", Text: "The user that the platform and the commands authenticate as, for `/v2` and `/mgmt`."},
			Key{Path: "password", Needed: true, Example: "replace-me", Text: "That user's password."},
			Key{Path: "credentials", New: true, nullItems: true,
				Text: "Further pairs that are let in, while platforms change from one password to the next."},
			Key{Path: "credentials[].username", New: true, Needed: true, Example: "broker", Text: "A user, without a colon; it may be the same as `broker.username`.",
				rules: []rule{matches(`^[^:]+$`)}},
			Key{Path: "credentials[].password", New: true, Needed: true, Example: "replace-me-next", Text: "That user's password."},
			Key{Path: "tls", Text: "The files to serve HTTPS with: both, or neither to serve HTTP. With HTTPS there is no HTTP beside it.",
				rules: []rule{when(given("cert_file"), given("key_file")), when(given("key_file"), given("cert_file"))}},
			Key{Path: "tls.cert_file", Example: "/etc/odb/broker.crt", Text: "The certificate (PEM), the broker's own first."},
			Key{Path: "tls.key_file", Example: "/etc/odb/broker.key", Text: "The certificate's private key (PEM)."},
		),
	}
}

func brokerBehaviour() Group {
	return Group{
		Title: "What the broker does",
		Text:  "The section `broker`, too: switches. All of them are off unless they are `true`.",
		Keys: below("broker",
			Key{Path: "use_stdin", Text: "The adapter reads its input as JSON from standard input. `false` is the old protocol, by arguments: secrets then stand " +
				"in the list of processes. The BOSH job's default is `true`, and `config check` speaks up if it is off."},
			Key{Path: "enable_plan_schemas", Text: "Ask the adapter for JSON schemas of each plan's parameters (`generate-plan-schemas`), show them in the catalog, and validate " +
				"parameters against them."},
			Key{Path: "enable_secure_manifests", Text: "Keep the secrets that the adapter returns in the Director's CredHub; needs `use_stdin` and the section `bosh_credhub`."},
			Key{Path: "support_backup_agent_binding", Text: "Allow bindings for backup agents (`bind_resource.backup_agent`)."},
			Key{Path: "skip_check_for_pending_changes", Text: "Let users update instances that are behind the operator's changes, and so take these changes with them. Without it " +
				"such an update is refused until the operator has upgraded the instance."},
			Key{Path: "disable_bosh_configs", Text: "Adapters may not return BOSH configs, and nothing is remembered of an instance in the Director. Limits of plans and resources then " +
				"need Cloud Foundry."},
			Key{Path: "side_by_side", New: true, Text: "Several brokers work on the same instances: each claims in the Director what it is about to change. All of them need it."},
			Key{Path: "disable_bosh_events", New: true, Text: "Keep out of the Director's events (`bosh events`) who asked the platform for what was done. To write them the " +
				"Director's client needs the scope bosh.admin; the log has them in any case."},
			Key{Path: "disable_cf_startup_checks", Text: "There is no Cloud Foundry: the section `cf` is left alone, and instances are counted in the Director."},
			Key{Path: "disable_ssl_cert_verification", Text: "Don't verify the certificates of Cloud Foundry's API and UAA. Nobody else's: the Director and CredHub are always verified."},
			Key{Path: "full_maintenance_info", New: true, Text: "Keep `public` and the digest of `private` maintenance info in the catalog and compare them, as the existing broker does. " +
				"OSB knows neither, and Cloud Foundry refuses a catalog with them."},
			Key{Path: "expose_operational_errors", Text: "Tell users what otherwise only the operator's log says of an error."},
			Key{Path: "enable_telemetry", Text: "Write telemetry (instances by plan, what happens to them) to the log."},
			Key{Path: "startup_banner", Text: "Announce the service in the log when the broker starts."},
			Key{Path: "shutdown_timeout_in_seconds", Default: 0, Example: "60", Text: "How long requests in flight may take to end after SIGTERM; 0 cuts them off. The BOSH job's default is 60.",
				rules: []rule{atLeast(0)}},
		),
	}
}

func director() Group {
	return Group{
		Title: "The Director",
		Text: "The section `bosh`: the Director that deploys service instances. It authenticates the broker as a client of its UAA, best with the scope `bosh.teams.NAME.admin`, " +
			"or as one of its own users: give one of the two.",
		Keys: below("bosh",
			Key{Needed: true, Text: "The Director that deploys service instances."},
			Key{Path: "url", Needed: true, Example: "https://10.0.0.6:25555", Text: "The Director's URL, with its port.", rules: []rule{address()}},
			Key{Path: "root_ca_cert", Example: `"-----BEGIN CERTIFICATE-----\n…"`, Text: "The CA certificate (PEM) of the Director and its UAA. If it is given nobody else is trusted; without it the system's are.", rules: []rule{certificate()}},
			Key{Path: "authentication", Needed: true, Text: "Who the broker is to the Director: `uaa` or `basic`.", rules: directorAuthentication()},
			Key{Path: "authentication.uaa", Text: "A client of the Director's UAA, whose address the Director tells."},
			Key{Path: "authentication.uaa.client_credentials", Text: "The UAA client."},
			Key{Path: "authentication.uaa.client_credentials.client_id", Example: "odb", Text: "The UAA client's id."},
			Key{Path: "authentication.uaa.client_credentials.client_secret", Example: "replace-me", Text: "Its secret."},
			Key{Path: "authentication.basic", Text: "A user of the Director, for Directors without a UAA."},
			Key{Path: "authentication.basic.username", Example: "odb", Text: "The user's name."},
			Key{Path: "authentication.basic.password", Example: "replace-me", Text: "The user's password."},
			Key{Path: "timeout", New: true, Default: spelt(DefaultBOSHTimeout), Example: "30s", Text: "What one request to the Director may take. Its tasks may take as long as they like."},
		),
	}
}
