package main

import (
	"encoding/json"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

const guid = "7f4d1bd6-3c1f-4d0b-9a6c-0a8f7f1f0001"

const clientDefinition = "    client_definition: {scopes: \"openid,cache.ODB_SPACE_GUID.admin\", authorized_grant_types: authorization_code, authorities: uaa.resource}\n"

// clientsIn makes a UAA the platform's, with a definition of clients or "".
func clientsIn(uaa *uaatest.Server, definition string) setting {
	return setting{config: func(yaml string) string {
		section := "cf:\n  url: https://api.example.org\n  root_ca_cert: |\n    " + strings.ReplaceAll(strings.TrimSpace(uaa.CACert()), "\n", "\n    ") +
			"\n  uaa:\n    url: " + uaa.URL() + "\n    authentication: {client_credentials: {client_id: odb, client_secret: odb-secret}}\n" + definition
		return section + strings.Replace(yaml, "  disable_cf_startup_checks: true\n", "", 1)
	}}
}

var _ = Describe("an instance's UAA client", func() {
	var uaa *uaatest.Server
	BeforeEach(func() {
		uaa = uaatest.Start(uaatest.Options{ClientID: "odb", ClientSecret: "odb-secret", Scopes: []string{"clients.read", "clients.write"}})
		DeferCleanup(uaa.Close)
	})

	const definition = clientDefinition
	cloudFoundry := func(definition string) setting { return clientsIn(uaa, definition) }
	asked := object{"space_guid": "space-1", "context": object{"platform": "cloudfoundry", "instance_name": "my-cache", "space_guid": "space-1"}}
	given := func(w *world) []map[string]string {
		GinkgoHelper()
		clients := []map[string]string{}
		for _, text := range fieldOf(w, "uaa_client") {
			var client map[string]string
			Expect(json.Unmarshal([]byte(text), &client)).To(Succeed())
			clients = append(clients, client)
		}
		return clients
	}

	It("is made, given to the adapter, kept in line, and goes with the instance", func() {
		w := newWorld(cloudFoundry(definition))
		a := w.platform.provision(guid, asked)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		client, found := uaa.Client(guid)
		Expect(found).To(BeTrue())
		Expect(client.Scopes).To(ConsistOf("openid", "cache.space-1.admin"))
		Expect(client.RedirectURI).To(ConsistOf("https://dashboard.example/" + guid))
		Expect(client.Name).To(Equal("my-cache"))
		Expect(given(w)[0]).To(And(HaveKeyWithValue("client_id", guid), HaveKeyWithValue("client_secret", client.Secret), HaveKeyWithValue("name", "my-cache")))
		Expect(w.log.String()).NotTo(ContainSubstring(client.Secret))

		a = w.platform.update(guid, object{"parameters": object{"a": 1}})
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		Expect(given(w)[1]).To(BeNil(), "the check for pending changes gets none")
		Expect(given(w)[2]).To(And(HaveKeyWithValue("client_id", guid), HaveKeyWithValue("client_secret", "")))

		a = w.platform.deprovision(guid)
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		Expect(uaa.ClientIDs()).NotTo(ContainElement(guid))
	})

	It("goes with an instance whose deletion nobody saw the end of, when the next process starts", func() {
		w, ends := slowWorld(cloudFoundry(definition))
		w.platform.provisionedAt(guid, ends)
		Expect(w.platform.deprovision(guid).status).To(Equal(http.StatusAccepted))
		ends()
		Expect(uaa.ClientIDs()).To(ContainElement(guid))
		w.serve(cloudFoundry("")) // the definition is gone as well
		Eventually(uaa.ClientIDs).ShouldNot(ContainElement(guid))
	})

	It("goes when the deploy that it was made for is refused", func() {
		w := newWorld(cloudFoundry(definition))
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{ExitCode: 1, Stdout: "no"})).To(Succeed())
		Expect(w.platform.provision(guid, asked).description()).To(Equal("no"))
		Expect(uaa.ClientIDs()).NotTo(ContainElement(guid))

		Expect(w.adapter.Unsteer()).To(Succeed())
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "POST", Path: "/deployments$", Status: 400, Body: `{"code":1,"description":"no"}`})).To(Succeed())
		Expect(w.platform.provision(guid, asked).status).To(Equal(http.StatusInternalServerError))
		Expect(uaa.ClientIDs()).NotTo(ContainElement(guid))
	})

	It("never loses a deploy that runs because it can't be updated", func() {
		w := newWorld(cloudFoundry(definition))
		uaa.Fail(uaatest.Fault{Request: "PUT /oauth/clients/" + guid, Status: http.StatusInternalServerError})
		a := w.platform.provision(guid, asked)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.log.String()).To(ContainSubstring("uaa-client.not-updated"))
	})

	It("goes when the operator takes the definition away", func() {
		w := newWorld(cloudFoundry(definition))
		a := w.platform.provision(guid, asked)
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		w.serve(cloudFoundry(""))
		a = w.platform.update(guid, object{"parameters": object{"a": 1}})
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		Expect(uaa.ClientIDs()).NotTo(ContainElement(guid))
		Expect(given(w)[2]).To(BeNil())
	})

	It("asks nothing of a UAA where nobody wants clients", func() {
		w := newWorld(cloudFoundry(""))
		a := w.platform.provision(guid, asked)
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		a = w.platform.deprovision(guid)
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		Expect(uaa.Requests()).To(BeEmpty())
	})

	It("is made for an instance that has none, when it is upgraded or updated", func() {
		w := newWorld(cloudFoundry(""))
		a := w.platform.provision(guid, asked)
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		w.serve(cloudFoundry(definition))
		a = w.platform.update(guid, object{"parameters": object{"a": 1}})
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		client, found := uaa.Client(guid)
		Expect(found).To(BeTrue())
		Expect(client.Scopes).To(ContainElement("cache.space-1.admin"), "the space is remembered")
	})

	It("is made by an upgrade through the management API, which then has nothing more to do but keep it in line", func() {
		w := newWorld(cloudFoundry(""))
		a := w.platform.provision(guid, asked)
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		w.serve(cloudFoundry(definition))
		a = w.platform.upgrade(guid)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow(guid, a.text)).To(Equal("succeeded"))
		client, found := uaa.Client(guid)
		Expect(found).To(BeTrue())
		Expect(client.Name).To(Equal("my-cache"), "what the upgrade's context doesn't say is remembered")
		Expect(client.Scopes).To(ConsistOf("openid", "cache.space-1.admin"), "the space, too")

		w.serve(cloudFoundry(strings.Replace(definition, "openid", "openid,profile", 1)))
		Expect(w.platform.upgrade(guid).status).To(Equal(http.StatusNoContent))
		client, _ = uaa.Client(guid)
		Expect(client.Scopes).To(ContainElement("profile"))
	})

	It("is made anew when the deploy that was to bring its secret has failed", func() {
		w := newWorld(cloudFoundry(""))
		a := w.platform.provision(guid, asked)
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		w.serve(cloudFoundry(definition))
		w.director.AddOutcome(devdirector.Outcome{Kind: devdirector.KindDeploy, Times: 1, Error: &devdirector.TaskError{Code: 450001, Message: "redis/0 is not running after update"}})
		a = w.platform.update(guid, object{"parameters": object{"a": 1}})
		Expect(w.platform.follow(guid, a.operation())).To(Equal("failed"))
		lost, _ := uaa.Client(guid)
		Expect(w.platform.manage("GET", "/service_instances/"+guid+"/pending_changes", nil).body).To(HaveKeyWithValue("reasons", ContainElement(ContainSubstring("UAA client"))))
		Expect(w.adapter.Forget()).To(Succeed())

		a = w.platform.update(guid, object{"parameters": object{"a": 1}})
		Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
		client, _ := uaa.Client(guid)
		Expect(client.Secret).NotTo(Equal(lost.Secret))
		Expect(given(w)[1]).To(HaveKeyWithValue("client_secret", client.Secret))

		for range 2 {
			w.director.ResetStats()
			Expect(w.adapter.Forget()).To(Succeed())
			a = w.platform.update(guid, object{"parameters": object{"a": 2}})
			Expect(w.director.Stats().Requests["GET /tasks"]).To(BeNumerically("<=", 2))
			Expect(w.platform.follow(guid, a.operation())).To(Equal("succeeded"))
			Expect(given(w)[1]).To(HaveKeyWithValue("client_secret", ""))
		}
		Expect(w.director.Stats().Requests).To(HaveKeyWithValue("GET /tasks", 1), "what is known is not asked again")
	})
})
