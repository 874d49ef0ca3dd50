package boshclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

// uaaMode is a Director with a UAA on the same port: it accepts the newest token only.
type uaaMode struct {
	*standIn
	issued    atomic.Int64
	accepted  atomic.Value // the token
	overrides map[string]http.HandlerFunc
}

func newUAAMode(overrides map[string]http.HandlerFunc) *uaaMode {
	d := &uaaMode{overrides: overrides}
	d.accepted.Store("")
	d.standIn = newStandIn(d.serve)
	return d
}

func (d *uaaMode) serve(w http.ResponseWriter, r *http.Request) {
	route := r.Method + " " + r.URL.Path
	switch {
	case d.overrides[route] != nil:
		d.overrides[route](w, r)
	case route == "GET /info":
		user := "null"
		if d.knows(r) {
			user = `"broker"`
		}
		_, _ = fmt.Fprintf(w, `{"name":"d","user":%s,"user_authentication":{"type":"uaa","options":{"url":%q}}}`, user, d.URL+"/uaa")
	case route == "POST /uaa/oauth/token":
		id, secret, _ := r.BasicAuth()
		if id != "broker" || secret != "client-s3cret" || r.FormValue("grant_type") != "client_credentials" {
			answering(401, `{"error":"unauthorized","error_description":"Bad credentials client-s3cret"}`)(w, r)
			return
		}
		token := fmt.Sprintf("t0ken-%d", d.issued.Add(1))
		d.accepted.Store(token)
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":43199}`, token)
	case !d.knows(r):
		answering(401, "Not authorized: '"+r.URL.Path+"'\n")(w, r)
	default:
		answering(200, taskDone)(w, r)
	}
}

func (d *uaaMode) knows(r *http.Request) bool {
	token, _ := d.accepted.Load().(string)
	return token != "" && r.Header.Get("Authorization") == "bearer "+token
}

func (d *uaaMode) expireToken() { d.accepted.Store("") }

var _ = Describe("A Director with a UAA", func() {
	It("names the UAA in /info, which is asked once for address and token", func(ctx SpecContext) {
		director := newUAAMode(nil)
		c := director.client(withClient)
		for range 3 {
			Expect(readTask(ctx, c)).To(Succeed())
		}
		Expect(director.asked()).To(Equal([]string{
			"GET /info", "POST /uaa/oauth/token", "GET /tasks/3", "GET /tasks/3", "GET /tasks/3",
		}))
		Expect(director.seen()[0].header).NotTo(HaveKey("Authorization"))
		Expect(director.connections.Load()).To(BeEquivalentTo(1))
	})

	It("tells who we are", func(ctx SpecContext) {
		director := newUAAMode(nil)
		c := director.client(withClient)
		Expect(c.Info(ctx)).To(Equal(boshclient.Info{Name: "d", User: "broker", Authentication: "uaa", UAAURL: director.URL + "/uaa"}))
		director.expireToken()
		Expect(c.Info(ctx)).To(HaveField("User", "broker"), "a token that has expired is exchanged")
		Expect(director.issued.Load()).To(BeEquivalentTo(2))
	})

	It("gets one token request however many callers find the token expired at once", func(ctx SpecContext) {
		const callers = 50
		var refused sync.WaitGroup
		refused.Add(callers)
		director := newUAAMode(nil)
		director.overrides = map[string]http.HandlerFunc{"GET /tasks/3": func(w http.ResponseWriter, r *http.Request) {
			if director.knows(r) {
				answering(200, taskDone)(w, r)
				return
			}
			refused.Done()
			refused.Wait() // nobody hears of it before all have sent the old token
			answering(401, "Not authorized: '/tasks/3'\n")(w, r)
		}}
		c := director.client(withClient)
		_, err := c.Info(ctx)
		Expect(err).NotTo(HaveOccurred())
		director.expireToken()
		var done sync.WaitGroup
		for range callers {
			done.Go(func() {
				defer GinkgoRecover()
				Expect(readTask(ctx, c)).To(Succeed())
			})
		}
		done.Wait()
		Expect(director.issued.Load()).To(BeEquivalentTo(2), "one for Info, one for all fifty")
	})

	It("submits once after a refused token", func(ctx SpecContext) {
		director := newUAAMode(nil)
		c := director.client(withClient)
		_, err := c.Info(ctx)
		Expect(err).NotTo(HaveOccurred())
		director.expireToken()
		before := len(director.seen())
		director.overrides = map[string]http.HandlerFunc{"POST /deployments": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if !director.knows(r) {
				answering(401, "Not authorized")(w, r)
				return
			}
			Expect(string(body)).To(Equal("name: a"))
			redirecting(302, "/tasks/8")(w, r)
		}}
		Expect(c.Deploy(ctx, boshclient.Deploy{Manifest: "name: a"})).To(Equal(8))
		Expect(director.asked()[before:]).To(Equal([]string{"POST /deployments", "POST /uaa/oauth/token", "POST /deployments"}))
	})

	It("is asked for one fresh token only, if that is refused too", func(ctx SpecContext) {
		director := newUAAMode(map[string]http.HandlerFunc{"GET /tasks/3": answering(401, "Not authorized")})
		Expect(readTask(ctx, director.client(withClient))).To(MatchError(boshclient.ErrUnauthorized))
		Expect(director.issued.Load()).To(BeEquivalentTo(2))
		Expect(director.seen()).To(HaveLen(5))
	})

	It("is asked for no fresh token when a scope is missing", func(ctx SpecContext) {
		director := newUAAMode(map[string]http.HandlerFunc{"GET /tasks/3": load("402").play})
		err := readTask(ctx, director.client(withClient))
		Expect(err).To(MatchError(boshclient.ErrUnauthorized))
		Expect(err).To(MatchError(ContainSubstring("Require one of the scopes: bosh.admin")))
		Expect(director.issued.Load()).To(BeEquivalentTo(1))
	})

	It("refuses a wrong secret, and no error repeats it", func(ctx SpecContext) {
		director := newUAAMode(nil)
		c := director.client(withClient, func(o *boshclient.Options) { o.ClientID = "brok3r" })
		err := deploy(ctx, c)
		Expect(err).To(MatchError(boshclient.ErrUnauthorized))
		Expect(err).NotTo(MatchError(Or(ContainSubstring("s3cret"), ContainSubstring("brok3r"), ContainSubstring("manifest"))))
		Expect(director.asked()).NotTo(ContainElement("POST /deployments"))
	})

	DescribeTable("whose UAA gives no token", func(ctx SpecContext, fault http.HandlerFunc, tries int) {
		director := newUAAMode(map[string]http.HandlerFunc{"POST /uaa/oauth/token": fault})
		away := unavailable(deploy(ctx, director.client(withClient, timeout(2*time.Second))))
		Expect(away.Sent).To(BeFalse(), "nothing was submitted")
		Expect(away.Error()).To(And(ContainSubstring("UAA"), Not(ContainSubstring("s3cret"))))
		Expect(countOf(director.asked(), "POST /uaa/oauth/token")).To(Equal(tries))
		Expect(director.asked()).NotTo(ContainElement("POST /deployments"))
	},
		Entry("503", answering(503, "client-s3cret"), 3),
		Entry("cut", http.HandlerFunc(cut), 3),
		Entry("rubbish", answering(200, "client-s3cret"), 3),
		Entry("an answer without a token", answering(200, "{}"), 3),
		Entry("a flood", answering(200, strings.Repeat("client-s3cret", 200_000)), 3),
	)

	It("whose UAA hangs keeps each caller no longer than its ctx, and the others waiting for the one request", func(ctx SpecContext) {
		release := make(chan struct{})
		director := newUAAMode(nil)
		director.overrides = map[string]http.HandlerFunc{"POST /uaa/oauth/token": func(w http.ResponseWriter, r *http.Request) {
			<-release
			answering(200, `{"access_token":"late","token_type":"bearer"}`)(w, r)
		}}
		c := director.client(withClient)
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		err := readTask(short, c)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(unavailable(err).Sent).To(BeFalse())

		patient := make(chan error, 1)
		go func() { patient <- readTask(ctx, c) }()
		director.accepted.Store("late")
		close(release)
		Eventually(patient).Should(Receive(BeNil()))
		Expect(countOf(director.asked(), "POST /uaa/oauth/token")).To(Equal(1), "the first caller's request serves the second")
	})

	It("is found again when the UAA has moved", func(ctx SpecContext) {
		director := newUAAMode(nil)
		moved := newUAAMode(nil)
		where := atomic.Value{}
		where.Store(moved.URL)
		director.overrides = map[string]http.HandlerFunc{
			"GET /info": func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"user":null,"user_authentication":{"type":"uaa","options":{"url":%q}}}`, where.Load().(string)+"/uaa")
			},
		}
		c := director.client(withClient)
		moved.Close()
		Expect(unavailable(readTask(ctx, c)).Sent).To(BeFalse())
		where.Store(director.URL)
		Expect(readTask(ctx, c)).To(Succeed())
	})

	DescribeTable("that can't be used with a client", func(ctx SpecContext, info string, unauthorized bool) {
		director := newUAAMode(map[string]http.HandlerFunc{"GET /info": answering(200, info)})
		err := deploy(ctx, director.client(withClient))
		Expect(errors.Is(err, boshclient.ErrUnauthorized)).To(Equal(unauthorized), "%v", err)
		Expect(director.asked()).To(Equal([]string{"GET /info"}), "the secret is sent nowhere")
	},
		Entry("has no UAA", `{"user_authentication":{"type":"basic","options":{}}}`, true),
		Entry("names a UAA without TLS", `{"user_authentication":{"type":"uaa","options":{"url":"http://127.0.0.1:1/uaa"}}}`, false),
		Entry("names a UAA without a scheme", `{"user_authentication":{"type":"uaa","options":{"url":"127.0.0.1:1"}}}`, false),
		Entry("names a UAA that can't be read", `{"user_authentication":{"type":"uaa","options":{"url":"https://[/"}}}`, false),
	)

	It("is submitted to again when the connection could not be made, although the UAA's could", func(ctx SpecContext) {
		uaa := newUAAMode(nil)
		director := newStandIn(byRoute(map[string]http.HandlerFunc{
			"GET /info": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Connection", "close")
				_, _ = fmt.Fprintf(w, `{"user_authentication":{"type":"uaa","options":{"urls":[%q]}}}`, uaa.URL+"/uaa")
			},
			"POST /deployments": redirecting(303, "/tasks/6"),
		}), dropping(1, 1))
		Expect(director.client(withClient).Deploy(ctx, boshclient.Deploy{Manifest: "name: a"})).To(Equal(6))
		Expect(director.asked()).To(Equal([]string{"GET /info", "POST /deployments"}))
	})

	It("that is away was sent nothing, though /info may have been", func(ctx SpecContext) {
		director := newUAAMode(map[string]http.HandlerFunc{"GET /info": cut})
		Expect(unavailable(deploy(ctx, director.client(withClient))).Sent).To(BeFalse())
		Expect(director.seen()).To(HaveLen(3), "the tries of /info are not multiplied")
	})
})

var _ = Describe("A Director with users of its own", func() {
	It("is not asked twice with a wrong password", func(ctx SpecContext) {
		director := newStandIn(load("400").play)
		err := deploy(ctx, director.client())
		Expect(err).To(MatchError(boshclient.ErrUnauthorized))
		Expect(err).NotTo(MatchError(ContainSubstring("pa$$word")))
		Expect(director.seen()).To(HaveLen(1))
	})
})

func countOf(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}
