package cfclient_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient"
)

// recording is an exchange with a real Cloud Controller (API 3.130.0).
type recording struct {
	method, path, body string
	query              url.Values
	status             int
	header             http.Header
	answer             []byte
}

// load reads NUMBER-*.http of the recordings that the double is checked against.
func load(number string) recording {
	GinkgoHelper()
	files, err := filepath.Glob(filepath.Join("cftest", "testdata", "recorded", number+"-*.http"))
	Expect(err).NotTo(HaveOccurred())
	Expect(files).To(HaveLen(1), number)
	text, err := os.ReadFile(files[0])
	Expect(err).NotTo(HaveOccurred())
	_, text, _ = bytes.Cut(text, []byte("## request\n"))
	asked, answered, found := bytes.Cut(text, []byte("\n## response\n"))
	Expect(found).To(BeTrue(), files[0])
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(asked, '\n'))))
	Expect(err).NotTo(HaveOccurred(), files[0])
	body, err := io.ReadAll(request.Body)
	Expect(err).NotTo(HaveOccurred(), files[0])
	head, tail, _ := bytes.Cut(answered, []byte("\n\n"))
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(append(head, "\n\n"...))), &http.Request{Method: http.MethodHead})
	Expect(err).NotTo(HaveOccurred(), files[0])
	return recording{
		method: request.Method, path: request.URL.EscapedPath(), query: request.URL.Query(), body: string(body),
		status: response.StatusCode, header: response.Header, answer: tail,
	}
}

func (r recording) play(w http.ResponseWriter) {
	for _, name := range []string{"Content-Type", "Location"} {
		if value := r.header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.answer)
}

func (r recording) wire() string { return wire(r.method, r.path, r.query, r.body) }

// wire is what matters of a request, comparable. Pages are the client's own matter.
func wire(method, path string, query url.Values, body string) string {
	query.Del("page")
	query.Del("per_page")
	var parsed any
	if json.Unmarshal([]byte(body), &parsed) == nil {
		compact, _ := json.Marshal(parsed)
		body = string(compact)
	}
	return strings.Join([]string{method + " " + path, query.Encode(), body}, "\n")
}

// asked is a request that the stand-in got.
type asked struct {
	http.Request
	body string
}

func (a asked) wire() string { return wire(a.Method, a.URL.EscapedPath(), a.URL.Query(), a.body) }

// standIn plays a Cloud Controller and its UAA: tokens it grants by itself, the rest is scripted.
type standIn struct {
	*httptest.Server
	lifetime int // seconds, of tokens

	mu       sync.Mutex
	script   []http.HandlerFunc
	requests []asked // to the API
	grants   []asked // to the UAA
	revoked  bool    // the token granted last isn't accepted
}

func newStandIn(start func(http.Handler) *httptest.Server) *standIn {
	s := &standIn{lifetime: 600}
	s.Server = start(s)
	DeferCleanup(s.Close)
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a := asked{Request: *r, body: string(body)}
	switch r.URL.Path {
	case "/":
		_, _ = fmt.Fprintf(w, `{"links":{"cloud_controller_v3":{"href":"%s/v3","meta":{"version":"3.130.0"}},"uaa":{"href":"%s"}}}`, s.URL, s.URL)
	case "/oauth/token":
		s.grant(w, a)
	default:
		s.answer(w, a)
	}
}

func (s *standIn) grant(w http.ResponseWriter, a asked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants, s.revoked = append(s.grants, a), false
	_, _ = fmt.Fprintf(w, `{"access_token":"%s","token_type":"bearer","expires_in":%d}`, s.token(), s.lifetime)
}

// token is the one that was granted last.
func (s *standIn) token() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "secret-token-%d", len(s.grants)))
}

func (s *standIn) answer(w http.ResponseWriter, a asked) {
	s.mu.Lock()
	s.requests = append(s.requests, a)
	next := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "the script has ended", http.StatusTeapot) }
	if s.revoked || a.Header.Get("Authorization") != "Bearer "+s.token() {
		next = func(w http.ResponseWriter, _ *http.Request) { load("022").play(w) }
	} else if len(s.script) > 0 {
		next, s.script = s.script[0], s.script[1:]
	}
	s.mu.Unlock()
	next(w, &a.Request)
}

// playing adds recordings to the script.
func (s *standIn) playing(numbers ...string) {
	for _, number := range numbers {
		r := load(number)
		s.answering(func(w http.ResponseWriter, _ *http.Request) { r.play(w) })
	}
}

func (s *standIn) answering(handlers ...http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, handlers...)
}

// forget ends the script.
func (s *standIn) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = nil
}

func (s *standIn) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = true
}

// asked are the requests to the API so far, as far as they matter.
func (s *standIn) asked() (wires []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		wires = append(wires, r.wire())
	}
	return wires
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// withStatus puts a status before an answer.
func withStatus(code int, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		answer(w, r)
	}
}

func withStatusAfter(code int, seconds string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", seconds)
		withStatus(code, answer)(w, r)
	}
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// cut promises more than it sends.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"guid":`)
	panic(http.ErrAbortHandler)
}

// clientOf makes a client of the stand-in, in a hurry.
func clientOf(s *standIn, changes ...func(*cfclient.Options)) *cfclient.Client {
	GinkgoHelper()
	options := cfclient.Options{URL: s.URL, ClientID: "admin-client", ClientSecret: "s3cret"}
	for _, change := range changes {
		change(&options)
	}
	c, err := cfclient.New(options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	cfclient.Hurry(c)
	return c
}
