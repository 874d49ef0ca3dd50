package osbcheck_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/osbcheck"
)

// broken is a broker that knows its catalog, and says yes to everything else.
type broken struct {
	mu      sync.Mutex
	methods map[string]int
	answer  func(w http.ResponseWriter, r *http.Request)
}

func (b *broken) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.methods[r.Method]++
	b.mu.Unlock()
	if r.URL.Path == "/v2/catalog" {
		_, _ = io.WriteString(w, `{"services":[{"id":"s","name":"n","description":"d","bindable":true,"plans":[{"id":"p","name":"n","description":"d"}]}]}`)
		return
	}
	b.answer(w, r)
}

func (b *broken) run(t *testing.T, ctx context.Context, change func(*osbcheck.Options)) (osbcheck.Report, map[string]osbcheck.Result, error) {
	b.methods = map[string]int{}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	options := osbcheck.Options{URL: server.URL, Username: "u", Password: "p", RequestTimeout: 5 * time.Second, OperationTimeout: 200 * time.Millisecond, PollInterval: 5 * time.Millisecond}
	change(&options)
	report, err := osbcheck.Run(ctx, options)
	results := map[string]osbcheck.Result{}
	for _, r := range report.Results {
		results[r.Row] = r
	}
	return report, results, err
}

func yes(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"credentials":{"password":"hush"}}`)
}

func neverDone(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.WriteHeader(http.StatusAccepted)
	}
	_, _ = io.WriteString(w, `{"state":"in progress"}`)
}

func TestABrokerThatSaysYesToEverythingFails(t *testing.T) {
	g := NewWithT(t)
	report, results, err := (&broken{answer: yes}).run(t, t.Context(), func(o *osbcheck.Options) { o.Provision = true })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.OK()).To(BeFalse())
	for _, row := range []string{"A1", "A2", "A3", "A10", "A15", "A16", "B24", "C1", "C4", "C12", "C13", "D2", "E2", "F2", "G1", "G2", "H2", "H7", "J4"} {
		g.Expect(results[row].Outcome).To(Equal(osbcheck.Failed), row)
		g.Expect(results[row].Why).NotTo(BeEmpty())
	}
	for _, r := range report.Results {
		if r.Exchange != nil {
			g.Expect(r.Exchange.Body).NotTo(ContainSubstring("hush"), r.Row)
		}
	}
}

func TestABrokerThatIsBrokenFailsAndIsNotWaitedForForEver(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"never done":      neverDone,
		"always an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"cuts the line":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			report, results, err := (&broken{answer: answer}).run(t, t.Context(), func(o *osbcheck.Options) { o.Provision = true })
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(report.OK()).To(BeFalse())
			g.Expect(results["G2"].Outcome).To(Equal(osbcheck.Failed))
			g.Expect(report.Left).NotTo(BeEmpty(), "of what may be there somebody has to know")
		})
	}
}

func TestAnInstanceThatIsNotMadeIsNoMereReasonToSkip(t *testing.T) {
	g := NewWithT(t)
	fails := func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusAccepted)
		}
		_, _ = io.WriteString(w, `{"state":"failed"}`)
	}
	report, results, err := (&broken{answer: fails}).run(t, t.Context(), func(o *osbcheck.Options) { o.Provision = true })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.Broken).To(ContainSubstring(`the operation ended as "failed"`))
	g.Expect(results["E3"].Outcome).To(Equal(osbcheck.Skipped))
	report.Results, report.Left = nil, nil
	g.Expect(report.OK()).To(BeFalse())
}

func TestNothingIsMadeWithoutPermission(t *testing.T) {
	g := NewWithT(t)
	b := &broken{answer: yes}
	_, results, err := b.run(t, t.Context(), func(*osbcheck.Options) {})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b.methods).NotTo(Or(HaveKey("PUT"), HaveKey("PATCH")))
	g.Expect(results["C1"].Outcome).To(Equal(osbcheck.Skipped))
	g.Expect(results["C1"].Why).To(ContainSubstring("not allowed"))
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	g := NewWithT(t)
	stop := make(chan struct{})
	var once sync.Once
	b := &broken{answer: func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			once.Do(func() { close(stop) })
		}
		yes(w, r)
	}}
	_, results, err := b.run(t, t.Context(), func(o *osbcheck.Options) { o.Provision, o.Stop = true, stop })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(results["L6"].Why).To(ContainSubstring("interrupted"))
	g.Expect(b.methods["DELETE"]).To(BeNumerically(">", 0), "and asks for the deletion of what may be there")
}

func TestARunThatIsLeftTellsWhatMayBeLeft(t *testing.T) {
	g := NewWithT(t)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	b := &broken{answer: func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			leave()
		}
		neverDone(w, r)
	}}
	report, results, err := b.run(t, ctx, func(o *osbcheck.Options) { o.Provision, o.OperationTimeout = true, time.Hour })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(results["L6"].Why).To(ContainSubstring("interrupted"))
	g.Expect(report.Left).To(HaveExactElements(MatchRegexp(`^service instance \S+: it may be there`)))
	g.Expect(report.OK()).To(BeFalse())
}

func TestOptionsThatCannotBeRight(t *testing.T) {
	for name, change := range map[string]func(*osbcheck.Options){
		"URL must be like":                func(o *osbcheck.Options) { o.URL = "nowhere" },
		"must not carry credentials":      func(o *osbcheck.Options) { o.URL = "http://u:hush@localhost" },
		"must be a JSON object":           func(o *osbcheck.Options) { o.BindParameters = []byte(`[]`) },
		"no service other":                func(o *osbcheck.Options) { o.ServiceID = "other" },
		"service n has no plan other":     func(o *osbcheck.Options) { o.PlanID = "other" },
		"service n has no other plan two": func(o *osbcheck.Options) { o.OtherPlanID = "two" },
	} {
		_, _, err := (&broken{answer: yes}).run(t, t.Context(), change)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
