package main

import (
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

// wire is between the broker and somebody whom it asks, and sees what goes over.
type wire struct {
	*httptest.Server
	mu     sync.Mutex
	traces []string // method, traceparent and tracestate of each request
}

// wireTo is one to an HTTPS address.
func wireTo(address string) *wire {
	GinkgoHelper()
	target, err := url.Parse(address)
	Expect(err).NotTo(HaveOccurred())
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the wire trusts whoever is there
	w := &wire{}
	w.Server = httptest.NewTLSServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.traces = append(w.traces, strings.Join([]string{r.Method, r.Header.Get("Traceparent"), r.Header.Get("Tracestate")}, " "))
		w.mu.Unlock()
		proxy.ServeHTTP(answer, r)
	}))
	DeferCleanup(w.Close)
	return w
}

func (w *wire) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.traces...)
}

func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.traces = nil
}

// instead has the broker ask by the wire: address and CA certificates of whom it leads to are replaced.
func (w *wire) instead(address string, certificates ...string) setting {
	ours := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Certificate().Raw}))
	return setting{config: func(yaml string) string {
		yaml = strings.ReplaceAll(yaml, address, w.URL)
		for _, certificate := range certificates {
			yaml = strings.Replace(yaml, indented(certificate), indented(ours+certificate), 1)
		}
		return yaml
	}}
}

var _ = Describe("the trace that a platform's request belongs to", func() {
	const id, parent, state = "0af7651916cd43dd8448eb211c80319c", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "rojo=00f067aa0ba902b7,congo=1"
	traced := func(r *http.Request) {
		r.Header.Set("Traceparent", parent)
		r.Header.Set("Tracestate", state)
	}

	It("goes on to the Director, to the adapter and into the log, and polls have their own", func() {
		w := newWorldWithoutBroker()
		director := wireTo(w.director.URL())
		w.serve(director.instead(w.director.URL(), w.director.CACert()))
		const nobodys = "GET  " // what the broker looks at when it starts
		a := w.platform.do("PUT", instancePath("i-1")+"?accepts_incomplete=true", provisionBody(smallPlan), traced)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(director.seen()).To(And(ContainElement("POST "+parent+" "+state), HaveEach(Or(HaveSuffix(parent+" "+state), Equal(nobodys)))))
		calls, err := w.adapter.Calls()
		Expect(err).NotTo(HaveOccurred())
		Expect(calls[len(calls)-1].Env).To(ContainElements("TRACEPARENT="+parent, "TRACESTATE="+state))
		Expect(w.logged("deploy.submitted")[0]).To(HaveKeyWithValue("trace_id", id))

		director.forget()
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(director.seen()).To(HaveEach(Or(MatchRegexp(`^GET 00-[0-9a-f]{32}-[0-9a-f]{16}-01 $`), Equal(nobodys))))
		Expect(director.seen()).NotTo(ContainElement(ContainSubstring(id)))
	})

	It("goes on to CredHub", func() {
		credhub := credhubtest.Start(credhubtest.Options{})
		DeferCleanup(credhub.Close)
		way := wireTo(credhub.URL)
		w := newWorld(credentialsIn(credhub), way.instead(credhub.URL, credhub.CACert))
		w.platform.provisioned("i-1")
		way.forget()
		a := w.platform.do("PUT", bindingPath("i-1", "b-1"), object{"service_id": serviceID, "plan_id": smallPlan, "bind_resource": object{"app_guid": "app"}}, traced)
		Expect(a.status).To(Equal(http.StatusCreated), a.text)
		Expect(way.seen()).To(And(ContainElement("PUT "+parent+" "+state), HaveEach(HaveSuffix(parent+" "+state))))
	})

	It("is that of what the broker goes on with by itself", func() {
		w := newWorldWithoutBroker(withErrands...)
		director := wireTo(w.director.URL())
		w.serve(append(withErrands, setting{carryEvery: 10 * time.Millisecond}, director.instead(w.director.URL(), w.director.CACert()))...)
		a := w.platform.do("PUT", instancePath("i-1")+"?accepts_incomplete=true", provisionBody(smallPlan), traced)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Eventually(func() []object { return w.logged("step.submitted") }).WithTimeout(30 * time.Second).Should(HaveLen(2))
		Expect(w.logged("step.submitted")).To(HaveEach(HaveKeyWithValue("trace_id", id)))
	})

	It("is a new one where there is none that can be understood", func() {
		w := newWorld()
		for _, given := range []string{"", "rubbish", "00-00000000000000000000000000000000-b7ad6b7169203331-01"} {
			Expect(w.platform.do("GET", "/v2/catalog", nil, func(r *http.Request) { r.Header.Set("Traceparent", given) }).status).To(Equal(http.StatusOK))
		}
		requests := w.logged("request")
		Expect(requests).To(HaveLen(3))
		for _, request := range requests {
			Expect(request["trace_id"]).To(Equal(strings.ReplaceAll(request["request_id"].(string), "-", "")))
		}
	})
})
