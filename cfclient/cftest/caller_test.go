package cftest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

func start(o cftest.Options) *cftest.CloudController {
	cc, err := cftest.Start(o)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cc.Close)
	return cc
}

// trusting is an HTTP client that trusts the Cloud Controller.
func trusting(cc *cftest.CloudController) *http.Client {
	transport := &http.Transport{}
	if cc.CACert() != "" {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(cc.CACert()))
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

type answer struct {
	status int
	header http.Header
	body   string
}

type jobAnswer struct {
	State    string
	Errors   []struct{ Title, Detail string }
	Warnings []struct{ Detail string }
	Links    map[string]struct{ Href string }
}

// caller sends requests with the token of an admin, or of somebody else.
type caller struct {
	cc    *cftest.CloudController
	http  *http.Client
	token string
}

func newCaller(cc *cftest.CloudController) *caller {
	c := &caller{cc: cc, http: trusting(cc)}
	c.token = c.grant(url.Values{"grant_type": {"client_credentials"}}, cftest.AdminClient, cftest.AdminClientSecret).AccessToken
	return c
}

type granted struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string
}

// grant asks the UAA for a token.
func (c *caller) grant(form url.Values, id, secret string) granted {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.cc.UAAURL()+"/oauth/token", strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := c.http.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	var found granted
	Expect(json.NewDecoder(response.Body).Decode(&found)).To(Succeed())
	return found
}

// try sends a request that may not be answered.
func (c *caller) try(ctx context.Context, method, path, body string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.cc.URL()+path, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	if c.token != "" {
		request.Header.Set("Authorization", "bearer "+c.token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

func (c *caller) send(method, path, body string) answer {
	GinkgoHelper()
	got, err := c.try(context.Background(), method, path, body)
	Expect(err).NotTo(HaveOccurred())
	return got
}

func (c *caller) get(path string, into any) {
	GinkgoHelper()
	got := c.send(http.MethodGet, path, "")
	Expect(got.status).To(Equal(http.StatusOK), got.body)
	Expect(json.Unmarshal([]byte(got.body), into)).To(Succeed())
}

// job is the job that an answer tells of, as it stands.
func (c *caller) job(accepted answer) jobAnswer {
	GinkgoHelper()
	Expect(accepted.status).To(Equal(http.StatusAccepted), accepted.body)
	var found jobAnswer
	c.get(strings.TrimPrefix(accepted.header.Get("Location"), c.cc.URL()), &found)
	return found
}

// await waits until the job that an answer tells of has ended.
func (c *caller) await(accepted answer) jobAnswer {
	GinkgoHelper()
	var found jobAnswer
	Eventually(func() string {
		found = c.job(accepted)
		return found.State
	}).WithTimeout(5 * time.Second).WithPolling(2 * time.Millisecond).Should(Or(Equal("COMPLETE"), Equal("FAILED")))
	return found
}

// listed are the GUIDs of all pages of a list.
func (c *caller) listed(first string) map[string]bool {
	GinkgoHelper()
	seen := map[string]bool{}
	for next := first; next != ""; {
		var page struct {
			Pagination struct{ Next *struct{ Href string } }
			Resources  []struct{ GUID string }
		}
		c.get(next, &page)
		for _, one := range page.Resources {
			seen[one.GUID] = true
		}
		next = ""
		if page.Pagination.Next != nil {
			next = strings.TrimPrefix(page.Pagination.Next.Href, c.cc.URL())
		}
	}
	return seen
}
