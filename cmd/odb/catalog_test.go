package main

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

var _ = Describe("the catalog", func() {
	It("tells what the operator wrote, every key of the metadata too", func() {
		w := newWorld(
			with("  metadata: {display_name: Redis, shareable: true}", `  requires: [syslog_drain, route_forwarding]
  metadata: {display_name: Redis, image_url: "data:x", long_description: long, provider_display_name: us, documentation_url: "https://docs.example", support_url: "https://help.example", shareable: true, tier: gold, nested: {a: [1, {b: c}]}}
  dashboard_client: {id: sso, secret: sso-secret, redirect_uri: "https://redis.example/login"}`),
			with("    metadata: {bullets: [one node]}", "    free: false\n    bindable: false\n    metadata: {display_name: Small, bullets: [one node], costs: [{amount: {usd: 9.5}, unit: MONTHLY}], region: north}"),
		)
		a := w.platform.do("GET", "/v2/catalog", nil)
		Expect(a.status).To(Equal(http.StatusOK))
		Expect(a.text).To(MatchJSON(`{"services": [{
			"id": "service-guid", "name": "redis", "description": "A cache of your own", "bindable": true, "plan_updateable": true,
			"tags": ["cache"], "requires": ["syslog_drain", "route_forwarding"],
			"metadata": {"displayName": "Redis", "imageUrl": "data:x", "longDescription": "long", "providerDisplayName": "us",
				"documentationUrl": "https://docs.example", "supportUrl": "https://help.example", "shareable": true, "tier": "gold", "nested": {"a": [1, {"b": "c"}]}},
			"dashboard_client": {"id": "sso", "secret": "sso-secret", "redirect_uri": "https://redis.example/login"},
			"plans": [
				{"id": "small-plan-guid", "name": "small", "description": "one node", "free": false, "bindable": false,
					"metadata": {"displayName": "Small", "bullets": ["one node"], "costs": [{"amount": {"usd": 9.5}, "unit": "MONTHLY"}], "region": "north"}},
				{"id": "large-plan-guid", "name": "large", "description": "three nodes", "metadata": {}}
			]}]}`))
	})

	It("has no bindings for a plan that says so", func() {
		w := newWorld(with("    metadata: {bullets: [one node]}", "    bindable: false"))
		w.platform.provisioned("i-1")
		a := w.platform.bind("i-1", "b", nil)
		Expect(a.status).To(Equal(http.StatusBadRequest))
		Expect(a.description()).To(ContainSubstring("not bindable"))
	})

	It("may change: what was sold before can still be unbound and deleted", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b", nil).status).To(Equal(http.StatusCreated))
		w.serve(with("plan_id: "+smallPlan, "plan_id: another"))
		Expect(w.platform.unbind("i-1", "b").status).To(Equal(http.StatusOK))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
	})

	It("is announced with a banner if the operator wants one", func() {
		w := newWorldWithoutBroker()
		p := w.serveProcess("--config", with("use_stdin: true", "use_stdin: true\n  startup_banner: true"))
		Expect(strings.Count(p.stdout.String(), `"odb.banner"`)).To(Equal(1))
	})
})

var _ = Describe("a binding", func() {
	It("carries all that the adapter may give", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: `{"credentials":{"n":12345678901234567890},"syslog_drain_url":"syslog://x","route_service_url":"https://r"}`})).To(Succeed())
		a := w.platform.bind("i-1", "b", nil)
		Expect(a.status).To(Equal(http.StatusCreated))
		Expect(a.text).To(ContainSubstring(`"credentials":{"n":12345678901234567890}`), "to the digit")
		Expect(a.body).To(And(HaveKeyWithValue("syslog_drain_url", "syslog://x"), HaveKeyWithValue("route_service_url", "https://r")))

		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: `{}`})).To(Succeed())
		Expect(w.platform.bind("i-1", "b-2", nil).text).To(MatchJSON(`{}`))
	})

	It("carries endpoints and how long it is good for, if the adapter says so", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: `{"endpoints":[{"host":"10.0.0.1","ports":["6379"],"protocol":"tcp"}],
			"metadata":{"expires_at":"2026-01-31T10:00:00+02:00","renew_before":"2026-01-30T08:00:00Z","more":"is dropped"}}`})).To(Succeed())
		a := w.platform.bind("i-1", "b", nil)
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		Expect(a.text).To(MatchJSON(`{"endpoints":[{"host":"10.0.0.1","ports":["6379"],"protocol":"tcp"}],
			"metadata":{"expires_at":"2026-01-31T08:00:00.000Z","renew_before":"2026-01-30T08:00:00.000Z"}}`))

		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: `{"metadata":{"expires_at":"2026-01-31T08:00:00Z","renew_before":"2026-02-01T08:00:00Z"}}`})).To(Succeed())
		Expect(w.platform.bind("i-1", "b-2", nil).status).To(Equal(http.StatusInternalServerError))
		Expect(w.log.String()).To(ContainSubstring("metadata.renew_before is later than metadata.expires_at"))
	})

	It("may be for a backup agent, where the operator allows it", func() {
		w := newWorld(with("use_stdin: true", "use_stdin: true\n  support_backup_agent_binding: true"))
		w.platform.provisioned("i-1")
		Expect(w.adapter.Steer("create-binding", adaptertest.Steering{Stdout: `{"backup_agent_url":"https://agent"}`})).To(Succeed())
		a := w.platform.bind("i-1", "b", object{"bind_resource": object{"backup_agent": true}})
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		Expect(a.body).To(Equal(object{"backup_agent_url": "https://agent"}))
	})

	It("is told the adapter with all that was asked", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b", object{"context": object{"platform": "kubernetes", "namespace": "n"}, "parameters": object{"role": "reader"}}).status).To(Equal(http.StatusCreated))
		calls, err := w.adapter.CallsOf("create-binding")
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[0].Stdin).To(And(ContainSubstring(`"binding_id":"b"`), ContainSubstring(`\"app_guid\":\"\"`), ContainSubstring(`\"bind_resource\":{\"app_guid\":\"app\"}`),
			ContainSubstring(`\"context\":{\"namespace\":\"n\",\"platform\":\"kubernetes\"}`), ContainSubstring(`\"parameters\":{\"role\":\"reader\"}`),
			ContainSubstring(`"dns_addresses":"{}"`), ContainSubstring(`"bosh_vms":"{\"redis\":[\"10.`)))

		Expect(w.platform.bind("i-1", "b-2", object{"bind_resource": object{"app_guid": "app", "app_annotations": object{"a": "b"}}, "vendor": 7}).status).To(Equal(http.StatusCreated))
		calls, err = w.adapter.CallsOf("create-binding")
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[1].Stdin).To(And(ContainSubstring(`\"app_annotations\":{\"a\":\"b\"}`), ContainSubstring(`\"vendor\":7`)))
	})
})
