package adapterclient_test

import (
	"context"
	"sync"
	"syscall"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Who observes the adapter", func() {
	var mu sync.Mutex
	var told []adapterclient.Run
	var options adapterclient.Options

	BeforeEach(func() {
		told = nil
		options = adapterclient.Options{UseStdin: true, Timeout: forever, KillAfter: 200 * time.Millisecond, OutputLimit: 100_000, Observe: func(r adapterclient.Run) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, r)
		}}
	})

	exits := func(want string) {
		GinkgoHelper()
		mu.Lock()
		defer mu.Unlock()
		Expect(told).To(HaveLen(1))
		Expect(told[0].Verb).To(Equal(adapterclient.VerbDeleteBinding))
		Expect(told[0].Exit).To(Equal(want))
	}

	DescribeTable("is told how each run ended", func(ctx SpecContext, steering adaptertest.Steering, want string) {
		double := newDouble()
		options.Path = double.Path
		if want == adapterclient.ExitTimeout {
			options.Timeout = 200 * time.Millisecond
		}
		steer(double, adapterclient.VerbDeleteBinding, steering)
		_ = newClient(options).DeleteBinding(ctx, adapterclient.BindingRequest{})
		exits(want)
		Expect(told[0].Took).To(BeNumerically(">", 0))
	},
		Entry("well", adaptertest.Steering{}, "0"),
		Entry("with a code", adaptertest.Steering{ExitCode: 41}, "41"),
		Entry("by a signal", adaptertest.Steering{Signal: syscall.SIGKILL}, adapterclient.ExitSignal),
		Entry("too late", adaptertest.Steering{Sleep: forever}, adapterclient.ExitTimeout),
		Entry("with too much to say", adaptertest.Steering{FloodStdout: 200_000}, adapterclient.ExitOutput),
	)

	It("is told that the caller gave up", func(ctx SpecContext) {
		double := newDouble()
		options.Path = double.Path
		steer(double, adapterclient.VerbDeleteBinding, adaptertest.Steering{Sleep: forever})
		ending, end := context.WithCancel(ctx)
		result := make(chan error, 1)
		go func() { result <- newClient(options).DeleteBinding(ending, adapterclient.BindingRequest{}) }()
		Eventually(double.Calls).WithTimeout(10 * time.Second).Should(HaveLen(1))
		end()
		Eventually(result).WithTimeout(10 * time.Second).Should(Receive(MatchError(context.Canceled)))
		exits(adapterclient.ExitStopped)
	})

	It("is told of an adapter that isn't there", func(ctx SpecContext) {
		options.Path = "/nowhere/adapter"
		_ = newClient(options).DeleteBinding(ctx, adapterclient.BindingRequest{})
		exits(adapterclient.ExitNotStarted)
	})
})
