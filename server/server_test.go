package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/logs"
	"github.com/on-demand-broker/odb/server"
	"github.com/on-demand-broker/odb/tracecontext"
)

// brokerDouble serves the catalog as a test says; no other verb is reached.
type brokerDouble struct {
	domain.ServiceBroker
	server.Reading
	server.Rotating
	server.Management
	server.CleanUp
	services func(context.Context) ([]domain.Service, error)
	ready    bool
}

func (d brokerDouble) Services(ctx context.Context) ([]domain.Service, error) { return d.services(ctx) }
func (d brokerDouble) Readiness(context.Context) broker.Readiness {
	return broker.Readiness{Ready: d.ready}
}
func (d brokerDouble) IsRotatable(string) bool { return false }
func (d brokerDouble) Run()                    {}
func (d brokerDouble) Stop()                   {}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// start serves the double until the test ends.
func start(t *testing.T, double brokerDouble, change func(*server.Options)) (url string, log *safeBuffer) {
	t.Helper()
	log = &safeBuffer{}
	options := server.Options{Address: "127.0.0.1:0", Credentials: []server.Credential{{Key: "broker.username", Username: "u", Password: "p"}}, ShutdownTimeout: 5 * time.Second, Logger: logs.New(log, "odb", slog.LevelInfo), Broker: double}
	if change != nil {
		change(&options)
	}
	return serve(t, options).URL(), log
}

// serve runs a server until the test ends.
func serve(t *testing.T, options server.Options) *server.Server {
	t.Helper()
	s, err := server.New(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func failing(err error) brokerDouble {
	return brokerDouble{services: func(context.Context) ([]domain.Service, error) { return nil, err }}
}

func catalog(t *testing.T, url string, headers map[string]string) (*http.Response, string) {
	t.Helper()
	request, _ := http.NewRequest(http.MethodGet, url+"/v2/catalog", nil)
	request.SetBasicAuth("u", "p")
	request.Header.Set("X-Broker-API-Version", "2.17")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestPanicIsAPlain500AndALineInTheLog(t *testing.T) {
	g := NewWithT(t)
	url, log := start(t, brokerDouble{services: func(context.Context) ([]domain.Service, error) { panic("the inside") }}, nil)
	response, body := catalog(t, url, nil)
	g.Expect(response.StatusCode).To(Equal(500))
	g.Expect(body).To(And(ContainSubstring("broker-request-id"), Not(ContainSubstring("the inside")), Not(ContainSubstring("goroutine"))))
	g.Expect(log.String()).To(And(ContainSubstring("the inside"), ContainSubstring("server_test.go"), ContainSubstring(`"status":500`)))
}

func TestUnknownErrorIsNotShown(t *testing.T) {
	g := NewWithT(t)
	url, log := start(t, failing(errors.New("password hunter2 refused")), nil)
	response, body := catalog(t, url, nil)
	g.Expect(response.StatusCode).To(Equal(500))
	g.Expect(body).NotTo(ContainSubstring("hunter2"))
	g.Expect(log.String()).To(ContainSubstring("catalog.failed"))
}

func TestEveryKindOfErrorHasAStatus(t *testing.T) {
	for kind, want := range map[broker.Kind]struct {
		status int
		key    string
	}{
		broker.Internal: {500, ""}, broker.BadRequest: {400, ""}, broker.NotFound: {404, ""}, broker.Gone: {410, ""}, broker.AlreadyExists: {409, ""},
		broker.AsyncRequired: {422, "AsyncRequired"}, broker.Concurrency: {422, "ConcurrencyError"}, broker.MaintenanceInfoConflict: {422, "MaintenanceInfoConflict"},
		broker.RequiresApp: {422, "RequiresApp"}, broker.PlanChangeNotSupported: {422, "PlanChangeNotSupported"}, broker.Refused: {422, ""},
		broker.NotImplemented: {404, ""}, broker.Unavailable: {503, ""},
	} {
		g := NewWithT(t)
		url, _ := start(t, failing(&broker.Error{Kind: kind, Message: "the user's words", Cause: errors.New("the cause")}), nil)
		response, body := catalog(t, url, nil)
		g.Expect(response.StatusCode).To(Equal(want.status))
		var said struct{ Error, Description string }
		g.Expect(json.Unmarshal([]byte(body), &said)).To(Succeed())
		g.Expect(said.Error).To(Equal(want.key))
		if kind == broker.Gone {
			g.Expect(body).To(MatchJSON(`{}`))
		} else {
			g.Expect(said.Description).To(Equal("the user's words"))
		}
	}
}

func TestOperationalErrorsAreShownIfTheOperatorWants(t *testing.T) {
	g := NewWithT(t)
	url, _ := start(t, failing(&broker.Error{Kind: broker.Internal, Message: "the user's words", Cause: errors.New("the cause")}), func(o *server.Options) { o.ExposeOperationalErrors = true })
	_, body := catalog(t, url, nil)
	g.Expect(body).To(ContainSubstring("the user's words - error-message: the cause"))
}

func TestWhoAsksIsInTheLogAndInTheAnswer(t *testing.T) {
	g := NewWithT(t)
	var request broker.Request
	var asked tracecontext.Trace
	url, log := start(t, brokerDouble{services: func(ctx context.Context) ([]domain.Service, error) {
		request, asked = broker.RequestFrom(ctx), tracecontext.From(ctx)
		return []domain.Service{}, nil
	}}, nil)
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	response, _ := catalog(t, url, map[string]string{
		"X-Broker-API-Request-Identity":     "asked-1",
		"X-Broker-API-Originating-Identity": "cloudfoundry " + base64.StdEncoding.EncodeToString([]byte(`{"user_id":"jane","groups":["hush"]}`)),
		"Traceparent":                       trace,
	})
	g.Expect(response.Header.Get("X-Broker-API-Request-Identity")).To(Equal("asked-1"))
	g.Expect(asked.Parent()).To(Equal(trace))
	g.Eventually(log.String).Should(And(ContainSubstring(`"request_identity":"asked-1"`), ContainSubstring(`"user_id":"jane"`), ContainSubstring(`"trace_id":"0af7651916cd43dd8448eb211c80319c"`), ContainSubstring(request.ID)))

	_, _ = catalog(t, url, map[string]string{"X-Broker-API-Originating-Identity": "rubbish", "Traceparent": "rubbish"})
	g.Expect(asked.ID()).To(Equal(strings.ReplaceAll(request.ID, "-", "")), "a new trace is known by the request's id")
	g.Eventually(log.String).Should(ContainSubstring(`"originating_identity":"undecodable: it is not a platform and a value`))
	g.Expect(log.String()).NotTo(ContainSubstring("hush"))
}

func TestOriginatingIdentities(t *testing.T) {
	encoded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for header, want := range map[string]broker.Originator{
		"cloudfoundry " + encoded(`{"user_id":"jane"}`):      {Platform: "cloudfoundry", Value: []byte(`{"user_id":"jane"}`)},
		" kubernetes   " + encoded(`{"username":"j"}`) + " ": {Platform: "kubernetes", Value: []byte(`{"username":"j"}`)},
		"cloudfoundry":                      {},
		encoded(`{}`):                       {},
		"cloudfoundry %%%":                  {},
		"cloudfoundry " + encoded(`{`):      {},
		"cloudfoundry " + encoded(`null`):   {},
		"cloudfoundry " + encoded(`"jane"`): {},
	} {
		g := NewWithT(t)
		request := make(chan broker.Request, 1)
		url, _ := start(t, brokerDouble{services: func(ctx context.Context) ([]domain.Service, error) {
			request <- broker.RequestFrom(ctx)
			return []domain.Service{}, nil
		}}, nil)
		response, _ := catalog(t, url, map[string]string{"X-Broker-API-Originating-Identity": header})
		g.Expect(response.StatusCode).To(Equal(http.StatusOK), header)
		g.Expect((<-request).Originator).To(Equal(want), header)
	}
}

func TestCatalogIsSentOnceToWhoKeepsIt(t *testing.T) {
	g := NewWithT(t)
	services := []domain.Service{{ID: "one"}}
	url, _ := start(t, brokerDouble{services: func(context.Context) ([]domain.Service, error) { return services, nil }}, nil)
	first, body := catalog(t, url, nil)
	g.Expect(body).To(ContainSubstring(`"id":"one"`))
	tag := first.Header.Get("ETag")
	g.Expect(tag).To(MatchRegexp(`^".+"$`))
	for _, said := range []string{tag, "W/" + tag, `"another", ` + tag} {
		again, body := catalog(t, url, map[string]string{"If-None-Match": said, "X-Broker-API-Request-Identity": "asked-2"})
		g.Expect(again.StatusCode).To(Equal(http.StatusNotModified))
		g.Expect(body).To(BeEmpty())
		g.Expect(again.Header.Get("X-Broker-API-Request-Identity")).To(Equal("asked-2"))
	}
	services = []domain.Service{{ID: "two"}}
	changed, body := catalog(t, url, map[string]string{"If-None-Match": tag})
	g.Expect(changed.StatusCode).To(Equal(http.StatusOK))
	g.Expect(body).To(ContainSubstring(`"id":"two"`))
	g.Expect(changed.Header.Get("ETag")).NotTo(Equal(tag))
}

func TestReadyzFollowsTheBroker(t *testing.T) {
	for ready, status := range map[bool]int{true: 200, false: 503} {
		url, _ := start(t, brokerDouble{ready: ready}, nil)
		response, err := http.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		NewWithT(t).Expect(response.StatusCode).To(Equal(status))
	}
}

func TestHeadersAreBounded(t *testing.T) {
	g := NewWithT(t)
	url, _ := start(t, brokerDouble{}, nil)
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	g.Expect(err).NotTo(HaveOccurred())
	defer connection.Close()
	_, err = connection.Write([]byte("GET /healthz HTTP/1.1\r\nX-Long: " + strings.Repeat("x", 1<<20)))
	g.Expect(err).NotTo(HaveOccurred())
	_ = connection.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer, _ := io.ReadAll(connection)
	g.Expect(string(answer)).To(ContainSubstring("431"))
}

func TestTLS(t *testing.T) {
	g := NewWithT(t)
	cert, key, pool := certificate(t)
	url, _ := start(t, brokerDouble{ready: true}, func(o *server.Options) { o.CertFile, o.KeyFile = cert, key })
	g.Expect(url).To(HavePrefix("https://"))
	get := func(version uint16) error {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: version}}}
		response, err := client.Get(url + "/healthz")
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	g.Expect(get(tls.VersionTLS13)).To(Succeed())
	g.Expect(get(tls.VersionTLS12)).To(Succeed())
	g.Expect(get(tls.VersionTLS11)).NotTo(Succeed())

	_, err := server.New(server.Options{Address: "127.0.0.1:0", CertFile: cert, KeyFile: cert, Logger: slog.New(slog.DiscardHandler)})
	g.Expect(err).To(MatchError(ContainSubstring("broker.tls")))
}

// certificate writes a self-signed one for 127.0.0.1, with an ECDSA key.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := errors.Join(os.WriteFile(certFile, certPEM, 0o600), os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600)); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, pool
}

func TestAddressThatIsTakenIsToldByName(t *testing.T) {
	g := NewWithT(t)
	url, _ := start(t, brokerDouble{}, nil)
	s, err := server.New(server.Options{Address: strings.TrimPrefix(url, "http://"), Logger: slog.New(slog.DiscardHandler)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Listen()).To(MatchError(ContainSubstring("broker.port")))
}

// bodyOf is what an answer says, or why there is none.
func bodyOf(response *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
