package main

import (
	"fmt"
	"os"
	"strings"

	"gopkg.in/yaml.v3"
)

// job is what the BOSH release's job broker can be told.
type job struct{ Properties map[string]any }

func readJob(spec string) (job, error) {
	text, err := os.ReadFile(spec)
	if err != nil {
		return job{}, fmt.Errorf("reading the job's properties: %w", err)
	}
	var j job
	if err := yaml.Unmarshal(text, &j); err != nil {
		return job{}, fmt.Errorf("%s: %w", spec, err)
	}
	return j, nil
}

// property says, in Markdown, what sets a key in a BOSH deployment.
func (j job) property(path string) string {
	if path == "credhub.api_url" || path == "credhub.ca_cert" {
		return "by the link `credhub`"
	}
	name := propertyName(path)
	for outer := name; outer != ""; outer = outer[:max(strings.LastIndexAny(outer, ".["), 0)] {
		if _, there := j.Properties[outer]; there {
			return "`" + name + "`"
		}
	}
	for inner := range j.Properties {
		if strings.HasPrefix(inner, name+".") {
			return "`" + name + ".…`"
		}
	}
	return "–"
}

// propertyName is what a key's property is called, if it has one. Most have the key's path.
func propertyName(path string) string {
	others := []struct{ key, property string }{ // the first that fits counts
		{"broker.tls.cert_file", "tls.certificate"},
		{"broker.tls.key_file", "tls.private_key"},
		{"broker.", ""},
		{"bosh.authentication.uaa.client_credentials", "bosh.authentication.uaa"},
		{"bosh.authentication.uaa.client_", "none of bosh.authentication.uaa.client_"}, // those set client_credentials
		{"bosh_credhub", "bosh_credhub_api"},
		{"credhub.internal_uaa_ca_cert", "secure_binding_credentials.authentication.uaa.ca_cert"},
		{"credhub.", "secure_binding_credentials.authentication.uaa."},
	}
	for _, other := range others {
		if rest, found := strings.CutPrefix(path, other.key); found {
			return other.property + rest
		}
	}
	return path
}
