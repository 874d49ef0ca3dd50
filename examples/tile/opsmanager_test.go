package tile_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// opsManager fills in accessors as Ops Manager does: what is one accessor as a whole becomes its value, of whatever type; within
// a longer text it becomes text.
type opsManager struct {
	values   map[string]any
	selected map[string]map[string]string // by selector, the chosen option's manifests by their names
	met      map[string]bool              // accessors that were asked for
}

var (
	accessor       = regexp.MustCompile(`\(\(\(? (.+?) \)?\)\)`)
	parsedManifest = regexp.MustCompile(`^(\.properties\.\w+)\.selected_option\.parsed_manifest\((\w+)\)$`)
)

// newOpsManager knows what Ops Manager, the Director and Cloud Foundry tell, and what an operator entered into the form: the
// selectors' options, by their names.
func newOpsManager(t tile, ca string, chosen map[string]string) *opsManager {
	o := &opsManager{met: map[string]bool{}, selected: map[string]map[string]string{}, values: map[string]any{
		"broker_password":                                           "broker-password",
		"$director.hostname":                                        "10.0.0.6",
		"$director.ca_public_key":                                   ca,
		"$ops_manager.ca_certificate":                               ca,
		"$self.uaa_client_name":                                     "cache-0f3b",
		"$self.uaa_client_secret":                                   "director-secret",
		"$self.stemcell_version":                                    "1.360",
		"$self.service_network":                                     "services",
		"..cf.deployment_name":                                      "cf-17",
		"..cf.cloud_controller.system_domain.value":                 "sys.example.com",
		"..cf.ha_proxy.skip_cert_verify.value":                      false,
		"..cf.uaa.system_services_credentials.identity":             "system_services",
		"..cf.uaa.system_services_credentials.password":             "cf-password",
		"..cf.uaa.credhub_admin_client_client_credentials.identity": "credhub_admin_client",
		"..cf.uaa.credhub_admin_client_client_credentials.password": "credhub-secret",
		".properties.broker_tls.cert_pem":                           ca,
		".properties.broker_tls.private_key_pem":                    "key",
	}}
	for _, b := range t.blueprints {
		name := ".properties." + b.Name
		if b.Default != nil {
			o.values[name+".value"] = b.Default
		}
		for _, option := range b.Options {
			if option.Value != b.Default && chosen[b.Name] == "" || chosen[b.Name] != "" && option.Name != chosen[b.Name] {
				continue
			}
			o.selected[name] = map[string]string{}
			for _, m := range option.Manifests {
				o.selected[name][m.Name] = m.Manifest
			}
			for _, inner := range option.Properties {
				o.values[name+"."+option.Name+"."+inner.Name+".value"] = entered(inner)
			}
		}
	}
	return o
}

// entered is what an operator entered into a field of a plan.
func entered(b blueprint) any {
	switch b.Type {
	case "service_network_az_multi_select":
		return []any{"z1", "z2"}
	case "vm_type_dropdown", "disk_type_dropdown":
		return "medium"
	default:
		return b.Default
	}
}

// manifest gives what comes of a manifest.
func (o *opsManager) manifest(text string) (any, error) {
	var tree any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		return nil, err
	}
	return o.fill(tree)
}

func (o *opsManager) fill(tree any) (filled any, err error) {
	switch tree := tree.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(tree)) {
			if tree[key], err = o.fill(tree[key]); err != nil {
				return nil, err
			}
		}
		return tree, nil
	case []any:
		for i := range tree {
			if tree[i], err = o.fill(tree[i]); err != nil {
				return nil, err
			}
		}
		return tree, nil
	case string:
		return o.text(tree)
	default:
		return tree, nil
	}
}

func (o *opsManager) text(text string) (any, error) {
	found := accessor.FindAllStringSubmatch(text, -1)
	if len(found) == 1 && found[0][0] == text {
		return o.value(found[0][1])
	}
	for _, f := range found {
		value, err := o.value(f[1])
		if err != nil {
			return nil, err
		}
		text = strings.Replace(text, f[0], fmt.Sprint(value), 1)
	}
	return text, nil
}

func (o *opsManager) value(name string) (any, error) {
	o.met[name] = true
	if found := parsedManifest.FindStringSubmatch(name); found != nil {
		text, there := o.selected[found[1]][found[2]]
		if !there {
			return nil, fmt.Errorf("%s has no manifest %s", found[1], found[2])
		}
		return o.manifest(text)
	}
	value, there := o.values[name]
	if !there {
		return nil, fmt.Errorf("there is no %s", name)
	}
	return value, nil
}
