package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// companionFile writes the file of a companion command: how to reach the broker, and more lines.
func (w *world) companionFile(more ...string) string {
	GinkgoHelper()
	return companionFileFor(w.platform.url, more...)
}

func companionFileFor(url string, more ...string) string {
	GinkgoHelper()
	text := fmt.Sprintf("broker_api:\n  url: %s\n  authentication: {basic: {username: %s, password: %s}}\n  tls: {ca_cert: \"\", disable_ssl_cert_verification: false}\n%s\n",
		url, platformUser, platformPassword, strings.Join(more, "\n"))
	path := filepath.Join(GinkgoT().TempDir(), "companion.yml")
	Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	return path
}

// answering is a broker that answers everything with a status and a body.
func answering(status int, body string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	DeferCleanup(server.Close)
	return server.URL
}

func nobodyThere() string {
	GinkgoHelper()
	return fmt.Sprintf("http://127.0.0.1:%d", freePort())
}

// ownCertificate is a pair of files that no authority has signed.
func ownCertificate() (certificate, key string) {
	GinkgoHelper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	Expect(err).NotTo(HaveOccurred())
	certificate, key = filepath.Join(GinkgoT().TempDir(), "cert.pem"), filepath.Join(GinkgoT().TempDir(), "key.pem")
	Expect(os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600)).To(Succeed())
	Expect(os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)).To(Succeed())
	return certificate, key
}

var _ = Describe("the companion commands", func() {
	Describe("say how they are reached", func() {
		It("in the environment and in files, but never a secret among the arguments", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			password := filepath.Join(GinkgoT().TempDir(), "password")
			Expect(os.WriteFile(password, []byte(platformPassword+"\n"), 0o600)).To(Succeed())
			code, out, errs := odb("instances", "list", "--broker-url", w.platform.url, "--broker-username", platformUser, "--broker-password-file", password)
			Expect(errs).To(BeEmpty())
			Expect(out).To(Equal("INSTANCE  PLAN   NAME  ORGANIZATION  SPACE  UPGRADE TO\ni-1       small  -     -             -      -\n"))
			Expect(code).To(BeZero())

			GinkgoT().Setenv("ODB_BROKER_USERNAME", platformUser)
			GinkgoT().Setenv("ODB_BROKER_PASSWORD", "wrong")
			file := w.companionFile()
			code, _, errs = odb("instances", "list", "--config", file)
			Expect(errs).To(ContainSubstring("status 401: Not authorized"))
			Expect(code).To(Equal(1))
			GinkgoT().Setenv("ODB_BROKER_PASSWORD", platformPassword)
			code, _, _ = odb("instances", "list", "--config", file, "--broker-url", w.platform.url)
			Expect(code).To(BeZero())
		})

		It("or that not enough was said", func() {
			code, out, errs := odb("instances", "list", "--broker-url", "http://127.0.0.1:1")
			Expect(code).To(Equal(1))
			Expect(out).To(BeEmpty())
			Expect(errs).To(And(ContainSubstring("broker_api.authentication.basic.username: is missing"), ContainSubstring("--config"), Not(ContainSubstring("broker_api.url"))))
		})

		It("in a file in which nothing may be wrong", func() {
			path := companionFileFor("http://127.0.0.1:1", "max_inflight: 3", "polling_interval: 0")
			code, _, errs := odb("orphans", "list", "--config", path)
			Expect(code).To(Equal(1))
			Expect(errs).To(And(ContainSubstring(path+`:5: max_inflight: is not a key that the command knows, did you mean "max_in_flight"?`), ContainSubstring(path+":6: polling_interval: is too small")))
		})

		It("in a file of old, in which a key that nobody knows does no harm", func() {
			list := listInstances("[]")
			w := newWorld(list.configured())
			code, out, errs := calledAs("orphan-deployments", "-configPath", w.companionFile("max_inflight: 3"))
			Expect(errs).To(MatchRegexp(`^\[orphan-deployments\] \[[0-9a-f-]{36}\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} warning: .*max_inflight`))
			Expect(out).To(Equal("[]\n"))
			Expect(code).To(BeZero())
		})
	})

	Describe("orphan-deployments", func() {
		It("lists them on stdout as JSON, and ends with 10", func() {
			list := listInstances(`[{"service_instance_id":"i-2","plan_id":"small-plan-guid"}]`)
			w := newWorld(list.configured())
			w.platform.provisioned("i-1")
			w.platform.provisioned("i-2")
			file := w.companionFile()
			p := startAs("orphan-deployments", "-configPath", file)
			Expect(p.end()).To(Equal(10))
			Expect(p.stdout.String()).To(Equal(`[{"deployment_name":"service-instance_i-1"}]` + "\n"))
			Expect(p.stderr.String()).To(ContainSubstring("Orphan deployments found: 1"))

			list.answer(http.StatusOK, `[{"service_instance_id":"i-1","plan_id":"p"},{"service_instance_id":"i-2","plan_id":"p"}]`)
			code, out, errs := odb("orphan-deployments", "--configPath", file)
			Expect(out + errs).To(Equal("[]\n"))
			Expect(code).To(BeZero())
		})

		It("understands the predecessor's null", func() {
			code, out, _ := calledAs("orphan-deployments", "-configPath", companionFileFor(answering(http.StatusOK, "null\n")))
			Expect(out).To(Equal("[]\n"))
			Expect(code).To(BeZero())
		})

		It("keeps stdout clean when it fails", func() {
			for _, file := range []string{"/does/not/exist.yml", companionFileFor(answering(http.StatusInternalServerError, "")), companionFileFor("")} {
				code, out, errs := calledAs("orphan-deployments", "-configPath="+file)
				Expect(code).To(Equal(1))
				Expect(out).To(BeEmpty())
				Expect(errs).To(HavePrefix("[orphan-deployments] ["))
			}
		})
	})

	Describe("collect-service-metrics", func() {
		collect := func(url string, more ...string) (int, string, string) {
			return calledAs("collect-service-metrics", append([]string{"-brokerUrl", url, "-brokerUsername", platformUser, "-brokerPassword", platformPassword, "-brokerCACert", ""}, more...)...)
		}

		It("prints the broker's figures", func() {
			w := newWorld()
			w.platform.provisioned("i-1")
			code, out, errs := collect(w.platform.url, "-disableTLSCertificateVerification")
			Expect(errs).To(BeEmpty())
			Expect(out).To(Equal(w.platform.manage("GET", "/metrics", nil).text))
			Expect(code).To(BeZero())
			code, out, _ = odb("metrics", "--config", w.companionFile())
			Expect(out).To(ContainSubstring(`{"key":"/on-demand-broker/redis/small/total_instances","value":1,"unit":"count"}`))
			Expect(code).To(BeZero())
		})

		It("trusts whom the PEM text names", func() {
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) }))
			DeferCleanup(server.Close)
			authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
			code, _, errs := collect(server.URL)
			Expect(errs).To(ContainSubstring("certificate"))
			Expect(code).To(Equal(1))
			code, out, errs := collect(server.URL, "-brokerCACert", authority)
			Expect(out + errs).To(Equal("[]\n"))
			Expect(code).To(BeZero())
		})

		DescribeTable("ends with", func(code int, url func() string, says string) {
			got, out, errs := collect(url())
			Expect(got).To(Equal(code))
			Expect(out).To(BeEmpty(), "a collector reads it as metrics")
			Expect(errs).To(ContainSubstring(says))
		},
			Entry("10 while the broker isn't registered", 10, func() string { return answering(http.StatusServiceUnavailable, "") }, "not registered"),
			Entry("1 when the broker fails", 1, func() string { return answering(http.StatusInternalServerError, "") }, "status 500"),
			Entry("1 when the password is wrong", 1, func() string { return answering(http.StatusUnauthorized, "Not Authorized") }, "status 401"),
			Entry("1 when there is no such thing", 1, func() string { return answering(http.StatusNotFound, "") }, "status 404"),
			Entry("1 when nobody is there", 1, nobodyThere, "connection refused"),
		)
	})

	Describe("broker-post-start", func() {
		It("waits until the broker serves", func() {
			w := newWorldWithoutBroker()
			path := w.writeConfig()
			text, err := os.ReadFile(path)
			Expect(err).NotTo(HaveOccurred())
			_, port, _ := cutAround(string(text), "port: ", "\n")
			arguments := []string{"-configFilePath", path, "-brokerUsername", platformUser, "-brokerPassword", platformPassword, "-brokerPort", port, "-timeout", "120"}
			waiting := startAs("broker-post-start", arguments...)
			Eventually(waiting.stdout.String).Should(ContainSubstring("Waiting 2m0s for the broker"))
			serving := startAs("on-demand-service-broker", "-configFilePath", path)
			Expect(waiting.end()).To(BeZero())
			Expect(waiting.stdout.String()).To(ContainSubstring("The broker serves its catalog"))

			code, out, errs := odb("wait-ready", "--config", path)
			Expect(out + errs).To(BeEmpty())
			Expect(code).To(BeZero())

			serving.kill()
			code, _, errs = odb("wait-ready", "--config", path, "--timeout", "900ms")
			Expect(errs).To(MatchRegexp(`^odb: the broker was not ready within 900ms: .*connection refused\n$`))
			Expect(code).To(Equal(1))
		})

		It("is content with a catalog, where wait-ready asks for the Director, too", func() {
			w := newWorldWithoutBroker()
			w.serveProcess("--config", with("password: admin}}", "password: wrong}}"))
			path := filepath.Join(w.dir, "broker.yml")
			code, _, errs := odb("wait-ready", "--config", path, "--timeout", "4s")
			Expect(errs).To(Equal("odb: the broker was not ready within 4s: the broker is not available: GET /readyz: status 503: its Director does not accept the broker's credentials\n"))
			Expect(code).To(Equal(1))

			port := w.platform.url[strings.LastIndex(w.platform.url, ":")+1:]
			code, _, _ = calledAs("broker-post-start", "-configFilePath", path, "-brokerUsername", platformUser, "-brokerPassword", platformPassword, "-brokerPort", port)
			Expect(code).To(BeZero())
		})

		It("reaches a broker that speaks TLS, whoever its certificate is from", func() {
			certificate, key := ownCertificate()
			w := newWorldWithoutBroker()
			path := w.writeConfig(with("  use_stdin: true", fmt.Sprintf("  use_stdin: true\n  tls: {cert_file: %s, key_file: %s}", certificate, key)))
			serving := startODB("serve", "--config", path)
			Eventually(serving.stdout.String).Should(ContainSubstring("server.listening"))
			code, _, errs := odb("wait-ready", "--config", path)
			Expect(errs).To(BeEmpty())
			Expect(code).To(BeZero())
		})

		It("tells at once what is wrong with broker.yml, and that it isn't there", func() {
			path := filepath.Join(GinkgoT().TempDir(), "broker.yml")
			Expect(os.WriteFile(path, []byte("broker: {port: 0}\n"), 0o600)).To(Succeed())
			code, out, _ := calledAs("broker-post-start", "-configFilePath", path)
			Expect(code).To(Equal(1))
			Expect(out).To(And(ContainSubstring("[broker-post-start] ["), ContainSubstring(path+":1: broker.port")))
			code, _, _ = calledAs("broker-post-start")
			Expect(code).To(Equal(1))
		})
	})

	Describe("instances", func() {
		It("have their tasks cancelled", func() {
			w := newWorld(tasksTake(time.Hour))
			Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
			code, out, errs := odb("instances", "cancel", "i-1", "--config", w.companionFile())
			Expect(errs).To(BeEmpty())
			Expect(out).To(MatchRegexp(`^task 1 is being cancelled: create deployment\n$`))
			Expect(code).To(BeZero())
			code, _, errs = odb("instances", "cancel", "i-2", "--config", w.companionFile())
			Expect(errs).To(ContainSubstring("service instance i-2: "))
			Expect(code).To(Equal(1))
		})

		It("are listed and shown", func() {
			w := newWorld()
			w.platform.provision("i-1", object{"context": object{"space_guid": "space-1", "organization_name": "o", "space_name": "s"}})
			w.platform.provision("i-2", object{"plan_id": largePlan})
			file := w.companionFile()
			_, out, _ := odb("instances", "list", "--config", file)
			Expect(out).To(MatchRegexp(`\ni-1 +small +- +- +- +-\ni-2 +large +- `))
			_, out, _ = odb("instances", "list", "--config", file, "--org", "o", "--space", "s", "--json")
			Expect(out).To(MatchJSON(`[{"id":"i-1","plan_id":"small-plan-guid","plan":"small"}]`))
			c := w.newCloud("2.0.0")
			c.knows("1.0.0", "i-1")
			withPlatform := w.companionFile(c.file())
			_, out, _ = odb("instances", "list", "--config", withPlatform)
			Expect(out).To(MatchRegexp(`\ni-1 +small +cache-i-1 +acme +prod +2\.0\.0\ni-2 +large +- `))
			_, out, _ = odb("instances", "list", "--config", withPlatform, "--org", "acme", "--space", "prod", "--json")
			Expect(out).To(MatchJSON(`[{"id":"i-1","plan_id":"small-plan-guid","plan":"small","name":"cache-i-1","org":"acme","space":"prod","upgrade_to":"2.0.0"}]`))
			code, _, errs := odb("instances", "list", "--config", file, "--org", "o")
			Expect(errs).To(ContainSubstring("--org and --space go together"))
			Expect(code).To(Equal(2))

			w.serve(newStemcell)
			file = w.companionFile()
			code, out, errs = odb("instances", "show", "--config", file, "--diff", "i-1")
			Expect(errs).To(BeEmpty())
			Expect(code).To(BeZero())
			Expect(out).To(MatchRegexp(`(?s)^instance: +i-1\nplan: +small small-plan-guid\nspace: +space-1\ndeployment: +service-instance_i-1\n.*last operation: +create succeeded, begun .* UTC\nan upgrade is due: +yes\nbecause: the manifest.*\n  stemcells:\n.*\+   version: '1\.1000'\n.*-   version: '1\.999'\n$`))
			code, _, errs = odb("instances", "show", "--config", file, "i-9")
			Expect(errs).To(ContainSubstring("service instance i-9: "))
			Expect(code).To(Equal(1))
		})
	})
})
