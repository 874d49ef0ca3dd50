package main

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/devdirector"
)

// pair is a user and a password.
type pair struct{ username, password string }

// as asks with another user and password.
func as(who pair) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(who.username, who.password) }
}

// rewrite replaces parts of the configuration in place: old, new, old, new …
func (w *world) rewrite(path string, oldAndNew ...string) {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	changed := string(text)
	for i := 0; i < len(oldAndNew); i += 2 {
		Expect(changed).To(ContainSubstring(oldAndNew[i]))
		changed = strings.Replace(changed, oldAndNew[i], oldAndNew[i+1], 1)
	}
	Expect(os.WriteFile(path, []byte(changed), 0o600)).To(Succeed())
}

// hangUp sends SIGHUP and waits for the line that tells how it went. It returns what was logged meanwhile.
func (p *program) hangUp(outcome string) (logged string) {
	GinkgoHelper()
	before := len(p.stdout.String())
	Expect(p.cmd.Process.Signal(syscall.SIGHUP)).To(Succeed())
	Eventually(func() string { return p.stdout.String()[before:] }).WithPolling(5 * time.Millisecond).Should(ContainSubstring(`"odb.config.` + outcome + `"`))
	return p.stdout.String()[before:]
}

var _ = Describe("a changed broker.yml", func() {
	var w *world
	var p *program
	var path string
	begin := func(changes ...setting) {
		w = newWorldWithoutBroker(changes...)
		p = w.serveProcess("--config", changes...)
		path = w.dir + "/broker.yml"
	}

	It("changes the platform's password without a gap", func() {
		begin()
		old, next := pair{platformUser, platformPassword}, pair{"platform-2", "next-secret"}

		var mu sync.Mutex
		now, refused := old, []string{}
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { // a platform that never pauses
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				who := now
				a, err := w.platform.try("GET", "/v2/catalog", nil, as(who))
				if err != nil || a.status != http.StatusOK {
					refused = append(refused, who.username+": "+a.text)
				}
				mu.Unlock()
			}
		}()
		status := func(who pair) int { return w.platform.do("GET", "/v2/catalog", nil, as(who)).status }
		Expect(status(next)).To(Equal(http.StatusUnauthorized))

		w.rewrite(path, "  password: platform-secret\n", "  password: platform-secret\n  credentials:\n  - {username: platform-2, password: next-secret}\n")
		Expect(p.hangUp("reloaded")).To(ContainSubstring(`"changed":["broker.credentials"]`))
		Expect([]int{status(old), status(next)}).To(Equal([]int{http.StatusOK, http.StatusOK}))

		mu.Lock()
		now = next
		mu.Unlock()
		w.rewrite(path, "username: platform\n  password: platform-secret\n  credentials:\n  - {username: platform-2, password: next-secret}\n", "username: platform-2\n  password: next-secret\n")
		Expect(p.hangUp("reloaded")).To(ContainSubstring(`"changed":["broker.credentials","broker.password","broker.username"]`))
		Expect([]int{status(old), status(next)}).To(Equal([]int{http.StatusUnauthorized, http.StatusOK}))

		close(stop)
		Eventually(stopped).Should(BeClosed())
		Expect(refused).To(BeEmpty())
		log := p.stdout.String()
		Expect(log).To(And(ContainSubstring(`"authenticated_by":"broker.username"`), ContainSubstring(`"authenticated_by":"broker.credentials[0]"`)))
		Expect(log).NotTo(Or(ContainSubstring("next-secret"), ContainSubstring(platformPassword)))
	})

	It("is refused with all that is wrong with it, and the old one stays", func() {
		begin()
		w.rewrite(path, "  password: platform-secret\n", "  password: \"\"\n", "    plan_id: large-plan-guid\n", "    plan_id: large-plan-guid\n    quotas: {service_instance_limit: many}\n")
		log := p.hangUp("not-reloaded")
		Expect(log).To(And(ContainSubstring(path+":6: broker.password: is missing or empty"), ContainSubstring("service_catalog.plans[1].quotas.service_instance_limit: is "), ContainSubstring("problems: 2")))
		Expect(w.platform.do("GET", "/v2/catalog", nil).status).To(Equal(http.StatusOK))

		Expect(os.Remove(path)).To(Succeed())
		Expect(p.hangUp("not-reloaded")).To(ContainSubstring("no such file"))
		Expect(w.platform.do("GET", "/v2/catalog", nil).status).To(Equal(http.StatusOK))
	})

	It("holds for what comes, while what is under way ends with what it began with", func() {
		begin()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Hold: "me"})).To(Succeed())
		answered := make(chan answer, 1)
		go func() {
			defer GinkgoRecover()
			answered <- w.platform.provision("i-1", nil)
		}()
		Eventually(w.calls).Should(ContainElement("generate-manifest"))

		w.rewrite(path, "name: small\n", "name: tiny\n", "vm_type: small", "vm_type: minute", "  path: ", "  timeout: 1h\n  path: ")
		Expect(p.hangUp("reloaded")).To(ContainSubstring(`"changed":["service_adapter.timeout","service_catalog.plans[0].instance_groups[0].vm_type","service_catalog.plans[0].name"]`))
		Expect(w.platform.do("GET", "/v2/catalog", nil).text).To(ContainSubstring(`"tiny"`))
		busy := w.platform.deprovision("i-1")
		Expect(busy.status).To(Equal(http.StatusUnprocessableEntity))
		Expect(busy.body).To(HaveKeyWithValue("error", "ConcurrencyError"), "one lock for both configurations")

		Expect(w.adapter.LetGo("me")).To(Succeed())
		var a answer
		Eventually(answered).Should(Receive(&a))
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.platform.update("i-1", object{"parameters": object{"a": 1}}).status).To(Equal(http.StatusUnprocessableEntity), "the operator's change is not rolled out")
		calls, err := w.adapter.Calls()
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[0].Stdin).To(ContainSubstring(`\"vm_type\":\"small\"`))
		Expect(calls[len(calls)-1].Stdin).To(ContainSubstring(`\"vm_type\":\"minute\"`))
	})

	It("may have other credentials for the Director", func() {
		begin(setting{director: func(o *devdirector.Options) {
			o.Users = map[string]devdirector.User{
				"admin": {Password: "admin", Scopes: []string{"bosh.admin"}},
				"next":  {Password: "next-secret", Scopes: []string{"bosh.admin"}},
			}
		}})
		w.rewrite(path, "basic: {username: admin, password: admin}", "basic: {username: next, password: wrong-secret}")
		p.hangUp("reloaded")
		Expect(w.platform.do("GET", "/readyz", nil).text).To(ContainSubstring("does not accept the broker's credentials"))
		w.rewrite(path, "wrong-secret", "next-secret")
		Expect(p.hangUp("reloaded")).To(ContainSubstring(`"changed":["bosh.authentication.basic.password"]`))
		w.platform.provisioned("i-1")
		Expect(p.stdout.String()).NotTo(Or(ContainSubstring("wrong-secret"), ContainSubstring("next-secret")))
	})

	It("says what needs a restart, and takes on the rest", func() {
		begin()
		port := w.platform.url[strings.LastIndex(w.platform.url, ":")+1:]
		w.rewrite(path, "port: "+port, "port: 1", "A cache of your own", "A cache for you",
			"url: "+w.director.URL(), "url: https://127.0.0.1:1", "basic: {username: admin", "basic: {username: admin-of-the-other-director")
		log := p.hangUp("reloaded")
		Expect(log).To(And(ContainSubstring(`"keys":["bosh.authentication.basic.username","bosh.url","broker.port"]`), ContainSubstring(`"changed":["service_catalog.service_description"]`)))
		Expect(w.platform.do("GET", "/v2/catalog", nil).text).To(ContainSubstring("A cache for you"))
		w.platform.provisioned("i-1")
		Expect(p.hangUp("reloaded")).To(And(ContainSubstring("odb.config.restart-needed"), ContainSubstring(`"changed":[]`)))
	})

	It("is refused if it is another service's, or changes what the rest of it depends on", func() {
		begin()
		w.rewrite(path, "id: service-guid", "id: other-guid", "  use_stdin: true\n", "  use_stdin: true\n  disable_bosh_configs: true\n", "A cache of your own", "A cache for you")
		Expect(p.hangUp("not-reloaded")).To(ContainSubstring("broker.disable_bosh_configs, service_catalog.id can't change while the broker runs"))
		Expect(w.platform.do("GET", "/v2/catalog", nil).text).To(And(ContainSubstring(serviceID), ContainSubstring("A cache of your own")))
	})

	It("has the adapter say anew what the plans' parameters are, and is refused if it can't", func() {
		begin()
		w.rewrite(path, "  use_stdin: true\n", "  use_stdin: true\n  enable_plan_schemas: true\n")
		Expect(w.adapter.Steer("generate-plan-schemas", adaptertest.Steering{ExitCode: 1, Stdout: "no schemas today"})).To(Succeed())
		Expect(p.hangUp("not-reloaded")).To(ContainSubstring("generate-plan-schemas"))
		Expect(w.platform.do("GET", "/v2/catalog", nil).text).NotTo(ContainSubstring("schemas"))
		Expect(w.adapter.Unsteer()).To(Succeed())
		Expect(p.hangUp("reloaded")).To(ContainSubstring(`"changed":["broker.enable_plan_schemas"]`))
		Expect(w.platform.do("GET", "/v2/catalog", nil).text).To(ContainSubstring("schemas"))
	})
})
