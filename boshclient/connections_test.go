package boshclient_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

var _ = Describe("Connections", func() {
	It("are used again, whatever the answers", func(ctx SpecContext) {
		director := newStandIn(byRoute(map[string]http.HandlerFunc{
			"GET /tasks/3":        answering(200, taskDone),
			"GET /tasks/4":        load("029").play,
			"POST /deployments":   redirecting(303, "/tasks/3"),
			"GET /tasks/3/output": load("018").play,
			"DELETE /configs":     load("323").play,
			"GET /tasks":          answering(500, strings.Repeat("x", 100_000)),
		}))
		c := director.client()
		for range 20 {
			Expect(readTask(ctx, c)).To(Succeed())
			_, err := c.Task(ctx, 4)
			Expect(err).To(MatchError(boshclient.ErrNotFound))
			Expect(deploy(ctx, c)).To(Succeed())
			_, _, err = c.TaskEvents(ctx, 3, 99999999)
			Expect(err).NotTo(HaveOccurred())
			Expect(c.DeleteConfig(ctx, "cloud", "si-a")).To(Succeed())
			_, err = c.TasksInProgress(ctx, "si-a")
			Expect(err).To(HaveOccurred())
		}
		Expect(director.seen()).To(HaveLen(120))
		Expect(director.connections.Load()).To(BeEquivalentTo(1))
	})

	It("are as many as the callers at once, and no more afterwards", func(ctx SpecContext) {
		const callers, rounds = 128, 5
		gate := make(chan struct{})
		var waiting sync.WaitGroup
		waiting.Add(callers)
		director := newStandIn(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/tasks/1" { // the first round: all at once
				waiting.Done()
				<-gate
			}
			answering(200, taskDone)(w, r)
		})
		c := director.client()
		go func() { waiting.Wait(); close(gate) }()
		for round := range rounds {
			var callersDone sync.WaitGroup
			for range callers {
				callersDone.Go(func() {
					defer GinkgoRecover()
					_, err := c.Task(ctx, round+1)
					Expect(err).NotTo(HaveOccurred())
				})
			}
			callersDone.Wait()
		}
		Expect(director.connections.Load()).To(BeEquivalentTo(callers))
	})

	It("are not made without bound", func(ctx SpecContext) {
		director := newStandIn(answering(200, taskDone))
		c := director.client()
		var callers sync.WaitGroup
		for range 300 {
			callers.Go(func() {
				defer GinkgoRecover()
				Expect(readTask(ctx, c)).To(Succeed())
			})
		}
		callers.Wait()
		Expect(director.connections.Load()).To(BeNumerically("<=", 128))
	})

	It("trust nobody but the given CA, and say so at once", func(ctx SpecContext) {
		director := newStandIn(answering(200, taskDone))
		other := newStandIn(answering(200, taskDone), func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{otherCertificate()}} })
		c := director.client(func(o *boshclient.Options) { o.URL = other.URL })
		err := deploy(ctx, c)
		var untrusted *tls.CertificateVerificationError
		Expect(err).To(MatchError(ContainSubstring("certificate")))
		Expect(unavailable(err).Cause).To(BeAssignableToTypeOf(untrusted))
		Expect(unavailable(err).Sent).To(BeFalse())
		Expect(other.connections.Load()).To(BeEquivalentTo(1))
	})

	It("are TLS 1.2 or newer", func(ctx SpecContext) {
		director := newStandIn(answering(200, taskDone), func(s *httptest.Server) {
			s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // the point of the test
		})
		Expect(unavailable(readTask(ctx, director.client())).Sent).To(BeFalse())
		Expect(director.seen()).To(BeEmpty())
	})
})

var _ = Describe("Answers that are too large", func() {
	small := func(o *boshclient.Options) { o.BodyLimit = 1000 }
	manifest := func(size int) string { return `{"manifest":"` + strings.Repeat("x", size) + `"}` }

	It("are refused, whether or not their length is told", func(ctx SpecContext) {
		director := newStandIn(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/deployments/chunked" {
				w.(http.Flusher).Flush()
			} else {
				w.Header().Set("Content-Length", strconv.Itoa(len(manifest(2000))))
			}
			answering(200, manifest(2000))(w, r)
		})
		c := director.client(small)
		for _, name := range []string{"chunked", "told"} {
			_, err := c.Deployment(ctx, name)
			Expect(err).To(MatchError(boshclient.ErrTooLarge))
		}
		Expect(director.seen()).To(HaveLen(2))
	})

	It("are taken up to the limit", func(ctx SpecContext) {
		director := newStandIn(answering(200, manifest(1000-len(manifest(0)))))
		deployment, err := director.client(small).Deployment(ctx, "si-a")
		Expect(err).NotTo(HaveOccurred())
		Expect(deployment.Manifest).To(HaveLen(1000 - len(manifest(0))))
	})
})
