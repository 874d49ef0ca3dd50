package uaaclients_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/uaaclients"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

func TestUAAClients(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "uaaclients")
}

const (
	id           = "6d0a1f3e-7c1b-4a57-9a0e-2f6c8c1d9b41" // of the instance
	brokerID     = "odb"
	brokerSecret = "hush+50%&=é" // characters that get lost where credentials aren't encoded
)

var (
	definition = uaaclients.Definition{
		Scopes: "cache.ODB_SPACE_GUID.read, cache.ODB_SPACE_GUID.write,openid", Authorities: "uaa.resource,audit.ODB_SPACE_GUID",
		AuthorizedGrantTypes: "client_credentials", ResourceIDs: "cache-ODB_SPACE_GUID",
	}
	instance = uaaclients.Instance{ID: id, Name: "my-cache", SpaceGUID: "space-1"}
)

// startUAA starts a UAA for one test.
func startUAA(change ...func(*uaatest.Options)) *uaatest.Server {
	GinkgoHelper()
	options := uaatest.Options{ClientID: brokerID, ClientSecret: brokerSecret}
	for _, c := range change {
		c(&options)
	}
	server := uaatest.Start(options)
	DeferCleanup(server.Close)
	return server
}

// managerOf makes clients of a UAA after the definition.
func managerOf(server *uaatest.Server, definition uaaclients.Definition, change ...func(*uaaclients.Options)) *uaaclients.Clients {
	GinkgoHelper()
	options := uaaclients.Options{
		URL: server.URL(), CACerts: server.CACert(), ClientID: brokerID, ClientSecret: brokerSecret, Definition: definition,
	}
	for _, c := range change {
		c(&options)
	}
	manager, err := uaaclients.New(options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(manager.Close)
	return manager
}

// kept is a client as UAA keeps it.
func kept(server *uaatest.Server, id string) uaatest.Client {
	GinkgoHelper()
	client, found := server.Client(id)
	Expect(found).To(BeTrue(), "UAA has no client %s", id)
	return client
}
