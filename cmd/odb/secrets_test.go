package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

func indented(pem string) string {
	return strings.ReplaceAll(strings.TrimSpace(pem), "\n", "\n    ")
}

// manifestSecretsIn makes a CredHub the Director's.
func manifestSecretsIn(credhub *credhubtest.CredHub) setting {
	return setting{config: func(yaml string) string {
		return fmt.Sprintf("bosh_credhub:\n  url: %s/api/\n  root_ca_cert: |\n    %s\n    %s\n  authentication: {uaa: {client_credentials: {client_id: odb, client_secret: odb-s3cret}}}\n",
			credhub.URL, indented(credhub.CACert), indented(credhub.UAACACert)) + strings.Replace(yaml, "use_stdin: true", "use_stdin: true\n  enable_secure_manifests: true", 1)
	}}
}

// credentialsIn makes a CredHub the platform's.
func credentialsIn(credhub *credhubtest.CredHub) setting {
	return setting{config: func(yaml string) string {
		return fmt.Sprintf("credhub:\n  api_url: %s\n  client_id: odb\n  client_secret: odb-s3cret\n  ca_cert: |\n    %s\n  internal_uaa_ca_cert: |\n    %s\n",
			credhub.URL, indented(credhub.CACert), indented(credhub.UAACACert)) + yaml
	}}
}

// makes is an adapter's answer whose manifest refers to a secret, in the words given, and has a property that tells versions
// apart.
func makes(reference string, property int, secrets map[string]any) adaptertest.Steering {
	return adaptertest.Steering{Secrets: secrets, Manifest: fmt.Sprintf(`name: '{{deployment}}'
releases: [{name: redis, version: 1.0.0}]
stemcells: [{alias: default, os: ubuntu-jammy, version: "1.999"}]
update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000-30000, update_watch_time: 1000-30000}
instance_groups:
- name: redis
  instances: 1
  vm_type: small
  stemcell: default
  azs: [z1]
  networks: [{name: default}]
  jobs: [{name: redis-server, release: redis, properties: {password: %s, n: %d}}]
`, reference, property)}
}

var _ = Describe("secrets of manifests", func() {
	var credhub *credhubtest.CredHub
	var secure setting
	BeforeEach(func() {
		credhub = credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		secure = manifestSecretsIn(credhub)
	})
	const path = "/odb/service-guid/service-instance_i-1/pw"
	previous := func(w *world) []string { return fieldOf(w, "previous_secrets") }
	boundWith := func(w *world, binding string) string {
		GinkgoHelper()
		Expect(w.adapter.Forget()).To(Succeed())
		a := w.platform.bind("i-1", binding, nil)
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		calls, err := w.adapter.CallsOf("create-binding")
		Expect(err).NotTo(HaveOccurred())
		var input struct {
			CreateBinding struct {
				Secrets string `json:"secrets"`
			} `json:"create_binding"`
		}
		Expect(json.Unmarshal([]byte(calls[0].Stdin), &input)).To(Succeed())
		return input.CreateBinding.Secrets
	}

	It("go with an instance whose deletion nobody saw the end of, when the next process starts", func() {
		w, ends := slowWorld(secure)
		Expect(w.adapter.Steer("generate-manifest", makes("((odb_secret:pw))", 1, map[string]any{"pw": "hush-1"}))).To(Succeed())
		w.platform.provisionedAt("i-1", ends)
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
		ends()
		Expect(credhub.Names()).NotTo(BeEmpty())
		w.serve(secure)
		Eventually(credhub.Names).Should(BeEmpty())
	})

	It("are stored, referred to, resolved for update and bind, and go with the instance", func() {
		w := newWorld(secure)
		Expect(w.adapter.Steer("generate-manifest", makes("((odb_secret:pw))", 1, map[string]any{"pw": "hush-1"}))).To(Succeed())
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		_, value := credhub.Value(path)
		Expect(value).To(ContainSubstring("hush-1"))
		Expect(previous(w)).To(Equal([]string{"null"}))
		Expect(boundWith(w, "b-1")).To(MatchJSON(`{"((` + path + `))":"hush-1"}`))

		By("updating, with an adapter that says the same secret again")
		a = w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(previous(w)).To(HaveEach(MatchJSON(`{"((` + path + `))":"hush-1"}`)))
		Expect(credhub.Versions(path)).To(Equal(1), "what is there already is not written again")

		a = w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(credhub.Names()).To(BeEmpty())
		Expect(w.log.String()).NotTo(ContainSubstring("hush-1"))
	})

	It("are given to the adapter at an upgrade, too", func() {
		w := newWorld(secure)
		Expect(w.adapter.Steer("generate-manifest", makes("((odb_secret:pw))", 1, map[string]any{"pw": "hush"}))).To(Succeed())
		w.platform.provisioned("i-1")
		Expect(w.adapter.Forget()).To(Succeed())
		a := w.platform.upgrade("i-1", "&force=true")
		Expect(w.platform.follow("i-1", a.text)).To(Equal("succeeded"))
		Expect(previous(w)).To(HaveExactElements(MatchJSON(`{"((` + path + `))":"hush"}`)))
	})

	It("are those of what runs, also after an update that failed", func() {
		w := newWorld(secure, with("use_stdin: true", "use_stdin: true\n  skip_check_for_pending_changes: true"))
		Expect(w.adapter.Steer("generate-manifest", makes("((odb_secret:pw))", 1, map[string]any{"pw": "old"}))).To(Succeed())
		w.platform.provisioned("i-1")

		Expect(w.adapter.Steer("generate-manifest", makes("((odb_secret:pw))", 2, map[string]any{"pw": "new"}))).To(Succeed())
		w.director.AddOutcome(devdirector.Outcome{Deployment: "service-instance_i-1", Kind: devdirector.KindDeploy, Times: 1,
			Error: &devdirector.TaskError{Code: 450001, Message: "redis/0 is not running after update"}})
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(boundWith(w, "b-1")).To(ContainSubstring(`"old"`))

		a = w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(boundWith(w, "b-2")).To(And(ContainSubstring(`"new"`), Not(ContainSubstring(`"old"`))))
	})

	It("cost little: of the Director the variables, of CredHub each secret once", func() {
		w := newWorld(secure)
		Expect(w.adapter.Steer("generate-manifest", makes("((odb_secret:pw))", 1, map[string]any{"pw": "hush"}))).To(Succeed())
		w.platform.provisioned("i-1")
		costs := func(director, credhubRequests int, call func() answer) {
			GinkgoHelper()
			w.director.ResetStats()
			credhub.ForgetRequests()
			a := call()
			Expect(a.status).To(BeNumerically("<", 300), a.text)
			Expect(w.director.Stats().TotalRequests).To(Equal(director), "%v", w.director.Stats().Requests)
			Expect(credhub.Requests()).To(HaveLen(credhubRequests))
		}
		costs(3, 1, func() answer { return w.platform.bind("i-1", "b-1", nil) })
		costs(3, 1, func() answer { return w.platform.unbind("i-1", "b-1") })
		// Read for the adapter, compared in the check for pending changes, and again before the deploy.
		costs(5+1, 3, func() answer { return w.platform.update("i-1", object{"parameters": object{"a": 1}}) })
	})

	It("are never taken for missing while CredHub is away", func() {
		w := newWorld(secure)
		Expect(w.adapter.Steer("generate-manifest", makes("((odb_secret:pw))", 1, map[string]any{"pw": "hush"}))).To(Succeed())
		w.platform.provisioned("i-1")
		Expect(w.adapter.Forget()).To(Succeed())
		credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: 503})
		Expect(w.platform.update("i-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusServiceUnavailable))
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusServiceUnavailable))
		Expect(w.calls()).To(BeEmpty())
		credhub.Heal()
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
	})
})

var _ = Describe("credentials of bindings", func() {
	var credhub *credhubtest.CredHub
	var kept setting
	BeforeEach(func() {
		credhub = credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		kept = credentialsIn(credhub)
	})
	const name = "/c/service-guid/i-1/b-1/credentials"

	It("are kept where only the app may read them, and go with the binding", func() {
		w := newWorld(kept)
		w.platform.provisioned("i-1")
		a := w.platform.bind("i-1", "b-1", object{"bind_resource": object{"app_guid": "app-1"}})
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		Expect(a.body).To(Equal(object{"credentials": object{"credhub-ref": name}}))
		Expect(credhub.MayRead("mtls-app:app-1", name)).To(BeTrue())
		Expect(credhub.MayRead("mtls-app:app-2", name)).To(BeFalse())
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusOK))
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("may be a client's, for a service key, but must be somebody's", func() {
		w := newWorld(kept)
		w.platform.provisioned("i-1")
		a := w.platform.bind("i-1", "b-1", object{"bind_resource": object{"credential_client_id": "keys"}})
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		Expect(credhub.MayRead("uaa-client:keys", name)).To(BeTrue())
		a = w.platform.bind("i-1", "b-2", object{"bind_resource": nil})
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(a.body).To(HaveKeyWithValue("error", "RequiresApp"))
	})

	It("leave nothing behind when the app can't be let in: there is no binding then", func() {
		w := newWorld(kept)
		w.platform.provisioned("i-1")
		credhub.Fail(credhubtest.Fault{Method: "POST", Path: "/api/v2/permissions", Status: 403, Body: `{"error":"no"}`})
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(BeNumerically(">=", 500))
		Expect(credhub.Names()).To(BeEmpty())
		Expect(w.calls()).To(ContainElement("delete-binding"))
	})

	It("wait for a CredHub whose name isn't known yet, and nothing else does", func() {
		w := newWorld(kept, with("api_url: "+credhub.URL, "api_url: https://credhub.service.invalid:8844"))
		Expect(w.platform.do("GET", "/v2/catalog", nil).status).To(Equal(http.StatusOK))
		Eventually(w.log.String).Should(ContainSubstring("start.credhub-away"))
		w.platform.provisioned("i-1")
		a := w.platform.bind("i-1", "b-1", nil)
		Expect(a.status).To(Equal(http.StatusServiceUnavailable), a.text)
		Expect(a.description()).To(ContainSubstring("Currently unable to bind"))
		Expect(w.calls()).NotTo(ContainElement("create-binding"), "nothing is made that can't be kept")

		w.serve(kept)
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
	})

	It("go also when the adapter no longer knows the binding", func() {
		w := newWorld(kept)
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		Expect(w.adapter.Steer("delete-binding", adaptertest.Steering{ExitCode: 41})).To(Succeed())
		Expect(w.platform.unbind("i-1", "b-1").status).To(Equal(http.StatusGone))
		Expect(credhub.Names()).To(BeEmpty())
	})
})
