package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/docs/adapter"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

// output is what an adapter printed with exit code 0.
type output struct{ verb, text string }

// manifestOf is a whole output with a small manifest, {{deployment}}'s, in which something is changed.
func manifestOf(old, replacement, more string) output {
	GinkgoHelper()
	manifest := makes("((odb_secret:pw))", 1, nil).Manifest
	Expect(manifest).To(ContainSubstring(old))
	text, err := json.Marshal(strings.Replace(manifest, old, replacement, 1))
	Expect(err).NotTo(HaveOccurred())
	return output{adapterclient.VerbGenerateManifest, `{"manifest":` + string(text) + more + `}`}
}

func manifestWith(more string) output { GinkgoHelper(); return manifestOf("", "", more) }
func bindingOf(text string) output    { return output{adapterclient.VerbCreateBinding, text} }
func dashboardOf(text string) output  { return output{adapterclient.VerbDashboardURL, text} }
func schemasOf(text string) output    { return output{adapterclient.VerbGeneratePlanSchemas, text} }

// wholeBinding has everything that a binding may have.
const wholeBinding = `{"credentials":{"user":"u","nested":{"list":[1,null]}},"syslog_drain_url":"syslog://a","route_service_url":"https://b","backup_agent_url":"c",
	"endpoints":[{"host":"10.0.0.1","ports":["6379","7000-7005"],"protocol":"tcp"}],
	"metadata":{"expires_at":"2026-12-31T08:00:00Z","renew_before":"2026-12-01T09:00:00.5+01:00"}}`

// The broker is asked through the platform's door, so that what it takes is what adapters' authors meet.
var _ = Describe("what adapters print", Ordered, func() {
	var w *world
	var published *adapter.Messages
	BeforeAll(func() {
		var err error
		published, err = adapter.Published()
		Expect(err).NotTo(HaveOccurred())
		credhub := credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		w = newWorld(manifestSecretsIn(credhub))
		w.platform.provisioned("bound")
	})

	count := 0
	taken := func(o output) bool {
		GinkgoHelper()
		count++
		id := fmt.Sprintf("i-%d", count)
		Expect(w.adapter.Unsteer()).To(Succeed())
		Expect(w.adapter.Steer(o.verb, adaptertest.Steering{Stdout: strings.ReplaceAll(o.text, guid, id)})).To(Succeed())
		var a answer
		switch o.verb {
		case adapterclient.VerbGeneratePlanSchemas:
			c, _, err := config.Load(w.writeConfig())
			Expect(err).NotTo(HaveOccurred())
			client, err := adapterclient.New(adapterclient.Options{Path: w.adapter.Path, UseStdin: true})
			Expect(err).NotTo(HaveOccurred())
			_, err = broker.GenerateSchemas(context.Background(), client, c.ServiceCatalog)
			return err == nil
		case adapterclient.VerbCreateBinding:
			a = w.platform.bind("bound", id, nil)
		default:
			a = w.platform.provision(id, nil)
		}
		Expect(a.status).To(BeElementOf(http.StatusCreated, http.StatusAccepted, http.StatusInternalServerError), a.text)
		return a.status != http.StatusInternalServerError
	}
	described := func(o output) error { return published.Check(o.verb+".output", []byte(o.text)) }

	It("is taken if it is as the schemas say", func() {
		for _, o := range append(outputsOnThePage(),
			manifestWith(""),
			manifestWith(`,"secrets":{"pw":"text","unused":{"a":1}},"configs":{"cloud":"vm_extensions: []\n"},"labels":{"a":1,"b":"c","d":null}`),
			manifestWith(`,"secrets":{"pw":{"user":"u"}},"configs":{},"labels":{},"in_a_later_version":true`),
			manifestWith(`,"secrets":null,"configs":null,"labels":null`),
			manifestOf("update:", "17: a key that is no text\nupdate:", ""),
			dashboardOf(`{"dashboard_url":"https://dashboard.example"}`), dashboardOf(`{"dashboard_url":""}`), dashboardOf(`{"dashboard_url":null}`), dashboardOf(`{}`),
			bindingOf(`{}`), bindingOf(`{"credentials":{}}`), bindingOf(`{"credentials":null,"in_a_later_version":[]}`), bindingOf(wholeBinding),
			schemasOf(schemasAnswer("", "")), schemasOf(strings.ReplaceAll(schemasAnswer("", ""), draft4, "https://json-schema.org/draft/2020-12/schema")),
		) {
			Expect(described(o)).To(Succeed(), o.text)
			Expect(taken(o)).To(BeTrue(), o.text)
		}
	})

	It("is refused if it isn't", func() {
		for _, o := range []output{
			{adapterclient.VerbGenerateManifest, `hello`}, {adapterclient.VerbGenerateManifest, `{}`}, {adapterclient.VerbGenerateManifest, `[]`},
			{adapterclient.VerbGenerateManifest, `{"manifest":{"name":"{{deployment}}"}}`}, {adapterclient.VerbGenerateManifest, `{"manifest":""}`},
			{adapterclient.VerbGenerateManifest, `{"manifest":"a: b: c"}`}, {adapterclient.VerbGenerateManifest, `{"manifest":null}`},
			manifestOf("name: '{{deployment}}'", "", ""), manifestOf("version: 1.0.0", "version: latest", ""), manifestOf(`"1.999"`, "1.latest", ""),
			manifestWith(`,"secrets":{"pw":null}`), manifestWith(`,"secrets":[]`), manifestWith(`,"configs":{"cloud":{}}`), manifestWith(`,"labels":"a"`),
			dashboardOf(`https://dashboard.example`), dashboardOf(`{"dashboard_url":1}`), dashboardOf(`[]`), dashboardOf(`{} {}`),
			bindingOf(`hello`), bindingOf(`[]`), bindingOf(`{"syslog_drain_url":1}`), bindingOf(`{"endpoints":[{"host":"a","ports":[6379]}]}`),
			bindingOf(`{"endpoints":[{"host":"a","ports":[]}]}`), bindingOf(`{"endpoints":[{"host":"","ports":["1"]}]}`), bindingOf(`{"endpoints":[{"host":"a","ports":["1"],"protocol":"icmp"}]}`),
			bindingOf(`{"metadata":{"expires_at":"tomorrow"}}`), bindingOf(`{"metadata":[]}`),
			schemasOf(`hello`), schemasOf(`{}`), schemasOf(schemasAnswer(`"service_binding"`, `"service_bindings"`)), schemasOf(schemasAnswer(`"$schema":"`+draft4+`",`, ``)),
			schemasOf(schemasAnswer(draft4, "http://json-schema.org/draft-03/schema#")), schemasOf(`{"service_instance":{"create":{"parameters":true},"update":{}},"service_binding":{}}`),
		} {
			Expect(described(o)).NotTo(Succeed(), o.text)
			Expect(taken(o)).To(BeFalse(), o.text)
		}
	})

	It("is refused for rules that a schema has no words for", func() {
		for _, o := range []output{
			manifestOf("{{deployment}}", "another", ""),
			bindingOf(`{"metadata":{"expires_at":"2026-01-01T00:00:00Z","renew_before":"2026-01-02T00:00:00Z"}}`),
			schemasOf(schemasAnswer(`"nodes":{"minimum":1`, `"nodes":{"minimum":"one"`)),
			schemasOf(schemasAnswer(`"memory":{`, `"memory":{"$ref":"file:///etc/hosts",`)),
			schemasOf(schemasAnswer(`"memory":{`, `"memory":{"description":"`+strings.Repeat("x", 64<<10)+`",`)),
		} {
			Expect(described(o)).To(Succeed(), o.text)
			Expect(taken(o)).To(BeFalse(), o.text)
		}
	})

	It("is taken without being promised, as it always was", func() {
		for _, o := range []output{
			dashboardOf(`null`), dashboardOf(`{"Dashboard_URL":"https://other-case"}`), bindingOf(`null`), bindingOf(`{"credentials":"text"}`),
			manifestWith(`,"secrets":{"unused":null}`),
		} {
			Expect(taken(o)).To(BeTrue(), o.text)
		}
	})

	It("is judged alike by broker and schema wherever a binding is changed", func(ctx SpecContext) {
		client, err := adapterclient.New(adapterclient.Options{Path: w.adapter.Path, UseStdin: true})
		Expect(err).NotTo(HaveOccurred())
		changed := variantsOf(wholeBinding)
		Expect(len(changed)).To(BeNumerically(">=", 80))
		for _, text := range changed {
			Expect(w.adapter.Steer(adapterclient.VerbCreateBinding, adaptertest.Steering{Stdout: text})).To(Succeed())
			_, err := client.CreateBinding(ctx, adapterclient.BindingRequest{BindingID: "b", RequestParameters: json.RawMessage(`{"service_id":"s","plan_id":"p","parameters":{}}`)})
			Expect(described(bindingOf(text)) == nil).To(Equal(err == nil), text)
		}
	})
})

// variantsOf are a document without one of its members, or with another value in the place of one; but not of credentials, which
// the broker doesn't read, nor of the document itself.
func variantsOf(document string) []string {
	GinkgoHelper()
	var whole any
	Expect(json.Unmarshal([]byte(document), &whole)).To(Succeed())
	var variants []string
	note := func() {
		text, err := json.Marshal(whole)
		Expect(err).NotTo(HaveOccurred())
		variants = append(variants, string(text))
	}
	others := []any{nil, true, 42, "text", []any{}, object{}}
	var vary func(value any)
	vary = func(value any) {
		switch value := value.(type) {
		case object:
			for _, key := range slices.Sorted(maps.Keys(value)) {
				inner := value[key]
				if key == "credentials" {
					continue
				}
				delete(value, key)
				note()
				for _, other := range others {
					value[key] = other
					note()
				}
				value[key] = inner
				vary(inner)
			}
		case []any:
			for i, inner := range value {
				for _, other := range others {
					value[i] = other
					note()
				}
				value[i] = inner
				vary(inner)
			}
		}
	}
	vary(whole)
	return variants
}
