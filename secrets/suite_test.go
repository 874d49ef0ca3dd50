package secrets_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

func TestSecrets(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "secrets")
}

const clientSecret = "odb-s3cret" // that the double knows by default

func start(options credhubtest.Options) *credhubtest.CredHub {
	credhub := credhubtest.Start(options)
	DeferCleanup(credhub.Close)
	return credhub
}

// optionsFor reach a double.
func optionsFor(credhub *credhubtest.CredHub) secrets.Options {
	return secrets.Options{
		URL: credhub.URL, CACerts: []string{credhub.CACert, credhub.UAACACert},
		ClientID: "odb", ClientSecret: clientSecret, Timeout: 10 * time.Second,
	}
}

func connect(options secrets.Options) *secrets.Client {
	client, err := secrets.New(options)
	Expect(err).NotTo(HaveOccurred())
	return client
}

func startConnected() (*credhubtest.CredHub, *secrets.Client) {
	credhub := start(credhubtest.Options{})
	return credhub, connect(optionsFor(credhub))
}

func asJSON(text string) json.RawMessage { return json.RawMessage(text) }

// arrived lists the requests as "METHOD path".
func arrived(credhub *credhubtest.CredHub) []string {
	list := []string{}
	for _, request := range credhub.Requests() {
		list = append(list, request.Method+" "+request.Path)
	}
	return list
}

var ctx = context.Background()
