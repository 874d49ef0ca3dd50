package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

func TestNewRefusesWhatCanNotWork(t *testing.T) {
	valid := secrets.Options{URL: "https://credhub:8844", ClientID: "id", ClientSecret: "very-s3cret"}
	if _, err := secrets.New(valid); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*secrets.Options){
		"no URL":             func(o *secrets.Options) { o.URL = "" },
		"plain http":         func(o *secrets.Options) { o.URL = "http://credhub:8844" },
		"no host":            func(o *secrets.Options) { o.URL = "https://:8844" },
		"credentials in URL": func(o *secrets.Options) { o.URL = "https://user:very-s3cret@credhub:8844" },
		"unreadable URL":     func(o *secrets.Options) { o.URL = "https://very-s3cret:%zz" },
		"no client":          func(o *secrets.Options) { o.ClientID = "" },
		"no PEM":             func(o *secrets.Options) { o.CACerts = []string{"", "very-s3cret"} },
	} {
		options := valid
		change(&options)
		_, err := secrets.New(options)
		if err == nil || strings.Contains(err.Error(), "very-s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewRefusesALibraryThatPrintsSecrets(t *testing.T) {
	t.Setenv("CREDHUB_DEBUG", "true")
	if _, err := secrets.New(secrets.Options{URL: "https://credhub:8844", ClientID: "id"}); err == nil || !strings.Contains(err.Error(), "CREDHUB_DEBUG") {
		t.Error(err)
	}
}

var _ = Describe("trust", func() {
	DescribeTable("is given to exactly the given authorities", func(pick func(*credhubtest.CredHub) []string) {
		credhub := start(credhubtest.Options{})
		options := optionsFor(credhub)
		options.CACerts = pick(credhub)
		err := connect(options).Check(ctx)
		var away *secrets.Unavailable
		Expect(errors.As(err, &away)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring("certificate signed by unknown authority")))
	},
		Entry("none given: the system's", func(*credhubtest.CredHub) []string { return nil }),
		Entry("not the UAA's", func(c *credhubtest.CredHub) []string { return []string{c.CACert, " "} }),
		Entry("not CredHub's", func(c *credhubtest.CredHub) []string { return []string{c.UAACACert} }),
	)

	It("is checked before anything is asked", func() {
		_, client := startConnected()
		Expect(client.Check(ctx)).To(Succeed())
	})
})

var _ = Describe("tokens", func() {
	It("are got once, for any number of callers, and again once they have expired", func() {
		credhub, client := startConnected()
		credhub.Put("/a", "value", `"x"`)
		together := func() {
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					defer GinkgoRecover()
					Expect(client.Latest(ctx, "/a")).To(HaveField("Name", "/a"))
				})
			}
			all.Wait()
		}
		together()
		Expect(arrived(credhub)[:2]).To(Equal([]string{"GET /info", "POST /oauth/token"}))
		Expect(arrived(credhub)[2:]).To(And(HaveLen(20), HaveEach("GET /api/v1/data")))

		credhub.ExpireTokens()
		credhub.ForgetRequests()
		together()
		grants := 0
		for _, request := range arrived(credhub) {
			if request == "POST /oauth/token" {
				grants++
			}
		}
		Expect(grants).To(Equal(1))
		Expect(arrived(credhub)).NotTo(ContainElement("GET /info"))
	})

	It("are sent again with the whole request", func() {
		credhub, client := startConnected()
		Expect(client.Set(ctx, "/a", asJSON(`"one"`))).To(Succeed())
		credhub.ExpireTokens()
		Expect(client.Set(ctx, "/a", asJSON(`"two"`))).To(Succeed())
		_, value := credhub.Value("/a")
		Expect(value).To(Equal(`"two"`))
	})

	It("are not asked for again and again if CredHub refuses them all", func() {
		credhub, client := startConnected()
		credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: 401, Body: `{"error":"invalid_token","error_description":"no"}`})
		_, err := client.Latest(ctx, "/a")
		Expect(err).To(MatchError(secrets.ErrUnauthorized))
		Expect(arrived(credhub)).To(Equal([]string{"GET /info", "POST /oauth/token", "GET /api/v1/data", "POST /oauth/token", "GET /api/v1/data"}))
	})

	It("are refused to a client with a wrong secret, which no error repeats", func() {
		credhub := start(credhubtest.Options{})
		options := optionsFor(credhub)
		options.ClientSecret = "wr0ng"
		_, err := connect(options).Latest(ctx, "/a")
		Expect(err).To(MatchError(secrets.ErrUnauthorized))
		Expect(err.Error()).NotTo(ContainSubstring("wr0ng"))
		Expect(credhub.Requests()).To(HaveLen(2))
	})

	It("are looked for where CredHub says after the UAA was away", func() {
		credhub, client := startConnected()
		credhub.Put("/a", "value", `"x"`)
		credhub.Fail(credhubtest.Fault{Path: "/oauth/token", Status: 503, Times: 2})
		_, err := client.Latest(ctx, "/a")
		var away *secrets.Unavailable
		Expect(errors.As(err, &away)).To(BeTrue(), "%v", err)
		Expect(away.Status).To(Equal(503))
		Expect(client.Latest(ctx, "/a")).To(HaveField("Name", "/a"))
	})

	It("are never asked for at an address without TLS, nor sent after a redirect", func() {
		for _, address := range []string{"http://127.0.0.1:1", "", "https://", "%"} {
			_, err := connectedTo(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"auth-server":{"url":%q}}`, address)
			}).Latest(ctx, "/a")
			Expect(err).To(MatchError(ContainSubstring("no https URL of a UAA")))
		}
		asked := 0
		var self string
		client := connectedTo(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/info":
				self = "https://" + r.Host
				_, _ = fmt.Fprintf(w, `{"auth-server":{"url":%q}}`, self)
			case "/oauth/token":
				http.Redirect(w, r, self+"/elsewhere", http.StatusTemporaryRedirect)
			default:
				asked++
			}
		})
		_, err := client.Latest(ctx, "/a")
		Expect(err).To(MatchError(ContainSubstring("status 307")))
		Expect(asked).To(BeZero())
	})
})

// connectedTo is a client of a server that answers as it likes.
func connectedTo(handler http.HandlerFunc) *secrets.Client {
	server := httptest.NewTLSServer(handler)
	DeferCleanup(server.Close)
	return connect(secrets.Options{URL: server.URL, CACerts: []string{pemOf(server)}, ClientID: "odb", ClientSecret: clientSecret})
}

var _ = Describe("time", func() {
	It("is bounded by Options.Timeout, whoever hangs", func() {
		for _, path := range []string{"/info", "/oauth/token", "/version", "/api/v1/data"} {
			credhub := start(credhubtest.Options{})
			credhub.Fail(credhubtest.Fault{Path: path, Hang: true})
			options := optionsFor(credhub)
			options.Timeout = 300 * time.Millisecond
			err := connect(options).Set(ctx, "/a", asJSON(`"hidden-value"`))
			Expect(err).To(MatchError(context.DeadlineExceeded), path)
			Expect(err.Error()).NotTo(ContainSubstring("hidden-value"))
		}
	})

	It("ends with the caller's ctx, also for those who wait for another's token", func() {
		credhub, client := startConnected()
		credhub.Fail(credhubtest.Fault{Path: "/oauth/token", Hang: true})
		cancelled, cancel := context.WithCancel(ctx)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				defer GinkgoRecover()
				_, err := client.Latest(cancelled, "/a")
				Expect(err).To(MatchError(context.Canceled))
			})
		}
		Eventually(func() []string { return arrived(credhub) }).WithPolling(time.Millisecond).Should(ContainElement("POST /oauth/token"))
		cancel()
		all.Wait()
		By("another caller is not harmed by it")
		credhub.Heal()
		Expect(client.Check(ctx)).To(Succeed())
	})
})

var _ = Describe("failures", func() {
	It("of a moment are not noticed", func() {
		credhub, client := startConnected()
		for _, status := range []int{502, 503, 504} {
			credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: status, Body: "<html>", Times: 1})
			Expect(client.Set(ctx, "/a", asJSON(`"x"`))).To(Succeed())
		}
	})

	DescribeTable("are facts", func(status int, body string, check func(error)) {
		credhub, client := startConnected()
		credhub.Put("/a", "value", `"x"`)
		credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: status, Body: body})
		_, err := client.Latest(ctx, "/a")
		check(err)
		check(client.Set(ctx, "/a", asJSON(`"x"`)))
		check(client.Delete(ctx, "/a"))
		_, err = client.Below(ctx, "/a")
		check(err)
	},
		Entry("absent", 404, `{"error":"does not exist"}`, func(err error) {
			Expect(err).To(MatchError(secrets.ErrNotFound))
			Expect(err).To(MatchError(ContainSubstring("does not exist")))
		}),
		Entry("some other server's 404 is not absent", 404, `<html>hello</html>`, func(err error) {
			Expect(err).NotTo(MatchError(secrets.ErrNotFound))
			Expect(err).To(BeAssignableToTypeOf(&secrets.Rejected{}))
			Expect(err.Error()).NotTo(ContainSubstring("hello"))
		}),
		Entry("forbidden", 403, `{"error":"insufficient_scope","error_description":"no"}`, func(err error) {
			Expect(err).To(MatchError(secrets.ErrUnauthorized))
		}),
		Entry("refused", 422, `{"error":"bad"}`, func(err error) {
			Expect(err).To(HaveField("Description", "bad"))
			Expect(err).To(HaveField("Status", 422))
			Expect(err).NotTo(MatchError(secrets.ErrUnauthorized))
		}),
		Entry("broken", 500, `{"error":"An application error occurred."}`, unavailable(500)),
		Entry("broken without words", 500, `null`, unavailable(500)),
		Entry("too busy", 429, `{}`, unavailable(429)),
		Entry("led elsewhere", 302, ``, unavailable(302)),
	)

	It("of an answer that can't be read don't repeat it", func() {
		credhub, client := startConnected()
		for _, body := range []string{`{"data":[{"id":"1","value":"hidden`, `{"data":[]}`, `{"data":"hidden"}`, `hidden`, ``, `{"data":[{"id":"1"}]}`} {
			credhub.Heal()
			credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: 200, Body: body})
			_, err := client.Latest(ctx, "/a")
			unavailable(200)(err)
			Expect(err.Error()).NotTo(ContainSubstring("hidden"))
		}
	})

	It("with long words are cut short", func() {
		credhub, client := startConnected()
		credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: 400, Body: `{"error":"` + strings.Repeat("ü", 5000) + `"}`})
		_, err := client.Latest(ctx, "/a")
		Expect(err).To(HaveField("Description", strings.Repeat("ü", 1024)+"..."))
	})

	It("to keep an answer within bounds end the reading", func() {
		endless := make([]byte, 1<<20)
		_, err := connectedTo(func(w http.ResponseWriter, _ *http.Request) {
			for range 20 {
				_, _ = w.Write(endless)
			}
		}).Latest(ctx, "/a")
		Expect(err).To(MatchError(ContainSubstring("more than 16777216 bytes")))
	})

	It("of CredHub to keep a value to itself don't get through", func() {
		credhub, client := startConnected()
		for _, status := range []int{400, 500} {
			credhub.Heal()
			credhub.Fail(credhubtest.Fault{Path: "/api/v1/data", Status: status, Body: `{"error":"can't read 'hidden-1' and 9876543"}`})
			for _, value := range []string{`"hidden-1"`, `{"a":["hidden-1"]}`, `{"hidden-1":1}`, `[9876543]`} {
				err := client.Set(ctx, "/a", asJSON(value))
				Expect(err).To(MatchError(ContainSubstring("withheld")))
				Expect(fmt.Sprintf("%v %+v %#v", err, err, err)).NotTo(Or(ContainSubstring("hidden-1"), ContainSubstring("9876543")))
			}
			Expect(client.Set(ctx, "/a", asJSON(`{"a":1}`))).To(MatchError(ContainSubstring("can't read")))
		}
	})

	It("to reach anything are told with their cause", func() {
		credhub, client := startConnected()
		credhub.Close()
		unavailable(0)(client.Check(ctx))
	})
})

func unavailable(status int) func(error) {
	return func(err error) {
		var away *secrets.Unavailable
		ExpectWithOffset(1, errors.As(err, &away)).To(BeTrue(), "%v", err)
		ExpectWithOffset(1, away.Status).To(Equal(status))
		ExpectWithOffset(1, away.Op).NotTo(BeEmpty())
		ExpectWithOffset(1, away.Cause).To(HaveOccurred())
	}
}
