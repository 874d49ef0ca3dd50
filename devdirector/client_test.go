package devdirector_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

// start starts a Director that ends with the spec.
func start(o devdirector.Options) *devdirector.Director {
	GinkgoHelper()
	d, err := devdirector.Start(o)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(d.Close)
	return d
}

// caller is a client of one Director that knows no more than the wire.
type caller struct {
	http *http.Client
	url  string
	auth func(*http.Request)
}

func asUser(name, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, password) }
}

func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "bearer "+token) }
}

func callerOf(d *devdirector.Director) *caller {
	GinkgoHelper()
	transport := &http.Transport{}
	if d.CACert() != "" {
		pool := x509.NewCertPool()
		Expect(pool.AppendCertsFromPEM([]byte(d.CACert()))).To(BeTrue())
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	DeferCleanup(transport.CloseIdleConnections)
	return &caller{
		http: &http.Client{
			Transport:     transport,
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		url:  d.URL(),
		auth: asUser("admin", "admin"),
	}
}

func (c *caller) as(auth func(*http.Request)) *caller {
	other := *c
	other.auth = auth
	return &other
}

type answer struct {
	status int
	header http.Header
	body   string
}

// try sends a request; headers come in pairs.
func (c *caller) try(method, path, body string, headers ...string) (answer, error) {
	request, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if c.auth != nil {
		c.auth(request)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

func (c *caller) send(method, path, body string, headers ...string) answer {
	GinkgoHelper()
	a, err := c.try(method, path, body, headers...)
	Expect(err).NotTo(HaveOccurred())
	return a
}

func (c *caller) get(path string) answer {
	GinkgoHelper()
	return c.send(http.MethodGet, path, "")
}

func (c *caller) getJSON(path string, into any) {
	GinkgoHelper()
	a := c.get(path)
	Expect(a.status).To(Equal(http.StatusOK), a.body)
	Expect(json.Unmarshal([]byte(a.body), into)).To(Succeed())
}

// task is the id in the Location of an answer.
func (a answer) task() int {
	GinkgoHelper()
	Expect(a.status).To(Or(Equal(http.StatusSeeOther), Equal(http.StatusFound)), a.body)
	_, id, found := strings.Cut(a.header.Get("Location"), "/tasks/")
	Expect(found).To(BeTrue(), a.header.Get("Location"))
	number, err := strconv.Atoi(id)
	Expect(err).NotTo(HaveOccurred())
	return number
}

func (c *caller) deploy(manifest string, headers ...string) int {
	GinkgoHelper()
	return c.send(http.MethodPost, "/deployments", manifest, append(headers, "Content-Type", "text/yaml")...).task()
}

func (c *caller) runErrand(deployment, errand string) int {
	GinkgoHelper()
	return c.send(http.MethodPost, "/deployments/"+deployment+"/errands/"+errand+"/runs", "{}", "Content-Type", "application/json").task()
}

type taskState struct {
	ID        int     `json:"id"`
	State     string  `json:"state"`
	Result    *string `json:"result"`
	Timestamp *int64  `json:"timestamp"`
	StartedAt *int64  `json:"started_at"`
	User      string  `json:"user"`
}

func (c *caller) task(id int) taskState {
	GinkgoHelper()
	var t taskState
	c.getJSON(fmt.Sprintf("/tasks/%d", id), &t)
	return t
}

func (c *caller) events(id int) string {
	GinkgoHelper()
	return c.get(fmt.Sprintf("/tasks/%d/output?type=event", id)).body
}

// manifestOf is a manifest with one group of so many instances.
func manifestOf(name string, instances int) string {
	return fmt.Sprintf(`name: %s
releases: [{name: redis, version: "1"}]
stemcells: [{alias: default, os: ubuntu-jammy, version: "1.2"}]
update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000-60000, update_watch_time: 1000-60000}
instance_groups:
- name: redis
  azs: [z1, z2]
  instances: %d
  vm_type: small
  persistent_disk_type: "10GB"
  stemcell: default
  networks: [{name: default}]
  jobs:
  - name: redis
    release: redis
    provides: {redis: {as: redis, shared: true}}
    properties: {password: ((password))}
  - {name: smoke, release: redis}
variables:
- {name: password, type: password}
`, name, instances)
}

var began = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
