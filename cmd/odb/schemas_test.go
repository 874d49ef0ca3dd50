package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

const draft4 = "http://json-schema.org/draft-04/schema#"

// wanting is a schema that knows the one parameter, a number of at least 1.
func wanting(parameter string) object {
	return object{"parameters": object{
		"$schema": draft4, "type": "object", "additionalProperties": false,
		"properties": object{parameter: object{"type": "integer", "minimum": 1}, "pin": object{"type": "string", "maxLength": 4}},
	}}
}

// schemasAnswer is the adapter's for a plan, with a part of it changed.
func schemasAnswer(old, replacement string) string {
	GinkgoHelper()
	text, err := json.Marshal(object{
		"service_instance": object{"create": wanting("memory"), "update": wanting("nodes")},
		"service_binding":  object{"create": wanting("connections")},
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(string(text)).To(ContainSubstring(old))
	return strings.Replace(string(text), old, replacement, 1)
}

var _ = Describe("plan schemas", func() {
	enabled := with("use_stdin: true", "use_stdin: true\n  enable_plan_schemas: true")

	schemasOf := func(w *world, steering adaptertest.Steering) {
		GinkgoHelper()
		Expect(w.adapter.Steer("generate-plan-schemas", steering)).To(Succeed())
	}

	It("are asked for once a plan at the start and then checked without the adapter or the Director", func() {
		w := newWorldWithoutBroker()
		schemasOf(w, adaptertest.Steering{Stdout: schemasAnswer("", "")})
		w.serve(enabled)
		Expect(w.calls()).To(Equal([]string{"generate-plan-schemas", "generate-plan-schemas"}), "of two plans")
		recorded, err := w.adapter.Calls()
		Expect(err).NotTo(HaveOccurred())
		Expect(recorded[0].Stdin + recorded[1].Stdin).To(And(ContainSubstring(`\"maxmemory\":100`), ContainSubstring(`\"maxmemory\":900`)))

		for range 2 {
			plans := w.platform.do("GET", "/v2/catalog", nil).body["services"].([]any)[0].(map[string]any)["plans"].([]any)
			for _, plan := range plans {
				text, err := json.Marshal(plan.(map[string]any)["schemas"])
				Expect(err).NotTo(HaveOccurred())
				Expect(text).To(MatchJSON(schemasAnswer("", "")))
			}
		}
		w.platform.provisioned("i-1")
		Expect(w.platform.update("i-1", object{"parameters": object{"nodes": 3}}).status).To(Equal(http.StatusAccepted))
		Expect(w.platform.bind("i-1", "b-1", object{"parameters": object{"connections": 3}}).status).To(Equal(http.StatusCreated))
		Expect(w.adapter.CallsOf("generate-plan-schemas")).To(HaveLen(2))
	})

	It("refuse parameters with all that is wrong, before anything is begun", func() {
		w := newWorldWithoutBroker()
		schemasOf(w, adaptertest.Steering{Stdout: schemasAnswer("", "")})
		w.serve(enabled)
		w.platform.provisioned("i-1")
		Expect(w.adapter.Forget()).To(Succeed())
		w.director.ResetStats()

		refused := func(a answer, description string) {
			GinkgoHelper()
			Expect(a.status).To(Equal(http.StatusBadRequest), a.text)
			Expect(a.body).To(Equal(map[string]any{"description": description}))
		}
		refused(w.platform.provision("i-2", object{"parameters": object{"memory": 0, "color": "red", "pin": "parameter-secret"}}),
			"parameters are not valid: /color: is not allowed; /memory: must be >= 1; /pin: must have at most 4 characters")
		refused(w.platform.update("i-1", object{"parameters": object{"nodes": "many"}}), "parameters are not valid: /nodes: must be integer, not string")
		refused(w.platform.update("i-1", object{"plan_id": largePlan, "parameters": object{"memory": 1}}), "parameters are not valid: /memory: is not allowed")
		refused(w.platform.bind("i-1", "b-1", object{"parameters": object{"connections": 1.5}}), "parameters are not valid: /connections: must be integer, not number")
		refused(w.platform.bind("i-1", "b-1", object{"parameters": []int{1}}), "parameters must be a JSON object")

		Expect(w.calls()).To(BeEmpty())
		Expect(w.director.Stats().TotalRequests).To(BeZero())
		Expect(w.log.String()).NotTo(ContainSubstring("parameter-secret"))
	})

	It("check an update without parameters too, as a plan may want some, but no upgrade", func() {
		w := newWorldWithoutBroker()
		needy := strings.Replace(schemasAnswer("", ""), `{"nodes":`, `{"nodes":{},"size":`, 1)
		needy = strings.Replace(needy, `"update":{"parameters":{`, `"update":{"parameters":{"required":["size"],`, 1)
		schemasOf(w, adaptertest.Steering{Stdout: needy})
		w.serve(enabled, with("    description: one node", "    description: one node\n    maintenance_info: {version: 2.0.0}"))
		w.platform.provisioned("i-1")
		a := w.platform.update("i-1", object{"maintenance_info": object{"version": "2.0.0"}, "previous_values": object{"plan_id": smallPlan, "maintenance_info": object{"version": "1.0.0"}}})
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		a = w.platform.update("i-1", nil)
		Expect(a.status).To(Equal(http.StatusBadRequest), a.text)
		Expect(a.description()).To(Equal("parameters are not valid: /size: is missing"))
	})

	It("are neither asked for nor told unless they are enabled", func() {
		w := newWorld()
		Expect(w.calls()).To(BeEmpty())
		Expect(w.platform.do("GET", "/v2/catalog", nil).text).NotTo(ContainSubstring("schemas"))
		Expect(w.platform.provision("i-1", object{"parameters": object{"size": "any"}}).status).To(Equal(http.StatusAccepted))
	})

	type fault struct {
		steering func() adaptertest.Steering
		says     []string
	}
	DescribeTable("end the start when they can't be used", func(f fault) {
		w := newWorldWithoutBroker()
		schemasOf(w, f.steering())
		p := startODB("serve", "--config", w.writeConfig(enabled))
		Eventually(p.ended).Should(Receive(MatchError("exit status 1")))
		for _, text := range f.says {
			Expect(p.stderr.String()).To(ContainSubstring(text))
		}
		Expect(p.stdout.String()).NotTo(ContainSubstring("server.listening"))
	},
		Entry("because the adapter doesn't have them", fault{func() adaptertest.Steering { return adaptertest.Steering{ExitCode: 10} },
			[]string{"broker.enable_plan_schemas is true, but the service adapter does not implement generate-plan-schemas: set it to false"}}),
		Entry("because the adapter failed", fault{func() adaptertest.Steering { return adaptertest.Steering{ExitCode: 1} },
			[]string{`plan "small": asking the service adapter for its schemas: service adapter: generate-plan-schemas exited with code 1`, `plan "large"`}}),
		Entry("because the adapter printed something else", fault{func() adaptertest.Steering { return adaptertest.Steering{Stdout: "hello"} },
			[]string{`plan "small": asking the service adapter for its schemas: service adapter: generate-plan-schemas: unusable output`}}),
		Entry("because one is missing", fault{func() adaptertest.Steering {
			return adaptertest.Steering{Stdout: schemasAnswer(`"service_binding"`, `"service_bindings"`)}
		}, []string{`plan "small": the service adapter's schema service_binding.create.parameters can't be used: (root): is missing`}}),
		Entry("because one names no draft", fault{func() adaptertest.Steering {
			return adaptertest.Steering{Stdout: schemasAnswer(`"$schema":"`+draft4+`",`, ``)}
		}, []string{`plan "small": the service adapter's schema service_binding.create.parameters can't be used: /$schema: is missing`}}),
		Entry("because one is wrong", fault{func() adaptertest.Steering {
			return adaptertest.Steering{Stdout: schemasAnswer(`"nodes":{"minimum":1`, `"nodes":{"minimum":"one"`)}
		}, []string{`plan "large": the service adapter's schema service_instance.update.parameters can't be used: /properties/nodes/minimum: must be number, not string`}}),
		Entry("because one refers to a file", fault{func() adaptertest.Steering {
			return adaptertest.Steering{Stdout: schemasAnswer(`"memory":{`, `"memory":{"$ref":"file:///etc/hosts",`)}
		}, []string{`plan "small": the service adapter's schema service_instance.create.parameters can't be used: /properties/memory/$ref: refers to something outside of the schema`}}),
	)

	It("end the start when the adapter can't be run, with its words in the log", func() {
		w := newWorldWithoutBroker()
		schemasOf(w, adaptertest.Steering{ExitCode: 1, Stdout: "no licence", Stderr: "licence.txt: not found"})
		p := startODB("serve", "--config", w.writeConfig(enabled))
		Eventually(p.ended).Should(Receive(MatchError("exit status 1")))
		Expect(p.stdout.String()).To(And(ContainSubstring("adapter.failed"), ContainSubstring("licence.txt: not found"), ContainSubstring("no licence")))

		Expect(os.Remove(w.adapter.Path)).To(Succeed())
		Expect(os.WriteFile(w.adapter.Path, []byte("no program"), 0o755)).To(Succeed())
		p = startODB("serve", "--config", w.writeConfig(enabled))
		Eventually(p.ended).Should(Receive(MatchError("exit status 1")))
		Expect(p.stdout.String()).To(ContainSubstring("adapter.not-started"))
		Expect(p.stderr.String()).To(ContainSubstring("exec format error"))
	})
})
