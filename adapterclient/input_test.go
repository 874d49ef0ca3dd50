package adapterclient_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/tracecontext"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("What the adapter receives", func() {
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	traced := func(ctx context.Context, state string) context.Context {
		trace, ok := tracecontext.Read(http.Header{"Traceparent": {traceparent}, "Tracestate": {state}})
		Expect(ok).To(BeTrue())
		return tracecontext.With(ctx, trace)
	}

	It("gets nothing but the verb as argument, and one JSON line on stdin", func(ctx SpecContext) {
		double := newDouble()
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true})
		_, err := client.DashboardURL(ctx, adapterclient.DashboardURL{InstanceID: "one", Manifest: "name: <&>\n"})
		Expect(err).NotTo(HaveOccurred())
		call := onlyCall(double)
		Expect(call.Verb).To(Equal("dashboard-url"))
		Expect(call.Args).To(BeEmpty())
		Expect(call.Stdin).To(HaveSuffix("}\n"))
		Expect(strings.Count(call.Stdin, "\n")).To(Equal(1))
		Expect(call.Stdin).To(ContainSubstring(`"dashboard_url":{"instance_id":"one",`))
		Expect(call.Stdin).To(ContainSubstring(`"manifest":"name: \u003c\u0026\u003e\n"`))
	})

	It("gets everything as arguments, and an empty stdin, in the old protocol", func(ctx SpecContext) {
		double := newDouble()
		client := newClient(adapterclient.Options{Path: double.Path})
		Expect(client.DeleteBinding(ctx, adapterclient.BindingRequest{BindingID: "b1", Manifest: "name: service-instance_one\n"})).To(Succeed())
		call := onlyCall(double)
		Expect(call.Verb).To(Equal("delete-binding"))
		Expect(call.Args).To(Equal([]string{"b1", "{}", "name: service-instance_one\n", "{}"}))
		Expect(call.Stdin).To(BeEmpty())
	})

	It("runs in a process group of its own, in the temporary folder, with the broker's environment", func(ctx SpecContext) {
		double := newDouble()
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true})
		_, err := client.GeneratePlanSchemas(traced(ctx, "rojo=1"), adapterclient.Plan{})
		Expect(err).NotTo(HaveOccurred())
		call := onlyCall(double)
		Expect(call.PGID).To(Equal(call.PID))
		Expect(call.Dir).To(Equal(os.TempDir()))
		Expect(call.Env).To(ContainElements("PATH="+os.Getenv("PATH"), "PWD="+os.TempDir(), "TRACEPARENT="+traceparent, "TRACESTATE=rojo=1"))
	})

	It("has no TRACEPARENT if there is none to hand down", func(ctx SpecContext) {
		double := newDouble()
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true, Env: []string{"TRACEPARENT=stale", "TRACESTATE=stale"}})
		Expect(client.DeleteBinding(ctx, adapterclient.BindingRequest{})).To(Succeed())
		Expect(onlyCall(double).Env).To(BeEmpty())
	})

	It("has the environment that it was given, and no other", func(ctx SpecContext) {
		double := newDouble()
		client := newClient(adapterclient.Options{Path: double.Path, UseStdin: true, Env: []string{"LANG=C", "TRACEPARENT=stale", "TRACESTATE=stale"}})
		Expect(client.DeleteBinding(traced(ctx, ""), adapterclient.BindingRequest{})).To(Succeed())
		Expect(onlyCall(double).Env).To(ConsistOf("LANG=C", "TRACEPARENT="+traceparent))
	})

	It("is found by a path relative to where the broker was started, though it runs elsewhere", func(ctx SpecContext) {
		double := newDouble()
		here, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		relative, err := filepath.Rel(here, double.Path)
		Expect(err).NotTo(HaveOccurred())
		client := newClient(adapterclient.Options{Path: relative, UseStdin: true})
		Expect(client.DeleteBinding(ctx, adapterclient.BindingRequest{})).To(Succeed())
	})

	DescribeTable("options that make no sense", func(options adapterclient.Options, text string) {
		_, err := adapterclient.New(options)
		Expect(err).To(MatchError(ContainSubstring(text)))
	},
		Entry("no path", adapterclient.Options{}, "no path"),
		Entry("a negative limit", adapterclient.Options{Path: "a", OutputLimit: -1}, "negative"),
		Entry("a limit for an unknown verb", adapterclient.Options{Path: "a", Timeouts: map[string]time.Duration{"bind": 1}}, `"bind"`),
		Entry("a limit of nothing", adapterclient.Options{Path: "a", Timeouts: map[string]time.Duration{"create-binding": 0}}, "more than zero"),
	)
})
