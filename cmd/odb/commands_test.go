package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// odb runs a command to its end.
func odb(args ...string) (code int, stdout, stderr string) { return calledAs("odb", args...) }

// calledAs runs the program as if through a link of that name.
func calledAs(name string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"/var/vcap/packages/odb/bin/" + name}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

var _ = Describe("the commands", func() {
	It("say what they are", func() {
		code, out, _ := odb("version")
		Expect(code).To(BeZero())
		Expect(out).To(HavePrefix("odb "))
		code, out, _ = odb("--help")
		Expect(code).To(BeZero())
		for _, command := range []string{"serve", "dev", "config", "version", "completion"} {
			Expect(out).To(ContainSubstring("\n  " + command))
		}
		code, out, _ = odb("completion", "bash")
		Expect(code).To(BeZero())
		Expect(out).To(ContainSubstring("bash completion"))
	})

	It("fail with one line on stderr and exit code 1", func() {
		for _, args := range [][]string{{"serve"}, {"serve", "--config", "/does/not/exist.yml"}, {"config", "check"}} {
			code, out, errs := odb(args...)
			Expect(code).To(Equal(1), "%v", args)
			Expect(out).To(BeEmpty(), "%v", args)
			Expect(errs).To(MatchRegexp(`^odb: .+\n$`), "%v", args)
		}
	})

	It("say at the start only what is: keys and flags that exist, and no message with its blanks left in", func() {
		w := newWorldWithoutBroker()
		odd := []setting{
			with("use_stdin: true", "use_stdin: false\n  disable_bosh_configs: true\n  startup_banner: true\n  enable_telemetry: true\n  enable_optimised_upgrades: true\n  pasword: x"),
			with("    instance_groups:", "    quotas: {service_instance_limit: 5}\n    instance_groups:"),
		}
		p := w.serveProcess("-configFilePath", odd...)
		Eventually(p.stdout.String).Should(ContainSubstring("odb.telemetry"))
		Expect(w.director.Close()).To(Succeed())
		away := w.serveProcess("--config", odd...)
		Eventually(away.stdout.String).Should(ContainSubstring("odb.start.director-away"))

		log := p.stdout.String() + away.stdout.String()
		Expect(log).NotTo(MatchRegexp(`%!|%[svdq]|[#$]\{|\{\{`))
		_, example, _ := odb("config", "example")
		named := regexp.MustCompile(`\b(?:broker|bosh|cf|service_adapter|service_deployment|service_catalog)\.([a-z_]+)\b`).FindAllStringSubmatch(log, -1)
		Expect(named).NotTo(BeEmpty())
		told := []string{"yml", "pasword", "enable_optimised_upgrades"} // the file's name, and what it has that is no key
		for _, key := range named {
			Expect(strings.Contains(example, key[1]+":") || slices.Contains(told, key[1])).To(BeTrue(), key[0])
		}
		_, help, _ := odb("serve", "--help")
		for _, flag := range regexp.MustCompile(`[\s"'(](--?[a-zA-Z][a-zA-Z-]+)`).FindAllStringSubmatch(log, -1) {
			Expect(help).To(ContainSubstring(flag[1]))
		}
	})

	It("call a command line that can't be understood a usage error, with exit code 2", func() {
		for _, args := range [][]string{{"nonsense"}, {"serve", "--nonsense"}, {"serve", "nonsense"}, {"serve", "--config"}, {"config", "nonsense"}, {"instances", "show"},
			{"on-demand-service-broker", "-configFilePath"}, {"orphan-deployments", "-configPath"}, {"orphan-deployments", "-nonsense"}, {"broker-post-start", "-timeout", "soon"}} {
			code, out, errs := odb(args...)
			Expect(code).To(Equal(2), "%v", args)
			Expect(out).To(BeEmpty(), "%v", args)
			Expect(errs).To(MatchRegexp(`^odb: .+ --help\n$`), "%v", args)
		}
	})

	It("give an example of a configuration that passes the check", func() {
		_, example, _ := odb("config", "example")
		Expect(example).To(ContainSubstring("service_catalog:"))
	})

	It("give a JSON Schema of a configuration, for editors", func() {
		code, schema, _ := odb("config", "schema")
		Expect(code).To(BeZero())
		var document map[string]any
		Expect(json.Unmarshal([]byte(schema), &document)).To(Succeed())
		Expect(document).To(HaveKeyWithValue("$schema", "https://json-schema.org/draft/2020-12/schema"))
		Expect(document).To(HaveKeyWithValue("properties", HaveKey("service_catalog")))
	})

	Describe("config check", func() {
		write := func(text string) string {
			path := filepath.Join(GinkgoT().TempDir(), "broker.yml")
			Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
			return path
		}

		It("tells all that is wrong, each with its line, and never a secret", func() {
			path := write("broker:\n  port: 0\n  pasword: hush-hush\n  username: u\nnonsense: 1\n")
			code, out, _ := odb("config", "check", "--config", path)
			Expect(code).To(Equal(1))
			Expect(out).To(And(ContainSubstring(path+":2: broker.port: "), ContainSubstring(path+":3: broker.pasword: "), ContainSubstring(`"password"`),
				ContainSubstring(path+":5: nonsense: "), Not(ContainSubstring("hush-hush"))))
		})

		It("tells it as JSON", func() {
			code, out, _ := odb("config", "check", "--json", "--config", write("broker: {}\n"))
			Expect(code).To(Equal(1))
			var problems []map[string]any
			Expect(json.Unmarshal([]byte(out), &problems)).To(Succeed())
			Expect(problems).To(ContainElement(And(HaveKeyWithValue("path", "broker.port"), HaveKey("line"), HaveKey("problem"), HaveKey("want"))))
		})

		It("passes the stories' own", func() {
			w := newWorldWithoutBroker()
			path := w.writeConfig()
			code, out, errs := odb("config", "check", "--configFilePath", path)
			Expect(out + errs).To(Equal(path + ": ok\n"))
			Expect(code).To(BeZero())
		})
	})

	DescribeTable("serve refuses what the existing broker took and could not do", func(old, replacement, says string) {
		w := newWorldWithoutBroker()
		code, _, errs := odb("serve", "--config", w.writeConfig(with(old, replacement)))
		Expect(code).To(Equal(1))
		Expect(errs).To(MatchRegexp(`broker\.yml:\d+: ` + says))
	},
		Entry("a certificate without its key, by which it served plain HTTP", "  port:", "  tls: {cert_file: /broker.crt}\n  port:", `broker\.tls\.key_file: is missing`),
		Entry("a key without its certificate", "  port:", "  tls: {key_file: /broker.key}\n  port:", `broker\.tls\.cert_file: is missing`),
		Entry("a user's password for the Director's UAA, by which it died of its first request", "{basic: {username: admin, password: admin}}",
			"{uaa: {user_credentials: {username: admin, password: admin}}}", `bosh\.authentication\.uaa\.user_credentials: can't be used`),
	)

	It("serve refuses a configuration that can't be right, with all that is wrong on stderr", func() {
		path := filepath.Join(GinkgoT().TempDir(), "broker.yml")
		Expect(os.WriteFile(path, []byte("broker:\n  username: u\nbosh: {}\n"), 0o600)).To(Succeed())
		code, _, errs := odb("serve", "-configFilePath", path)
		Expect(code).To(Equal(1))
		Expect(errs).To(And(HavePrefix("error parsing config:"), ContainSubstring("broker.port"), ContainSubstring("bosh.url")))
	})
})
