package adapterclient_test

import (
	"testing"
	"time"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var program adaptertest.Program

func TestAdapterClient(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Adapter client")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	var err error
	program, err = adaptertest.Build(ctx, GinkgoT().TempDir())
	Expect(err).NotTo(HaveOccurred())
})

func newDouble() *adaptertest.Double {
	GinkgoHelper()
	double, err := program.Install(GinkgoT().TempDir())
	Expect(err).NotTo(HaveOccurred())
	return double
}

func newClient(options adapterclient.Options) *adapterclient.Client {
	GinkgoHelper()
	client, err := adapterclient.New(options)
	Expect(err).NotTo(HaveOccurred())
	return client
}

func onlyCall(double *adaptertest.Double) adaptertest.Call {
	GinkgoHelper()
	calls, err := double.Calls()
	Expect(err).NotTo(HaveOccurred())
	Expect(calls).To(HaveLen(1))
	return calls[0]
}

func steer(double *adaptertest.Double, verb string, steering adaptertest.Steering) {
	GinkgoHelper()
	Expect(double.Steer(verb, steering)).To(Succeed())
}
