package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

func TestGeneratedFilesAreFresh(t *testing.T) {
	files, err := generated("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil || string(got) != string(want) {
			t.Errorf("docs/%s is stale: make docs writes it anew (%v)", name, err)
		}
	}
}

// Whoever deploys with BOSH must be able to set what the page explains.
func TestEveryKeyHasItsProperty(t *testing.T) {
	broker, err := readJob("../../boshrelease/jobs/broker/spec")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range config.Reference() {
		for _, key := range group.Keys {
			if key.Type != "map" && key.Instead == "" && broker.property(key.Path) == "–" {
				t.Errorf("%s: the job has no property %s", key.Path, propertyName(key.Path))
			}
		}
	}
}

func TestPropertyNames(t *testing.T) {
	for path, want := range map[string]string{
		"broker.port":                   "port",
		"broker.credentials[].username": "credentials[].username",
		"broker.tls.key_file":           "tls.private_key",
		"bosh.authentication.uaa.client_credentials.client_id": "bosh.authentication.uaa.client_id",
		"bosh_credhub.url":             "bosh_credhub_api.url",
		"credhub.internal_uaa_ca_cert": "secure_binding_credentials.authentication.uaa.ca_cert",
		"credhub.client_id":            "secure_binding_credentials.authentication.uaa.client_id",
		"cf.url":                       "cf.url",
	} {
		if got := propertyName(path); got != want {
			t.Errorf("%s: %s, not %s", path, got, want)
		}
	}
}
