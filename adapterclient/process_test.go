package adapterclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"
)

// forever is longer than any spec takes.
const forever = time.Hour

var _ = Describe("An adapter that doesn't come to an end", func() {
	var (
		double  *adaptertest.Double
		options adapterclient.Options
	)

	BeforeEach(func() {
		double = newDouble()
		options = adapterclient.Options{Path: double.Path, UseStdin: true, Timeout: 700 * time.Millisecond, KillAfter: 200 * time.Millisecond}
	})

	expectGone := func(pid int) {
		GinkgoHelper()
		Expect(syscall.Kill(pid, 0)).To(MatchError(syscall.ESRCH))
	}

	DescribeTable("is ended when its time is over", func(ctx SpecContext, steering adaptertest.Steering) {
		steer(double, adapterclient.VerbDashboardURL, steering)
		_, err := newClient(options).DashboardURL(ctx, adapterclient.DashboardURL{})
		Expect(err).To(MatchError(adapterclient.ErrTimeout))
		Expect(err).To(MatchError(context.DeadlineExceeded))
		var exit *adapterclient.ExitError
		Expect(errors.As(err, &exit)).To(BeFalse())
		Expect(err.Error()).To(ContainSubstring("dashboard-url ran out of time after"))
		expectGone(onlyCall(double).PID)
	},
		Entry("because it hangs", adaptertest.Steering{Sleep: forever}),
		Entry("even if it ignores SIGTERM", adaptertest.Steering{Sleep: forever, IgnoreTerm: true}),
	)

	It("is asked by SIGTERM first, and has time to tidy up", func(ctx SpecContext) {
		options.KillAfter = forever
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Sleep: forever})
		Expect(newClient(options).DeleteBinding(ctx, adapterclient.BindingRequest{})).To(MatchError(adapterclient.ErrTimeout))
	})

	It("takes what it started with it", func(ctx SpecContext) {
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Sleep: forever, LeaveChild: forever})
		result := make(chan error, 1)
		go func() { result <- newClient(options).DeleteBinding(ctx, adapterclient.BindingRequest{}) }()
		Eventually(double.ChildAlive).Should(BeTrue())
		Eventually(result).Should(Receive(MatchError(adapterclient.ErrTimeout)))
		Eventually(double.ChildAlive).Should(BeFalse())
	})

	It("has another limit for a verb that is given one", func(ctx SpecContext) {
		options.Timeout = forever
		options.Timeouts = map[string]time.Duration{adapterclient.VerbDeleteBinding: 200 * time.Millisecond}
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Sleep: forever})
		steer(double, adapterclient.VerbDashboardURL, adaptertest.Steering{Sleep: 400 * time.Millisecond})
		client := newClient(options)
		Expect(client.DeleteBinding(ctx, adapterclient.BindingRequest{})).To(MatchError(adapterclient.ErrTimeout))
		_, err := client.DashboardURL(ctx, adapterclient.DashboardURL{})
		Expect(err).NotTo(HaveOccurred())
	})

	It("is ended when the caller's own deadline is earlier", func(ctx SpecContext) {
		options.Timeout = forever
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Sleep: forever})
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		Expect(newClient(options).DeleteBinding(short, adapterclient.BindingRequest{})).To(MatchError(adapterclient.ErrTimeout))
	})

	It("is ended when the caller gives up, which is no timeout", func(ctx SpecContext) {
		options.Timeout = forever
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Sleep: forever})
		cancellable, cancel := context.WithCancel(ctx)
		result := make(chan error, 1)
		go func() { result <- newClient(options).DeleteBinding(cancellable, adapterclient.BindingRequest{}) }()
		Eventually(double.Calls).Should(HaveLen(1))
		cancel()
		var err error
		Eventually(result).Should(Receive(&err))
		Expect(err).To(MatchError(context.Canceled))
		Expect(err).NotTo(MatchError(adapterclient.ErrTimeout))
		expectGone(onlyCall(double).PID)
	})

	It("isn't even started when the caller has given up already", func(ctx SpecContext) {
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		options.Path = filepath.Join(GinkgoT().TempDir(), "would-fail-to-start")
		Expect(newClient(options).DeleteBinding(cancelled, adapterclient.BindingRequest{})).To(MatchError(context.Canceled))
	})

	It("delays no other call", func(ctx SpecContext) {
		options.Timeout = forever
		Expect(double.SteerInstance(adapterclient.VerbDashboardURL, "slow", adaptertest.Steering{Hold: "slow"})).To(Succeed())
		client := newClient(options)
		slow := make(chan error, 1)
		go func() {
			_, err := client.DashboardURL(ctx, adapterclient.DashboardURL{InstanceID: "slow"})
			slow <- err
		}()
		Eventually(double.Calls).Should(HaveLen(1))
		var others sync.WaitGroup
		errs := make(chan error, 8)
		for range cap(errs) {
			others.Go(func() {
				_, err := client.DashboardURL(ctx, adapterclient.DashboardURL{InstanceID: "other"})
				errs <- err
			})
		}
		others.Wait()
		for range cap(errs) {
			Expect(<-errs).NotTo(HaveOccurred())
		}
		Expect(slow).NotTo(Receive())
		Expect(double.LetGo("slow")).To(Succeed())
		Eventually(slow).Should(Receive(BeNil()))
	})
})

var _ = Describe("An adapter that prints without end", func() {
	It("may fill stderr: it is read away, and the answer counts", func(ctx SpecContext) {
		double := newDouble()
		steer(double, adapterclient.VerbDashboardURL, adaptertest.Steering{FloodStderr: 8 << 20})
		url, err := newClient(adapterclient.Options{Path: double.Path, UseStdin: true}).DashboardURL(ctx, adapterclient.DashboardURL{InstanceID: "one"})
		Expect(err).NotTo(HaveOccurred())
		Expect(url).To(HaveSuffix("/one"))
	})

	It("is killed when stdout passes the limit", func(ctx SpecContext) {
		endless := script("exec yes")
		client := newClient(adapterclient.Options{Path: endless, UseStdin: true, OutputLimit: 100_000, Timeout: forever})
		_, err := client.DashboardURL(ctx, adapterclient.DashboardURL{})
		Expect(err).To(MatchError(adapterclient.ErrOutput))
		var unusable *adapterclient.OutputError
		Expect(errors.As(err, &unusable)).To(BeTrue())
		Expect(unusable.Limit).To(Equal(100_000))
		Expect(err.Error()).To(ContainSubstring("more than the 100000 bytes allowed"))
	})

	It("may print exactly as much as the limit", func(ctx SpecContext) {
		double := newDouble()
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{FloodStdout: 100_000})
		Expect(newClient(adapterclient.Options{Path: double.Path, UseStdin: true, OutputLimit: 100_000}).
			DeleteBinding(ctx, adapterclient.BindingRequest{})).To(Succeed())
	})
})

var _ = Describe("An adapter that doesn't read its input", func() {
	It("is judged by its answer all the same", func(ctx SpecContext) {
		double := newDouble()
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{IgnoreStdin: true, ExitCode: 41})
		err := newClient(adapterclient.Options{Path: double.Path, UseStdin: true}).
			DeleteBinding(ctx, adapterclient.BindingRequest{Manifest: strings.Repeat("x", 1<<20)})
		Expect(err).To(MatchError(adapterclient.ErrBindingNotFound))
	})
})

var _ = Describe("An adapter that leaves processes behind", func() {
	var (
		double  *adaptertest.Double
		options adapterclient.Options
	)

	BeforeEach(func() {
		double = newDouble()
		options = adapterclient.Options{Path: double.Path, UseStdin: true, KillAfter: 200 * time.Millisecond}
	})

	It("has answered all the same, and they are killed", func(ctx SpecContext) {
		steer(double, adapterclient.VerbDashboardURL, adaptertest.Steering{LeaveChild: forever})
		url, err := newClient(options).DashboardURL(ctx, adapterclient.DashboardURL{InstanceID: "one"})
		Expect(err).NotTo(HaveOccurred())
		Expect(url).To(HaveSuffix("/one"))
		Eventually(double.ChildAlive).Should(BeFalse())
	})

	It("keeps its own exit code", func(ctx SpecContext) {
		steer(double, adapterclient.VerbDashboardURL, adaptertest.Steering{LeaveChild: forever, ExitCode: 10})
		_, err := newClient(options).DashboardURL(ctx, adapterclient.DashboardURL{})
		Expect(err).To(MatchError(adapterclient.ErrNotImplemented))
	})

	It("isn't waited for if they have moved to a group of their own, out of reach", func(ctx SpecContext) {
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{LeaveChild: forever, DetachChild: true, IgnoreStdin: true})
		unread := adapterclient.BindingRequest{Manifest: strings.Repeat("x", 1<<20)}
		Expect(newClient(options).DeleteBinding(ctx, unread)).To(Succeed())
		Expect(double.ChildAlive()).To(BeTrue())
	})

	It("may leave the answering to one of them, as a shell's pipelines do", func(ctx SpecContext) {
		late := script(`(sleep 0.2; echo '{"dashboard_url":"https://late"}') &`)
		client := newClient(adapterclient.Options{Path: late, UseStdin: true})
		Expect(client.DashboardURL(ctx, adapterclient.DashboardURL{})).To(Equal("https://late"))
	})
})

// script makes an adapter of a line of shell.
func script(line string) string {
	GinkgoHelper()
	path := filepath.Join(GinkgoT().TempDir(), "adapter")
	Expect(os.WriteFile(path, []byte("#!/bin/sh\n"+line+"\n"), 0o700)).To(Succeed())
	return path
}

// openFiles counts this process's open files, where the system tells.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

var _ = Describe("Much at once", func() {
	It("gives each caller its own answer", func(ctx SpecContext) {
		client := newClient(adapterclient.Options{Path: newDouble().Path, UseStdin: true})
		var callers sync.WaitGroup
		answers := make([]string, 32)
		for i := range answers {
			callers.Go(func() {
				defer GinkgoRecover()
				id := strings.Repeat("i", i+1)
				binding, err := client.CreateBinding(ctx, adapterclient.BindingRequest{BindingID: id})
				Expect(err).NotTo(HaveOccurred())
				var credentials struct {
					BindingID string `json:"binding_id"`
				}
				Expect(json.Unmarshal(binding.Credentials, &credentials)).To(Succeed())
				answers[i] = credentials.BindingID
			})
		}
		callers.Wait()
		for i, answer := range answers {
			Expect(answer).To(HaveLen(i + 1))
		}
	})

	It("leaves no goroutine and no open file behind", func(ctx SpecContext) {
		double := newDouble()
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Sleep: forever, LeaveChild: forever})
		steer(double, adapterclient.VerbCreateBinding, adaptertest.Steering{IgnoreStdin: true, ExitCode: 1})
		client := newClient(adapterclient.Options{
			Path: double.Path, UseStdin: true, KillAfter: 20 * time.Millisecond,
			Timeouts: map[string]time.Duration{adapterclient.VerbDeleteBinding: 50 * time.Millisecond},
		})
		goroutines, files := gleak.Goroutines(), openFiles()
		for range 5 {
			Expect(client.DeleteBinding(ctx, adapterclient.BindingRequest{})).To(MatchError(adapterclient.ErrTimeout))
			_, err := client.CreateBinding(ctx, adapterclient.BindingRequest{Manifest: strings.Repeat("x", 1<<20)})
			Expect(err).To(HaveOccurred())
			_, err = client.DashboardURL(ctx, adapterclient.DashboardURL{})
			Expect(err).NotTo(HaveOccurred())
		}
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
		Eventually(openFiles).Should(BeNumerically("<=", files))
	})
})
