package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

// How many requests are sent, and the seed that they are made from: the same seed makes the same requests.
const (
	fuzzRequests    = "ODB_FUZZ_REQUESTS"
	fuzzSeed        = "ODB_FUZZ_SEED"
	usualFuzzNumber = 2000
)

var _ = Describe("requests that nobody thought of", func() {
	It("get an answer that a platform understands, and change nothing when they are refused", func() {
		seed, number := fuzzNumbers()
		clock := devdirector.NewManualClock(time.Now())
		w := newWorld(tasksTake(time.Minute), setting{director: func(o *devdirector.Options) { o.Clock = clock }},
			with("  plan_updatable: true\n", "  plan_updatable: true\n  instances_retrievable: true\n  allow_context_updates: true\n  keep_bindings: memory\n"),
			with("  use_stdin: true\n", "  use_stdin: true\n  enable_plan_schemas: true\n  disable_bosh_events: true\n")) // events come after the answer
		f := &osbFuzz{
			world: w, client: &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
			grammar: &osbGrammar{Rand: rand.New(rand.NewPCG(seed, 0))}, statuses: map[int]int{},
		}
		DeferCleanup(f.client.CloseIdleConnections)
		for i := range number {
			if f.grammar.IntN(3) == 0 {
				clock.Advance(time.Duration(f.grammar.IntN(90)) * time.Second)
			}
			f.request(fmt.Sprintf("request %d of %s=%d", i, fuzzSeed, seed))
		}
		AddReportEntry(fmt.Sprintf("%d requests of seed %d, by status of the answer: %v", number, seed, f.statuses))
		Expect(f.statuses[http.StatusAccepted]+f.statuses[http.StatusCreated]).To(BeNumerically(">", number/50), "most of it was refused for one reason: %v", f.statuses)
		Expect(w.log.String()).NotTo(Or(ContainSubstring("odb.panic"), ContainSubstring(platformPassword)))

		clock.Advance(time.Hour)
		for _, id := range w.rememberedInstances() {
			w.endsDeleted(id, clock)
		}
		Expect(w.rememberedInstances()).To(BeEmpty())
	})
})

// fuzzNumbers are the seed and the number of requests: those asked for, or the suite's seed and the usual number.
func fuzzNumbers() (seed uint64, number int) {
	GinkgoHelper()
	seed, number = uint64(GinkgoRandomSeed()), usualFuzzNumber
	var err error
	if text := os.Getenv(fuzzSeed); text != "" {
		seed, err = strconv.ParseUint(text, 10, 64)
		Expect(err).NotTo(HaveOccurred(), fuzzSeed)
	}
	if text := os.Getenv(fuzzRequests); text != "" {
		number, err = strconv.Atoi(text)
		Expect(err).NotTo(HaveOccurred(), fuzzRequests)
	}
	return seed, number
}

// rememberedInstances are the ids of all that the broker knows.
func (w *world) rememberedInstances() (ids []string) {
	GinkgoHelper()
	var list []struct {
		ID string `json:"service_instance_id"`
	}
	Expect(json.Unmarshal([]byte(w.platform.do("GET", "/mgmt/service_instances", nil).text), &list)).To(Succeed())
	for _, instance := range list {
		ids = append(ids, instance.ID)
	}
	return ids
}

// endsDeleted deletes an instance, whatever became of it.
func (w *world) endsDeleted(id string, clock *devdirector.ManualClock) {
	GinkgoHelper()
	a := w.platform.deprovision(id)
	if a.status == http.StatusAccepted {
		Eventually(func() any { // one step after the other: the end of a creation, the deletion
			clock.Advance(time.Hour)
			return w.platform.lastOperation(id, a.operation()).body["state"]
		}).WithPolling(5 * time.Millisecond).Should(Equal("succeeded"))
		a = w.platform.deprovision(id)
	}
	Expect(a.status).To(Equal(http.StatusGone), a.text)
}

// osbFuzz sends requests and judges the answers.
type osbFuzz struct {
	*world
	client   *http.Client
	grammar  *osbGrammar
	statuses map[int]int
}

func (f *osbFuzz) request(name string) {
	GinkgoHelper()
	e := osbExchange{name: name, request: f.grammar.next(), identity: fmt.Sprintf("identity-%d", f.grammar.Uint64())}
	before, logged := f.changesSoFar(), f.log.size()
	f.send(&e)
	e.log = f.log.since(logged)
	f.statuses[e.status]++
	f.judge(e)
	if e.status >= http.StatusBadRequest {
		Expect(f.changesSoFar()).To(Equal(before.allowing(e.status, f.changesSoFar())), e.String)
	} else {
		Expect(f.adapter.Forget()).To(Succeed())
	}
	if operation := e.operation(); operation != "" {
		f.grammar.remember(operation)
	}
}

// osbExchange is a request, the answer, and what the broker logged meanwhile.
type osbExchange struct {
	name     string
	request  osbRequest
	identity string
	answer
	log string
}

func (e osbExchange) String() string {
	return fmt.Sprintf("%s, %s\n  answer %d %.2000s\n  log %.4000s", e.name, e.request, e.status, e.text, e.log)
}

func (f *osbFuzz) send(e *osbExchange) {
	GinkgoHelper()
	r := e.request
	target, err := url.Parse(f.platform.url)
	Expect(err).NotTo(HaveOccurred())
	target.Opaque, target.RawQuery = r.path, r.query // as they are
	if strings.HasPrefix(r.path, "//") {
		target.Opaque = "//" + target.Host + r.path
	}
	request := &http.Request{Method: r.method, URL: target, Host: target.Host, Header: http.Header{}}
	request.SetBasicAuth(platformUser, platformPassword)
	request.Header.Set("X-Broker-API-Request-Identity", e.identity)
	for header, value := range r.headers {
		request.Header.Set(header, value)
	}
	if r.body != "" {
		request.Body = io.NopCloser(strings.NewReader(r.body))
		if request.ContentLength = int64(len(r.body)); r.chunked {
			request.ContentLength = -1
		}
	}
	response, err := f.client.Do(request)
	Expect(err).NotTo(HaveOccurred(), e.String)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred(), e.String)
	e.answer = answer{status: response.StatusCode, header: response.Header, text: string(text)}
	_ = json.Unmarshal(text, &e.body)
}

var noTask = regexp.MustCompile(`the Director has no task of the operation|Task \d+ not found`)

// judge says what no answer may be, whatever was asked.
func (f *osbFuzz) judge(e osbExchange) {
	GinkgoHelper()
	Expect(e.header.Get("X-Broker-API-Request-Identity")).To(Equal(e.identity), e.String)
	Expect(e.status).To(Or(Equal(http.StatusNotModified), BeNumerically("<", 300), BeNumerically(">=", 400)), e.String)
	if e.request.method != http.MethodHead && e.status != http.StatusNotModified {
		Expect(e.body).NotTo(BeNil(), e.String)
		Expect(e.header.Get("Content-Type")).To(HavePrefix("application/json"), e.String)
	}
	// A task that there never was is like one that the Director has forgotten: nobody can tell them apart.
	if !noTask.MatchString(e.log) {
		Expect(e.status).To(BeNumerically("<", http.StatusInternalServerError), e.String)
	}
}

// changesMade are the requests to the Director and the runs of the adapter that change something.
type changesMade struct{ tasks, submitted, deleted, bindings int }

// allowing is what may have been done beside an answer: who finds out by a DELETE that there is nothing to delete has changed
// nothing, and what was left of it goes.
func (c changesMade) allowing(status int, now changesMade) changesMade {
	if status == http.StatusGone {
		c.deleted = now.deleted
	}
	return c
}

func (f *osbFuzz) changesSoFar() (made changesMade) {
	GinkgoHelper()
	stats := f.director.Stats()
	made.tasks = stats.TotalTasks
	for route, requests := range stats.Requests {
		method, path, _ := strings.Cut(route, " ")
		switch {
		case method == http.MethodDelete:
			made.deleted += requests
		case method != http.MethodGet && !strings.HasSuffix(path, "/diff"):
			made.submitted += requests
		}
	}
	for _, verb := range f.calls() {
		if strings.HasSuffix(verb, "-binding") {
			made.bindings++
		}
	}
	return made
}

// size and since are for the part of a log that is written from one moment to another.
func (b *logBuffer) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Len()
}

func (b *logBuffer) since(size int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text.Bytes()[size:])
}
