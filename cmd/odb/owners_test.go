package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("what owners have", func() {
	It("is served: an adapter of the old protocol, with a warning", func() {
		w := newWorldWithoutBroker()
		p := w.serveProcess("--config", with("use_stdin: true", "use_stdin: false"))
		Expect(p.stdout.String()).To(ContainSubstring("broker.use_stdin: is false"))
		w.platform.provisioned("i-1")
		Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		calls, err := w.adapter.CallsOf("create-binding")
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[0].Args).To(HaveLen(4))
		Expect(calls[0].Args[0]).To(Equal("b-1"))
		Expect(calls[0].Stdin).To(BeEmpty())
	})

	It("is served: an adapter that inherits the broker's environment, and gets the trace", func() {
		w := newWorld()
		trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		a := w.platform.do("PUT", instancePath("i-1")+"?accepts_incomplete=true", provisionBody(smallPlan),
			func(r *http.Request) { r.Header.Set("Traceparent", trace) })
		Expect(a.status).To(Equal(http.StatusAccepted))
		calls, err := w.adapter.Calls()
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[0].Env).To(ContainElements("TRACEPARENT="+trace, "PATH="+os.Getenv("PATH")))
	})

	It("is served: an environment that the operator built", func() {
		w := newWorld(with("service_adapter:", "service_adapter:\n  env: {LICENCE: abc}"))
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
		calls, err := w.adapter.Calls()
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[0].Env).To(ContainElement("LICENCE=abc"))
		Expect(calls[0].Env).NotTo(ContainElement(HavePrefix("HOME=")))
	})

	It("is served: an adapter's view of plan, deployment and request", func() {
		w := newWorld()
		Expect(w.platform.provision("i-1", object{"parameters": object{"n": 1}}).status).To(Equal(http.StatusAccepted))
		input := generateManifestInputs(w)[0]
		Expect(input["service_deployment"]).To(MatchJSON(`{"deployment_name":"service-instance_i-1",
			"releases":[{"name":"redis","version":"1.0.0","jobs":["redis-server"]}],"stemcells":[{"stemcell_os":"ubuntu-jammy","stemcell_version":"1.999"}]}`))
		Expect(input["plan"]).To(MatchJSON(`{"properties":{"maxmemory":100,"persistence":true},"lifecycle_errands":{},
			"instance_groups":[{"name":"redis","vm_type":"small","instances":1,"networks":["default"],"azs":["z1"]}]}`))
		Expect(input["request_parameters"]).To(MatchJSON(`{"service_id":"service-guid","plan_id":"small-plan-guid","organization_guid":"org","space_guid":"space","parameters":{"n":1}}`))
		Expect(input).To(And(HaveKeyWithValue("previous_plan", "null"), HaveKeyWithValue("previous_manifest", ""), HaveKeyWithValue("previous_secrets", "null"),
			HaveKeyWithValue("previous_configs", "null"), HaveKeyWithValue("uaa_client", "null")))
	})

	It("is served: the check for pending changes sees the plan as it was, without parameters", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.adapter.Forget()).To(Succeed())
		Expect(w.platform.update("i-1", object{"plan_id": largePlan, "parameters": object{"n": 2}}).status).To(Equal(http.StatusAccepted))
		inputs := generateManifestInputs(w)
		Expect(inputs).To(HaveLen(2))
		check, change := inputs[0], inputs[1]
		Expect(check["request_parameters"]).To(Equal("{}"))
		Expect(check["plan"]).To(Equal(check["previous_plan"]))
		Expect(change["previous_plan"]).To(Equal(check["plan"]))
		Expect(change["plan"]).To(ContainSubstring(`"maxmemory":900`))
		Expect(change["previous_manifest"]).To(And(Equal(check["previous_manifest"]), ContainSubstring("name: service-instance_i-1")))
	})

	It("is served: BOSH DNS names in bindings", func() {
		w := newWorld(with("    instance_groups:", "    binding_with_dns: [{name: leader, link_provider: redis-link, instance_group: redis, properties: {azs: [z1], status: healthy}}]\n    instance_groups:"))
		manifest := "name: '{{deployment}}'\nreleases: [{name: redis, version: 1.0.0}]\nstemcells: [{alias: s, os: ubuntu-jammy, version: '1.999'}]\n" +
			"update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1-2, update_watch_time: 1-2}\n" +
			"instance_groups: [{name: redis, instances: 1, vm_type: small, stemcell: s, azs: [z1], networks: [{name: default}], " +
			"jobs: [{name: redis-server, release: redis, provides: {redis-link: {as: redis-link, shared: true}}}]}]\n"
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Manifest: manifest})).To(Succeed())
		w.platform.provisioned("i-1")
		a := w.platform.bind("i-1", "b-1", nil)
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		calls, err := w.adapter.CallsOf("create-binding")
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[0].Stdin).To(MatchRegexp(`leader\\?":\\?"[^"]*q-[^"]+\.bosh`))
		Expect(w.director.Stats().Requests).To(HaveKeyWithValue("DELETE /links/:id", 1), "the link was for the question only")
	})

	It("is served: addresses on dynamic networks", func() {
		w := newWorld(setting{director: func(o *devdirector.Options) { o.DynamicNetworks = []string{"default"} }})
		w.platform.provisioned("i-1")
		a := w.platform.bind("i-1", "b-1", nil)
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		calls, err := w.adapter.CallsOf("create-binding")
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[0].Stdin).To(MatchRegexp(`"bosh_vms":"{\\"redis\\":\[\\"[0-9.]+\\"\]}"`))
	})
})

var _ = Describe("odb dev", func() {
	It("prints the bosh section by which a broker finds its Director, and keeps the state", func() {
		state := GinkgoT().TempDir()
		p := startODB("dev", "--director-port", "0", "--state", state)
		Eventually(p.stdout.String).Should(ContainSubstring("-----END CERTIFICATE-----"))
		_, section, _ := strings.Cut(p.stdout.String(), "\n\n")
		w := newWorldWithoutBroker()
		w.serve(setting{config: func(yaml string) string {
			before, rest, _ := strings.Cut(yaml, "bosh:\n")
			_, after, _ := strings.Cut(rest, "service_adapter:")
			return before + section + "\nservice_adapter:" + after
		}})
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		p.kill()

		_, rest, _ := strings.Cut(section, "url: https://127.0.0.1:")
		port, _, _ := strings.Cut(rest, "\n")
		again := startODB("dev", "--director-port", port, "--state", state)
		Eventually(again.stdout.String).Should(ContainSubstring("-----END CERTIFICATE-----"))
		Expect(again.stdout.String()).To(ContainSubstring(section), "the certificate is part of what is kept")
		Expect(w.platform.provision("i-1", object{"plan_id": largePlan}).status).To(Equal(http.StatusConflict), "the instance is known")
	})

	It("shows authors a broker that osb-check finds nothing to complain of", func(ctx SpecContext) {
		dir, port := GinkgoT().TempDir(), freePort()
		adapter := buildExample(ctx, "cache", dir)
		text, err := os.ReadFile(examples + "cache/broker.yml")
		Expect(err).NotTo(HaveOccurred())
		broker := filepath.Join(dir, "broker.yml")
		Expect(os.WriteFile(broker, []byte(strings.NewReplacer("port: 8080", fmt.Sprint("port: ", port), "bin/cache-adapter", adapter).Replace(string(text))), 0o600)).To(Succeed())
		w := &world{platform: newPlatform(fmt.Sprintf("http://127.0.0.1:%d", port)), dir: dir}
		dev := startODB("dev", "--config", broker, "--director-port", "0", "--state", filepath.Join(dir, "director"), "--log", filepath.Join(dir, "log"), "--task-duration", "500ms")
		w.awaitHealthy(dev)

		p := startODB("osb-check", "--provision", "--failures", "--poll-interval", "50ms", "--url", w.platform.url, "--username", "broker",
			"--password-file", w.file("password", "broker"), "--provision-parameters", `{"max_memory_mb": 64}`, "--update-parameters", `{"max_memory_mb": 128}`)
		Expect(p.end()).To(BeZero(), p.stdout.String()+p.stderr.String())
		Expect(p.stdout.String()).To(MatchRegexp(`^\n?\d{3} pass, 0 fail, `))
	})

	It("tells who watches what happens, and which flag helps where a port is taken", func() {
		config := newWorldWithoutBroker().writeConfig()
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		defer taken.Close()
		_, port, err := net.SplitHostPort(taken.Addr().String())
		Expect(err).NotTo(HaveOccurred())

		p := startODB("dev", "--config", config, "--director-port", "0", "--broker-port", "0")
		Eventually(p.stdout.String).Should(ContainSubstring("Ctrl-C ends it."))
		_, url, _ := strings.Cut(p.stdout.String(), "is ready at ")
		url, _, _ = strings.Cut(url, ",")
		Expect(newPlatform(url).do("GET", "/v2/catalog", nil).status).To(Equal(http.StatusOK))
		Eventually(p.stderr.String).Should(MatchRegexp(`(?m)^\d\d:\d\d:\d\d request method=GET path=/v2/catalog status=200`))
		for flag, other := range map[string]string{"--director-port": "--broker-port", "--broker-port": "--director-port"} {
			p := startODB("dev", "--config", config, flag, port, other, "0")
			Eventually(p.ended).Should(Receive(MatchError("exit status 1")))
			Expect(p.stderr.String()).To(ContainSubstring("address already in use: choose another port with " + flag))
		}
	})
})
