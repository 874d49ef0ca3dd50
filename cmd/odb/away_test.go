package main

import (
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("when the Director is away", func() {
	get := func(w *world, path string) answer {
		return w.platform.do("GET", path, nil, func(r *http.Request) { r.Header.Del("Authorization") })
	}

	It("starts all the same, says so, and answers what needs no Director", func() {
		w := newWorldWithoutBroker()
		Expect(w.director.Close()).To(Succeed())
		w.serve()
		p := w.platform

		ready := get(w, "/readyz")
		Expect(ready.status).To(Equal(http.StatusServiceUnavailable))
		Expect(ready.body).To(Equal(object{"ready": false, "catalog": "ok", "director": "does not answer"}))
		Expect(get(w, "/healthz").status).To(Equal(http.StatusOK))
		Expect(p.do("GET", "/v2/catalog", nil).status).To(Equal(http.StatusOK))

		var all sync.WaitGroup
		for what, ask := range map[string]func() answer{
			"provision":      func() answer { return p.provision("i-1", nil) },
			"update":         func() answer { return p.update("i-2", nil) },
			"deprovision":    func() answer { return p.deprovision("i-3") },
			"bind":           func() answer { return p.bind("i-4", "b", nil) },
			"unbind":         func() answer { return p.unbind("i-5", "b") },
			"last_operation": func() answer { return p.lastOperation("i-6", `{"BoshTaskID":1,"OperationType":"create"}`) },
		} {
			all.Go(func() {
				defer GinkgoRecover()
				a := ask()
				Expect(a.status).To(Equal(http.StatusServiceUnavailable), "%s: %s", what, a.text)
				Expect(a.description()).To(And(ContainSubstring("Currently unable to"), ContainSubstring("try again later")), what)
			})
		}
		all.Wait()
		Expect(w.calls()).To(BeEmpty())
	})

	It("is ready when the Director answers", func() {
		w := newWorld()
		ready := get(w, "/readyz")
		Expect(ready.status).To(Equal(http.StatusOK))
		Expect(ready.body).To(Equal(object{"ready": true, "catalog": "ok", "director": "ok"}))
		Expect(w.platform.do("POST", "/readyz", nil).status).To(Equal(http.StatusMethodNotAllowed))
	})

	It("tells that the Director doesn't know it", func() {
		w := newWorld(with("password: admin}}", "password: wrong}}"))
		Expect(get(w, "/readyz").body).To(HaveKeyWithValue("director", "does not accept the broker's credentials"))
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusInternalServerError))
		Expect(a.description()).To(ContainSubstring("broker-request-id"))
	})

	It("asks the Director no more often because it is asked more often itself", func() {
		w := newWorldWithoutBroker()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultStatus, Path: "/info", Status: http.StatusInternalServerError})).To(Succeed())
		w.serve()
		for range 50 {
			Expect(get(w, "/readyz").status).To(Equal(http.StatusServiceUnavailable))
		}
		Expect(w.director.Stats().Requests["GET /info"]).To(BeNumerically("<=", 8), "one probe with its tries")
	})

	DescribeTable("never calls an operation failed because it can't tell", func(fault devdirector.Fault) {
		w := newWorld()
		a := w.platform.provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted))
		w.serve(with("bosh:", "bosh:\n  timeout: 500ms")) // which nothing but the poll has to keep
		fault.Method, fault.Path = "GET", "/tasks/.*"
		Expect(w.director.AddFault(fault)).To(Succeed())
		poll := w.platform.lastOperation("i-1", a.operation())
		Expect(poll.status).To(BeNumerically(">=", 500), poll.text)
		w.director.ClearFaults()
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
	},
		Entry("it refuses connections", devdirector.Fault{Kind: devdirector.FaultRefuse}),
		Entry("it hangs", devdirector.Fault{Kind: devdirector.FaultHang}),
		Entry("it cuts the connection half-way", devdirector.Fault{Kind: devdirector.FaultCut}),
		Entry("it answers 500", devdirector.Fault{Kind: devdirector.FaultStatus, Status: 500}),
		Entry("it answers 502", devdirector.Fault{Kind: devdirector.FaultStatus, Status: 502}),
	)

	DescribeTable("finds the task of a submission whose answer got lost", func(method, path string, submission func(*world) answer) {
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }})
		ends := func() { clock.Advance(2 * time.Minute) }
		if method == "DELETE" {
			w.platform.provisionedAt("i-1", ends)
		}
		w.director.ResetStats()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultCut, Method: method, Path: path})).To(Succeed())
		a := submission(w)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.director.Stats().TotalTasks).To(Equal(1))
		Expect(w.log.String()).To(ContainSubstring("submission.answer-lost"))
		ends()
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
	},
		Entry("of a deploy", "POST", "/deployments$", func(w *world) answer { return w.platform.provision("i-1", nil) }),
		Entry("of a deletion", "DELETE", "/deployments/.*", func(w *world) answer { return w.platform.deprovision("i-1") }),
	)

	It("says that it is away when a submission never arrived", func() {
		w := newWorld()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultRefuse, Method: "POST", Path: "/deployments$"})).To(Succeed())
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusServiceUnavailable))
		w.director.ClearFaults()
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
	})

	// Else the deployment would turn up after the platform's clean-up, and nobody would know whose it is.
	It("keeps what it remembers of an instance whose creation may still arrive, and deletes it then", func() {
		w := newWorld()
		w.platform.provisioned("other")
		other, err := w.directorClient().Deployment(GinkgoT().Context(), "service-instance_other")
		Expect(err).NotTo(HaveOccurred())
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultRefuse, Method: "POST", Path: "/deployments$"})).To(Succeed())
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusServiceUnavailable))
		w.director.ClearFaults()
		w.director.ResetStats()
		a := w.platform.deprovision("i-1")
		Expect(a.status).To(Equal(http.StatusUnprocessableEntity), a.text)
		Expect(a.body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(w.director.Stats().TotalRequests).To(Equal(3+1), "%v", w.director.Stats().Requests)

		By("its arrival")
		creation := w.record("i-1")["operation"].(object)["context_id"].(string)
		_, err = w.directorClient().Deploy(GinkgoT().Context(), boshclient.Deploy{Manifest: strings.ReplaceAll(other.Manifest, "service-instance_other", "service-instance_i-1"), ContextID: creation})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() int { a = w.platform.deprovision("i-1"); return a.status }).WithTimeout(10 * time.Second).Should(Equal(http.StatusAccepted))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.configs("i-1")).To(BeEmpty())
		_, err = w.directorClient().Deployment(GinkgoT().Context(), "service-instance_i-1")
		Expect(err).To(MatchError(boshclient.ErrNotFound))
	})

	It("forgets an instance whose creation didn't arrive in time", func() {
		w := newWorld()
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultRefuse, Method: "POST", Path: "/deployments$"})).To(Succeed())
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusServiceUnavailable))
		w.director.ClearFaults()
		w.rewriteRecord("i-1", func(record object) {
			record["operation"].(object)["started_at"] = time.Now().UTC().Add(-3 * time.Minute)
		})
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
		Expect(w.configs("i-1")).To(BeEmpty())
	})

	It("shows the Director's words in a failed operation only if the operator wants that", func() {
		for _, exposed := range []bool{false, true} {
			changes := []setting{}
			if exposed {
				changes = append(changes, with("use_stdin: true", "use_stdin: true\n  expose_operational_errors: true"))
			}
			w := newWorld(append(changes, setting{director: func(o *devdirector.Options) {
				o.Stemcells = []devdirector.Stemcell{{Name: "other", OS: "other", Version: "1"}}
			}})...)
			a := w.platform.provision("i-1", nil)
			Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
			said := w.platform.lastOperation("i-1", a.operation()).description()
			Expect(said).To(And(HavePrefix("Instance provisioning failed: "), ContainSubstring("task-id: 1"), ContainSubstring("service-instance-guid: i-1")))
			if exposed {
				Expect(said).To(ContainSubstring("error-message: "))
			} else {
				Expect(said).NotTo(ContainSubstring("error-message: "))
			}
		}
	})

	It("deletes what a failed create left", func() {
		w := newWorld(setting{director: func(o *devdirector.Options) {
			o.Stemcells = []devdirector.Stemcell{{Name: "other", OS: "other", Version: "1"}}
		}})
		a := w.platform.provision("i-1", nil)
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("failed"))
		Expect(w.platform.update("i-1", nil).status).To(Equal(http.StatusUnprocessableEntity))
		a = w.platform.deprovision("i-1")
		Expect(a.status).To(Equal(http.StatusAccepted))
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
	})

	It("reads operations that its predecessor began", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(w.platform.lastOperation("i-1", `{"BoshTaskID":1,"OperationType":"create","PlanID":"p","PostDeployErrand":{"Name":"","Instances":[]},"PreDeleteErrand":{}}`).body).
			To(HaveKeyWithValue("state", "succeeded"))

		By("knowing from the deployment how a deletion without a task ended")
		lost := `{"BoshTaskID":0,"OperationType":"delete","PostDeployErrand":{},"PreDeleteErrand":{}}`
		Expect(w.platform.lastOperation("i-1", lost).body).To(HaveKeyWithValue("state", "failed"))
		Expect(w.platform.lastOperation("gone", lost).body).To(HaveKeyWithValue("state", "succeeded"))
		Expect(w.platform.lastOperation("gone", `{"BoshTaskID":4711,"OperationType":"delete"}`).body).To(HaveKeyWithValue("state", "succeeded"))
		Expect(w.platform.lastOperation("gone", `{"BoshTaskID":4711,"OperationType":"create"}`).status).To(Equal(http.StatusNotFound))
	})

	It("works with a Director that wants tokens, and gets a new one when the old one has expired", func() {
		w := newWorld(
			setting{director: func(o *devdirector.Options) {
				o.UAA = &devdirector.UAAOptions{Clients: map[string]devdirector.UAAClient{"odb": {Secret: "s", Scopes: []string{"bosh.admin"}}}, TokenLifetime: time.Hour}
			}},
			with("{basic: {username: admin, password: admin}}", "{uaa: {client_credentials: {client_id: odb, client_secret: s}}}"),
		)
		w.platform.provisioned("i-1")
		Expect(w.director.Stats().Tokens).To(Equal(1))
		w.director.ExpireTokens() // from here on the Director refuses it
		Expect(w.platform.bind("i-1", "b", nil).status).To(Equal(http.StatusCreated))
		Expect(w.director.Stats().Tokens).To(Equal(2))
	})
})
