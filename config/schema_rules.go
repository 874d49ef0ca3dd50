package config

import "strings"

// rule is a JSON schema, or a part of one.
type rule map[string]any

func matches(pattern string) rule { return rule{"pattern": pattern} }

// without is for text that doesn't match.
func without(pattern string) rule { return not(rule{"type": "string", "pattern": pattern}) }

func atLeast(least int) rule       { return rule{"minimum": least} }
func between(least, most int) rule { return rule{"minimum": least, "maximum": most} }

// address is for keys that checkURL checks, certificate for those of checkCA, semantic and watch for those that have the expressions of
// these names.
func address() rule {
	return rule{"type": []string{"string", "null"}, "pattern": `^([Hh][Tt][Tt][Pp][Ss]?://[^/?#:].*)?$`}
}

func certificate() rule {
	return rule{"type": []string{"string", "null"}, "pattern": `^$|-----BEGIN CERTIFICATE-----`}
}

func watch() rule {
	return rule{"type": []string{"string", "integer", "null"}, "minimum": 0, "pattern": "^$|" + watchTime.String()}
}

func semantic() rule {
	return rule{"type": []string{"string", "null"}, "pattern": "^$|" + semver.String()} // a number has one dot at the most
}

func oneOf(values ...string) rule {
	options := make([]any, 0, len(values)+2)
	for _, value := range values {
		options = append(options, value)
	}
	return rule{"enum": options}
}

func isTrue() rule { return rule{"enum": []any{true, "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"}} }

func nonEmpty() rule { return rule{"type": "object", "minProperties": 1} }

func allOf(rules ...rule) rule { return rule{"allOf": rules} }
func anyOf(rules ...rule) rule { return rule{"anyOf": rules} }
func not(r rule) rule          { return rule{"not": r} }
func when(this, then rule) rule {
	return rule{"if": this, "then": then}
}

// checked holds if the key at a path has no value, or one for which a rule holds.
func checked(path string, r rule) rule { return anyOf(not(given(path)), at(path, r)) }

// at holds if there is something at a path below a map, and a rule holds for it.
func at(path string, r rule) rule {
	keys := strings.Split(path, ".")
	for i := len(keys) - 1; i >= 0; i-- {
		r = rule{"type": "object", "properties": rule{keys[i]: r}, "required": []string{keys[i]}}
	}
	return r
}

// given holds if the key at a path has a value.
func given(path string) rule { return at(path, not(rule{"enum": []any{nil, ""}})) }

func eachGiven(paths []string) []rule {
	rules := make([]rule, 0, len(paths))
	for _, path := range paths {
		rules = append(rules, given(path))
	}
	return rules
}

func anyGiven(paths ...string) rule { return anyOf(eachGiven(paths)...) }
func allGiven(paths ...string) rule { return allOf(eachGiven(paths)...) }

// oneKind demands either all keys of one list or all of the other.
func oneKind(these, those []string) []rule {
	return []rule{
		anyOf(anyGiven(these...), anyGiven(those...)),
		not(allOf(anyGiven(these...), anyGiven(those...))),
		when(anyGiven(these...), allGiven(these...)),
		when(anyGiven(those...), allGiven(those...)),
	}
}

func beneath(path string, keys ...string) []string {
	paths := make([]string, 0, len(keys))
	for _, key := range keys {
		paths = append(paths, path+"."+key)
	}
	return paths
}

// directorAuthentication is for bosh.authentication.
func directorAuthentication() []rule {
	basic := beneath("basic", "username", "password")
	nested, flat := beneath("uaa.client_credentials", "client_id", "client_secret"), beneath("uaa", "client_id", "client_secret")
	client := anyGiven(append(nested, flat...)...)
	return []rule{
		anyOf(anyGiven(basic...), client),
		not(allOf(anyGiven(basic...), client)),
		when(anyGiven(basic...), allGiven(basic...)),
		when(anyGiven(nested...), allGiven(nested...)),
		when(anyGiven(flat...), allGiven(flat...)),
		not(allOf(anyGiven(nested...), anyGiven(flat...))),
		not(anyGiven(beneath("uaa.user_credentials", "username", "password")...)),
	}
}

// What counts as cf.uaa, and as its deprecated spelling.
func cfUAAKeys() []string {
	keys := []string{"url"}
	keys = append(keys, beneath("authentication.client_credentials", "client_id", "client_secret")...)
	keys = append(keys, beneath("authentication.user_credentials", "username", "password")...)
	return beneath("uaa", append(keys, beneath("client_definition", "scopes", "authorities", "authorized_grant_types", "resource_ids", "name")...)...)
}

func legacyCFKeys() []string {
	return beneath("authentication", "url", "client_credentials.client_id", "client_credentials.secret", "user_credentials.username", "user_credentials.password")
}

// completeCF is for cf, if there is a Cloud Foundry.
func completeCF() rule {
	uaa := beneath("uaa.authentication.client_credentials", "client_id", "client_secret")
	users := beneath("uaa.authentication.user_credentials", "username", "password")
	legacy := beneath("authentication.client_credentials", "client_id", "secret")
	legacyUsers := beneath("authentication.user_credentials", "username", "password")
	defined := anyGiven(beneath("uaa.client_definition", "scopes", "authorities", "authorized_grant_types", "resource_ids")...)
	return allOf(
		given("url"),
		checked("url", address()),
		checked("uaa.url", address()),
		checked("root_ca_cert", certificate()),
		rule{
			"if":   anyGiven(legacyCFKeys()...),
			"then": allOf(append(oneKind(legacy, legacyUsers), given("authentication.url"))...),
			"else": allOf(append(oneKind(uaa, users), given("uaa.url"), when(defined, allGiven(uaa...)))...),
		},
	)
}

// acrossSections are the rules that hold sections against each other.
func acrossSections() []rule {
	broker := func(key string) rule { return at("broker."+key, isTrue()) }
	catalog := func(key string, r rule) rule { return at("service_catalog."+key, r) }
	somePlan := func(path string, r rule) rule { return catalog("plans", rule{"contains": at(path, r)}) }
	return []rule{
		{"if": broker("disable_cf_startup_checks"), "else": at("cf", completeCF())},
		when(broker("enable_secure_manifests"), allOf(
			allGiven(beneath("bosh_credhub", "url", "root_ca_cert", "authentication.uaa.client_credentials.client_id", "authentication.uaa.client_credentials.client_secret")...),
			checked("bosh_credhub.url", address()),
			checked("bosh_credhub.root_ca_cert", certificate()),
			broker("use_stdin"),
		)),
		when(somePlan("binding_with_dns", rule{"type": "array", "minItems": 1}), broker("use_stdin")),
		when(broker("disable_bosh_configs"), not(anyOf(broker("side_by_side"), catalog("instances_retrievable", isTrue()), catalog("allow_context_updates", isTrue())))),
		when(catalog("keep_bindings", oneOf(KeepInCredHub)), anyGiven(beneath("credhub", "api_url", "client_id", "client_secret", "ca_cert", "internal_uaa_ca_cert")...)),
		when(catalog("keep_bindings", oneOf(KeepInMemory)), not(broker("side_by_side"))),
	}
}
