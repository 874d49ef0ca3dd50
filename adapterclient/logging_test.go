package adapterclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

type requestIDKey struct{}

// requestIDHandler is how a broker adds the ids of a request to each line.
type requestIDHandler struct{ slog.Handler }

func (h requestIDHandler) Handle(ctx context.Context, record slog.Record) error {
	record.AddAttrs(slog.Any("request_id", ctx.Value(requestIDKey{})))
	return h.Handler.Handle(ctx, record)
}

var _ = Describe("The log", func() {
	var (
		double *adaptertest.Double
		log    *bytes.Buffer
		logger *slog.Logger
		client *adapterclient.Client
	)

	BeforeEach(func() {
		double = newDouble()
		log = &bytes.Buffer{}
		logger = slog.New(requestIDHandler{slog.NewJSONHandler(log, nil)})
		client = newClient(adapterclient.Options{Path: double.Path, UseStdin: true, Logger: logger, OutputLimit: 200_000})
	})

	onlyLine := func() map[string]any {
		GinkgoHelper()
		var line map[string]any
		Expect(strings.Count(log.String(), "\n")).To(Equal(1), log.String())
		Expect(json.Unmarshal(log.Bytes(), &line)).To(Succeed())
		return line
	}

	It("has the adapter's stderr of a success, and never its stdout or input", func(ctx SpecContext) {
		steer(double, adapterclient.VerbCreateBinding, adaptertest.Steering{Stderr: "one\ntwo\n", Stdout: `{"credentials":{"password":"s3cret"}}`})
		_, err := client.CreateBinding(context.WithValue(ctx, requestIDKey{}, "r1"), adapterclient.BindingRequest{Manifest: "password: s3cret"})
		Expect(err).NotTo(HaveOccurred())
		Expect(onlyLine()).To(And(
			HaveKeyWithValue("level", "INFO"), HaveKeyWithValue("verb", "create-binding"), HaveKeyWithValue("stderr", "one\ntwo"),
			HaveKeyWithValue("exit_code", 0.0), HaveKeyWithValue("request_id", "r1"), HaveKeyWithValue("ms", BeNumerically(">", 0)),
		))
		Expect(log.String()).NotTo(ContainSubstring("s3cret"))
	})

	It("calls it no failure that a subcommand isn't there", func(ctx SpecContext) {
		steer(double, adapterclient.VerbDashboardURL, adaptertest.Steering{ExitCode: 10, Stderr: "no dashboard"})
		_, err := client.DashboardURL(ctx, adapterclient.DashboardURL{})
		Expect(err).To(MatchError(adapterclient.ErrNotImplemented))
		Expect(onlyLine()).To(And(
			HaveKeyWithValue("level", "INFO"), HaveKeyWithValue("msg", "adapter.ran"), HaveKeyWithValue("exit_code", 10.0), HaveKeyWithValue("stderr", "no dashboard"), Not(HaveKey("error")),
		))
	})

	It("has both of a failure, as stdout is then a text for people", func(ctx SpecContext) {
		steer(double, adapterclient.VerbCreateBinding, adaptertest.Steering{Stderr: "details", Stdout: "for the user", ExitCode: 3})
		_, err := client.CreateBinding(ctx, adapterclient.BindingRequest{})
		Expect(err).To(HaveOccurred())
		Expect(onlyLine()).To(And(
			HaveKeyWithValue("level", "ERROR"), HaveKeyWithValue("exit_code", 3.0), HaveKeyWithValue("stderr", "details"), HaveKeyWithValue("stdout", "for the user"),
		))
	})

	It("has no stdout of a run that was cut short, which may hold half of the credentials", func(ctx SpecContext) {
		steer(double, adapterclient.VerbCreateBinding, adaptertest.Steering{Stdout: `{"credentials":{"password":"s3cret"`, LeaveChild: forever, Signal: 9})
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true, Logger: logger, KillAfter: 50 * time.Millisecond})
		_, err := client.CreateBinding(ctx, adapterclient.BindingRequest{})
		Expect(err).To(HaveOccurred())
		Expect(onlyLine()).To(And(HaveKeyWithValue("level", "ERROR"), HaveKeyWithValue("exit_code", -1.0), HaveKeyWithValue("left_processes", true)))
		Expect(log.String()).NotTo(ContainSubstring("s3cret"))
	})

	It("has the end of a long stderr", func(ctx SpecContext) {
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{FloodStderr: 1 << 20, Stderr: "the reason"})
		Expect(client.DeleteBinding(ctx, adapterclient.BindingRequest{})).To(Succeed())
		stderr := onlyLine()["stderr"].(string)
		Expect(len(stderr)).To(BeNumerically("<", 66_000))
		Expect(stderr).To(And(HavePrefix("["), ContainSubstring("bytes left out]"), HaveSuffix("the reason")))
	})

	It("never quotes output that is unusable", func(ctx SpecContext) {
		steer(double, adapterclient.VerbCreateBinding, adaptertest.Steering{Stdout: "s3cret"})
		_, err := client.CreateBinding(ctx, adapterclient.BindingRequest{})
		Expect(err).To(MatchError(adapterclient.ErrOutput))
		Expect(log.String()).NotTo(ContainSubstring("s3cret"))
	})

	It("says that the adapter couldn't be started", func(ctx SpecContext) {
		gone := newClient(adapterclient.Options{Path: filepath.Join(GinkgoT().TempDir(), "gone"), UseStdin: true, Logger: logger})
		Expect(gone.DeleteBinding(ctx, adapterclient.BindingRequest{})).NotTo(Succeed())
		Expect(onlyLine()).To(And(HaveKeyWithValue("level", "ERROR"), HaveKeyWithValue("error", ContainSubstring("no such file"))))
	})
})
