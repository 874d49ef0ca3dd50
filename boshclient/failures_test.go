package boshclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

func rejected(err error) *boshclient.Rejected {
	GinkgoHelper()
	var fact *boshclient.Rejected
	Expect(errors.As(err, &fact)).To(BeTrue(), "%v", err)
	return fact
}

func unavailable(err error) *boshclient.Unavailable {
	GinkgoHelper()
	var fact *boshclient.Unavailable
	Expect(errors.As(err, &fact)).To(BeTrue(), "%v", err)
	return fact
}

func deploy(ctx context.Context, c *boshclient.Client) error {
	_, err := c.Deploy(ctx, boshclient.Deploy{Manifest: "name: si-a\nsecret: in-the-manifest\n"})
	return err
}

func readTask(ctx context.Context, c *boshclient.Client) error {
	_, err := c.Task(ctx, 3)
	return err
}

var _ = Describe("What the Director refuses", func() {
	DescribeTable("is a fact", func(ctx SpecContext, name string, ask func(context.Context, *boshclient.Client) error, status, code int, description string, fact error) {
		director := newStandIn(load(name).play)
		err := ask(ctx, director.client())
		got := rejected(err)
		Expect(*got).To(And(HaveField("Status", status), HaveField("Code", code), HaveField("Description", ContainSubstring(description))))
		for _, other := range []error{boshclient.ErrNotFound, boshclient.ErrUnauthorized, boshclient.ErrConfigChanged} {
			Expect(errors.Is(err, other)).To(Equal(other == fact), "%v", other)
		}
		Expect(director.seen()).To(HaveLen(1))
	},
		Entry("no such task", "029", readTask, 404, 10000, "Task 999999 not found", boshclient.ErrNotFound),
		Entry("no such deployment", "053", func(ctx context.Context, c *boshclient.Client) error {
			_, err := c.Deployment(ctx, "nope")
			return err
		}, 404, 70000, "Deployment 'nope' doesn't exist", boshclient.ErrNotFound),
		Entry("a 404 that speaks of no object", "124", deploy, 404, 0, "Endpoint '/deployments' not found.", nil),
		Entry("no such config", "324", func(ctx context.Context, c *boshclient.Client) error {
			return c.DeleteConfig(ctx, "cloud", "si-a")
		}, 404, 0, "Endpoint '/configs' not found.", boshclient.ErrNotFound),
		Entry("no such version of a config", "327", func(ctx context.Context, c *boshclient.Client) error {
			return c.DeleteConfigVersion(ctx, "3")
		}, 404, 440012, "Config 3 not found", boshclient.ErrNotFound),
		Entry("wrong password", "400", readTask, 401, 0, "Not authorized: '/deployments'", boshclient.ErrUnauthorized),
		Entry("missing scope", "402", readTask, 401, 600000, "Require one of the scopes", boshclient.ErrUnauthorized),
		Entry("a bad request", "396", deploy, 400, 190025, "Context includes invalid config ID", nil),
		Entry("cancelling what has ended", "226", func(ctx context.Context, c *boshclient.Client) error {
			return c.CancelTask(ctx, 37)
		}, 400, 0, "Cannot cancel task 37: invalid state (cancelled)", nil),
	)

	It("in a diff comes with 200 and a Ruby backtrace, which is left out", func(ctx SpecContext) {
		director := newStandIn(answering(200, `{"diff":[],"error":"Unable to diff manifest: not YAML at line 1\n/api_helper.rb:100:in rescue"}`))
		_, err := director.client().Diff(ctx, "si-a", "a: [b")
		Expect(rejected(err).Description).To(Equal("Unable to diff manifest: not YAML at line 1"))
	})

	It("gives the latest id when a config was changed by somebody else", func(ctx SpecContext) {
		director := newStandIn(load("305").play)
		_, err := director.client().CreateConfig(ctx, boshclient.CreateConfig{Type: "cloud", Name: "si-a", Content: "a: 1", ExpectedLatestID: new("2")})
		Expect(err).To(MatchError(boshclient.ErrConfigChanged))
		Expect(err).To(MatchError(ContainSubstring("config cloud/si-a: ")))
		var changed *boshclient.ConfigChanged
		Expect(errors.As(err, &changed)).To(BeTrue())
		Expect(changed).To(Equal(&boshclient.ConfigChanged{Type: "cloud", Name: "si-a", LatestID: "4", ExpectedID: "2"}))
	})

	It("cuts a refusal's text that is a novel", func(ctx SpecContext) {
		director := newStandIn(answering(400, string(make([]byte, 10_000))))
		Expect(len(rejected(readTask(ctx, director.client())).Description)).To(BeNumerically("<", 2100))
	})
})

var _ = Describe("A Director that gives no usable answer", func() {
	DescribeTable("a submission is made once, and its outcome is unknown",
		func(ctx SpecContext, handle http.HandlerFunc, status int, cause string) {
			director := newStandIn(handle)
			away := unavailable(deploy(ctx, director.client()))
			Expect(away.Sent).To(BeTrue())
			Expect(away.Status).To(Equal(status))
			Expect(away.Error()).To(And(ContainSubstring("POST /deployments"), ContainSubstring(cause), Not(ContainSubstring("manifest"))))
			Expect(director.seen()).To(HaveLen(1))
		},
		Entry("cut", http.HandlerFunc(cut), 0, "EOF"),
		Entry("500", answering(500, `{"code":100,"description":"undefined method"}`), 500, "undefined method"),
		Entry("500 without a body", answering(500, ""), 500, "not an answer of a working Director"),
		Entry("502 of a gateway", answering(502, "<html>"), 502, "not an answer"),
		Entry("a login page", answering(200, "<html>"), 200, "not an answer"),
		Entry("a redirect to nowhere", redirecting(302, ""), 302, "leads to no task"),
		Entry("a redirect to something else", redirecting(302, "https://login.example.com/tasks"), 302, "leads to no task"),
		Entry("a redirect with a bad id", redirecting(303, "https://example.com/tasks/0"), 303, "leads to no task"),
		Entry("a redirect that is no URL", redirecting(303, "https://[/tasks/3"), 303, "can't be read"),
	)

	It("takes the task's id from a relative redirect too", func(ctx SpecContext) {
		director := newStandIn(redirecting(303, "/tasks/12"))
		Expect(director.client().Deploy(ctx, boshclient.Deploy{Manifest: "name: a"})).To(Equal(12))
	})

	DescribeTable("a read is tried again", func(ctx SpecContext, fault http.HandlerFunc) {
		director := newStandIn(inTurn(fault, fault, answering(200, taskDone)))
		Expect(readTask(ctx, director.client())).To(Succeed())
		Expect(director.seen()).To(HaveLen(3))
	},
		Entry("after a cut", http.HandlerFunc(cut)),
		Entry("after a 502", answering(502, "")),
		Entry("after a 503", answering(503, "")),
		Entry("after a 504", answering(504, "")),
		Entry("after an answer cut in its middle", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "{")
			cut(w, r)
		})),
	)

	It("gives up a read after three tries, with the last one's status", func(ctx SpecContext) {
		director := newStandIn(answering(503, ""))
		Expect(unavailable(readTask(ctx, director.client())).Status).To(Equal(503))
		Expect(director.seen()).To(HaveLen(3))
	})

	It("does not try a read again after the Director's own 500", func(ctx SpecContext) {
		director := newStandIn(answering(500, ""))
		Expect(unavailable(readTask(ctx, director.client())).Status).To(Equal(500))
		Expect(director.seen()).To(HaveLen(1))
	})

	It("does not take a page of some other server for an answer", func(ctx SpecContext) {
		director := newStandIn(answering(200, "<html>"))
		Expect(unavailable(readTask(ctx, director.client())).Error()).To(ContainSubstring("unreadable answer"))
	})

	It("knows that nothing was submitted when nobody listens", func(ctx SpecContext) {
		director := newStandIn(answering(200, ""))
		c := director.client()
		director.Close()
		err := deploy(ctx, c)
		Expect(unavailable(err).Sent).To(BeFalse())
		Expect(err).To(MatchError(ContainSubstring("connection refused")))
	})

	It("submits again when the connection could not be made", func(ctx SpecContext) {
		director := newStandIn(redirecting(302, "/tasks/5"), droppingFirst(2))
		Expect(director.client().Deploy(ctx, boshclient.Deploy{Manifest: "name: a"})).To(Equal(5))
		Expect(director.asked()).To(Equal([]string{"POST /deployments"}))
	})

	It("ends with the ctx's deadline", func(ctx SpecContext) {
		director := newStandIn(inTurn(answering(200, taskDone), hang))
		c := director.client()
		Expect(readTask(ctx, c)).To(Succeed())
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		err := readTask(short, c)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(unavailable(err).Sent).To(BeTrue())
		Expect(director.seen()).To(HaveLen(2))
	})

	It("ends with the client's own time limit", func(ctx SpecContext) {
		director := newStandIn(hang)
		Expect(deploy(ctx, director.client(timeout(50*time.Millisecond)))).To(MatchError(context.DeadlineExceeded))
	})

	It("ends when the caller cancels", func(ctx SpecContext) {
		director := newStandIn(hang)
		cancellable, cancel := context.WithCancel(ctx)
		go func() {
			defer GinkgoRecover()
			Eventually(director.seen).WithPolling(5 * time.Millisecond).Should(HaveLen(1))
			cancel()
		}()
		err := readTask(cancellable, director.client())
		Expect(err).To(MatchError(context.Canceled))
		Expect(unavailable(err).Sent).To(BeTrue())
	})
})

var _ = Describe("The Director's last answer", func() {
	It("is remembered, refusals included, gateway errors not", func(ctx SpecContext) {
		director := newStandIn(inTurn(answering(502, ""), load("029").play))
		c := director.client()
		Expect(c.LastAnswer()).To(BeZero())
		Expect(deploy(ctx, c)).NotTo(Succeed())
		Expect(c.LastAnswer()).To(BeZero())
		before := time.Now()
		Expect(readTask(ctx, c)).To(MatchError(boshclient.ErrNotFound))
		Expect(c.LastAnswer()).To(BeTemporally("~", before, 5*time.Second))
	})
})

// droppingFirst closes the first n connections before the TLS handshake.
func droppingFirst(n int) func(*httptest.Server) { return dropping(0, n) }

// dropping lets some connections through, then closes n before the TLS handshake, then lets all through.
func dropping(after, n int) func(*httptest.Server) {
	return func(server *httptest.Server) {
		server.Listener = &dropper{Listener: server.Listener, after: after, n: n}
	}
}

type dropper struct {
	net.Listener
	after, n, accepted int // Accept is called by one goroutine
}

func (d *dropper) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.accepted++
		if d.accepted <= d.after || d.accepted > d.after+d.n {
			return conn, nil
		}
		_ = conn.Close()
	}
}
