package broker

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/config"
)

// asked is a Director that tells when it was asked who it is.
type asked chan struct{}

func (a asked) Info(context.Context) (boshclient.Info, error) {
	select {
	case a <- struct{}{}:
	default:
	}
	return boshclient.Info{Version: "280.0.0", User: "odb"}, nil
}

func (asked) LastAnswer() time.Time { return time.Time{} }

// reconfigurable are the options of a broker with one plan of at most so many instances.
func reconfigurable(limit int) (Options, asked) {
	health := make(asked, 1)
	return Options{
		Health:     health,
		Catalog:    config.ServiceCatalog{ID: "s", Plans: []config.Plan{{ID: "p", Name: "p", Quotas: config.Quotas{ServiceInstanceLimit: &limit}}}},
		Switches:   Switches{DisableBOSHConfigs: true},
		Logger:     slog.New(slog.NewTextHandler(io.Discard, nil)),
		CarryEvery: time.Millisecond,
	}, health
}

func TestBrokersOfOneMemoryShareLocksAndAdmissions(t *testing.T) {
	g := NewWithT(t)
	options, _ := reconfigurable(1)
	before, err := New(options)
	g.Expect(err).NotTo(HaveOccurred())
	defer before.Stop()
	nobody := censusOf(func(context.Context) (map[string]string, error) { return map[string]string{}, nil })
	before.quotas.census = nobody

	_, unlock, refusal := before.lock(t.Context(), "i")
	g.Expect(refusal).To(BeNil())
	_, err = before.quotas.reserve(t.Context(), admission{instanceID: "i", plan: before.offering.plans["p"], creates: true})
	g.Expect(err).NotTo(HaveOccurred())

	two, _ := reconfigurable(2)
	after, err := before.Reconfigured(two)
	g.Expect(err).NotTo(HaveOccurred())
	after.quotas.census = nobody
	_, _, refusal = after.lock(t.Context(), "i")
	g.Expect(refusal.Kind).To(Equal(Concurrency))
	unlock()
	_, unlock, refusal = after.lock(t.Context(), "i")
	g.Expect(refusal).To(BeNil())
	unlock()

	admit := func(instanceID string) error {
		_, err := after.quotas.reserve(t.Context(), admission{instanceID: instanceID, plan: after.offering.plans["p"], creates: true})
		return err
	}
	g.Expect(admit("second")).To(Succeed())
	g.Expect(admit("third")).To(MatchError(ContainSubstring("limited to 2. Total instances: 2")))
}

func TestWhatIsNobodysRequestGoesOnAsTheLatestBroker(t *testing.T) {
	g := NewWithT(t)
	options, asksBefore := reconfigurable(1)
	before, err := New(options)
	g.Expect(err).NotTo(HaveOccurred())
	ended := make(chan struct{})
	go func() { before.Run(); close(ended) }()
	g.Eventually(asksBefore).WithTimeout(10 * time.Second).Should(Receive())

	options, asksAfter := reconfigurable(2)
	after, err := before.Reconfigured(options)
	g.Expect(err).NotTo(HaveOccurred())
	g.Consistently(asksAfter).WithTimeout(20 * time.Millisecond).ShouldNot(Receive())
	before.ContinueAs(after)
	g.Eventually(asksAfter).WithTimeout(10 * time.Second).Should(Receive())
	after.Stop()
	g.Eventually(ended).WithTimeout(10 * time.Second).Should(BeClosed())
}

func TestConfigurationWithNothingToServeIsRefused(t *testing.T) {
	g := NewWithT(t)
	options, _ := reconfigurable(1)
	b, err := New(options)
	g.Expect(err).NotTo(HaveOccurred())
	defer b.Stop()
	_, err = b.Reconfigured(Options{})
	g.Expect(err).To(MatchError(ContainSubstring("service_catalog")))
}
