package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"

	"github.com/pivotal-cf/on-demand-services-sdk/serviceadapter"
)

// managedSecret is a secret that the broker keeps in CredHub for the adapter. Its reference is a placeholder in the
// manifest that the adapter makes, ((odb_secret:NAME)), and a path in the one that is deployed.
type managedSecret struct {
	Name      string `yaml:"name"` // which tells a later call whether it is still the one that is wanted
	Reference string `yaml:"value"`
}

// newSecrets are the values to store, by name: those that were made in this call and no others. A secret that is there
// already is carried over as the deployed manifest refers to it; giving its placeholder again would look like a change.
type newSecrets map[string]interface{}

func (s newSecrets) add(name, value string) managedSecret {
	s[name] = value
	return managedSecret{Name: name, Reference: "((" + serviceadapter.ODBSecretPrefix + ":" + name + "))"}
}

const (
	passwordNameProperty = "password_name"
	defaultPasswordName  = "password"
	clientSecretName     = "dashboard-client-secret-"
)

var secretName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// password is a new one if the plan calls it differently than what is deployed: that is how an operator has passwords
// rotated. The old name keeps the old value, which the instance goes on with should the deploy fail.
func (g manifestGenerator) password(plan serviceadapter.Plan, previous *cacheProperties, made newSecrets) (managedSecret, error) {
	name := defaultPasswordName
	if given, is := plan.Properties[passwordNameProperty]; is {
		if name, _ = given.(string); !secretName.MatchString(name) {
			return managedSecret{}, fmt.Errorf("the plan's property %s must be letters, digits, - and _", passwordNameProperty)
		}
	}
	if previous != nil && previous.Password.Name == name {
		return previous.Password, nil
	}
	return made.add(name, g.newPassword()), nil
}

// uaaClient is what the instance's dashboard lets users log in with.
type uaaClient struct {
	ID     string        `yaml:"id"`
	Secret managedSecret `yaml:"secret"`
}

// client is the instance's UAA client. The broker tells its secret only in the call in which the client was made, and no
// client at all in the call that only compares.
func client(given *serviceadapter.ServiceInstanceUAAClient, previous *cacheProperties, made newSecrets) (*uaaClient, error) {
	var deployed *uaaClient
	if previous != nil {
		deployed = previous.DashboardClient
	}
	switch {
	case given == nil:
		return deployed, nil
	case given.ClientSecret == "" && deployed != nil && deployed.ID == given.ClientID:
		return deployed, nil
	case given.ClientSecret == "":
		return nil, errors.New("the instance has a UAA client whose secret nobody knows; delete the client, and the next upgrade makes another")
	}
	// Named after its value, so that another value has another name, and the same one again the same.
	digest := sha256.Sum256([]byte(given.ClientSecret))
	name := clientSecretName + hex.EncodeToString(digest[:6])
	if deployed != nil && deployed.ID == given.ClientID && deployed.Secret.Name == name {
		return deployed, nil
	}
	return &uaaClient{ID: given.ClientID, Secret: made.add(name, given.ClientSecret)}, nil
}
