package broker

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/config"
)

// twoBrokers are side by side on one Director. Time is the bubble's.
type twoBrokers struct {
	*GomegaWithT
	ctx      context.Context
	director *director
	a, b     *Broker
	faults   map[string]fault  // by the request's name, until they are taken away
	late     []func()          // requests that arrive when somebody lets them
	during   map[string]func() // what happens before a request arrives
}

func besideOneAnother(t *testing.T, test func(w *twoBrokers)) {
	synctest.Test(t, func(t *testing.T) {
		w := &twoBrokers{GomegaWithT: NewWithT(t), ctx: WithRequest(t.Context(), Request{ID: "r"}), faults: map[string]fault{}, during: map[string]func(){}}
		w.director = newDirector(func(bool) (string, []int) { return boshclient.StateDone, []int{0} })
		w.a, w.b = w.start(), w.start()
		test(w)
		w.a.Stop()
		w.b.Stop()
	})
}

func (w *twoBrokers) start() *Broker {
	l := &line{director: w.director, send: func(act func()) { w.late = append(w.late, act) }, gate: func(_ context.Context, request string, _ kind) fault {
		w.director.mu.Lock()
		happen, f := w.during[request], w.faults[request]
		delete(w.during, request)
		w.director.mu.Unlock()
		if happen != nil {
			happen()
		}
		return f
	}}
	plan := config.Plan{ID: "plan-id", Name: "plan", LifecycleErrands: &config.LifecycleErrands{PostDeploy: threeErrands}}
	b, err := New(Options{
		Deployments: l, Tasks: l, Configs: l, Health: l, Adapter: adapter{&history{}}, Switches: Switches{SideBySide: true},
		Catalog: config.ServiceCatalog{ID: "service-id", Name: "service", Plans: []config.Plan{plan}},
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	w.Expect(err).NotTo(HaveOccurred())
	return b
}

// fault happens to the requests of that name from now on.
func (w *twoBrokers) fault(request string, f fault) {
	w.director.mu.Lock()
	defer w.director.mu.Unlock()
	w.faults[request] = f
}

func (w *twoBrokers) provision(b *Broker) (string, error) {
	done, err := b.Provision(w.ctx, "i", domain.ProvisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
	return done.OperationData, err
}

func (w *twoBrokers) poll(b *Broker, operation string) domain.LastOperationState {
	answer, err := b.LastOperation(w.ctx, "i", domain.PollDetails{OperationData: operation})
	w.Expect(err).NotTo(HaveOccurred())
	return answer.State
}

// work lets all tasks end.
func (w *twoBrokers) work() {
	for running := w.director.running(); len(running) > 0; running = w.director.running() {
		w.director.progress(running[0])
	}
}

func (w *twoBrokers) claims() []boshclient.Config {
	return w.director.configsOf(boshclient.ConfigFilter{Type: claimType, History: true})
}

var busy = HaveField("Kind", Concurrency)

func TestAnInstanceIsOneBrokersAtATime(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		ctx, unlock, refusal := w.a.lock(w.ctx, "i")
		w.Expect(refusal).To(BeNil())
		_, _, refusal = w.b.lock(w.ctx, "i")
		w.Expect(refusal).To(busy)
		_, unlockOther, refusal := w.b.lock(w.ctx, "j")
		w.Expect(refusal).To(BeNil(), "another instance is nobody's")
		unlockOther()

		time.Sleep(time.Hour)
		w.Expect(ctx.Err()).NotTo(HaveOccurred(), "it is renewed as long as it is held")
		_, _, refusal = w.b.lock(w.ctx, "i")
		w.Expect(refusal).To(busy)
		unlock()
		w.Expect(w.claims()).To(BeEmpty())
		_, unlock, refusal = w.b.lock(w.ctx, "i")
		w.Expect(refusal).To(BeNil())
		unlock()
	})
}

func TestADeadBrokersClaimEnds(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		w.director.createConfig(boshclient.CreateConfig{Type: claimType, Name: deploymentName("i"), Content: claim{Holder: "dead", Token: "t", Lease: 120}.encode()})
		w.director.createConfig(boshclient.CreateConfig{Type: claimType, Name: deploymentName("j"), Content: claim{Holder: "dead", Token: "u", Lease: 120}.encode()})
		time.Sleep(claimLease)
		_, _, refusal := w.a.lock(w.ctx, "i")
		w.Expect(refusal).To(busy)
		time.Sleep(2 * claimGrace)
		_, unlock, refusal := w.a.lock(w.ctx, "i")
		w.Expect(refusal).To(BeNil())
		unlock()
		w.Expect(w.a.takeOver(w.ctx)).To(Succeed())
		w.Expect(w.claims()).To(BeEmpty(), "what it left is removed, also where nobody wants the instance")
	})
}

func TestWorkEndsBeforeAClaimThatCannotBeRenewedDoes(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		ctx, unlock, refusal := w.a.lock(w.ctx, "i")
		w.Expect(refusal).To(BeNil())
		w.fault("store odb-claim service-instance_i", notSent)
		w.Expect(mustHold(ctx)).To(Succeed())
		time.Sleep(claimLease - lateArrival)
		w.Expect(mustHold(ctx)).To(MatchError(errClaimLost))
		time.Sleep(claimRenewal)
		w.Expect(context.Cause(ctx)).To(MatchError(errClaimLost))
		unlock()
		w.Expect(w.claims()).To(BeEmpty())
	})
}

func TestAClaimRenewedTooLateByTheDirectorsClockIsLost(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		ctx, unlock, refusal := w.a.lock(w.ctx, "i")
		w.Expect(refusal).To(BeNil())
		held := heldClaimOf(ctx)
		held.mu.Lock()
		held.end = time.Now().Add(-time.Second) // as if the Director's clock had run ahead
		held.mu.Unlock()
		time.Sleep(claimRenewal + time.Second)
		w.Expect(context.Cause(ctx)).To(MatchError(errClaimLost))
		unlock()
	})
}

func TestWhatMayArriveLateIsNotSubmittedByTheOther(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		operation, err := w.provision(w.a)
		w.Expect(err).NotTo(HaveOccurred())
		w.work()
		w.fault("errand first r", late)
		w.Expect(w.poll(w.a, operation)).To(Equal(domain.InProgress))
		w.fault("errand first r", none)
		w.Expect(w.poll(w.b, operation)).To(Equal(domain.InProgress))
		time.Sleep(lateArrival - time.Second)
		w.Expect(w.poll(w.b, operation)).To(Equal(domain.InProgress))
		w.Expect(w.director.tasks).To(HaveLen(1))
		w.late[0]()
		w.work()
		time.Sleep(claimLease)
		w.Expect(w.poll(w.b, operation)).To(Equal(domain.InProgress))
		w.Expect(w.director.tasks).To(HaveLen(3), "the second errand")
	})
}

func TestTheOtherBrokerCarriesOnWhatADeadOneBegan(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		_, err := w.provision(w.a)
		w.Expect(err).NotTo(HaveOccurred())
		w.a.Stop()
		w.Expect(w.b.takeOver(w.ctx)).To(Succeed())
		for range 5 {
			w.work()
			w.b.CarryOn(w.ctx)
		}
		w.Expect(w.director.tasks).To(HaveLen(4))
		w.Expect(w.b.carrier.all()).To(BeEmpty())
	})
}

func TestAStepThatTheDirectorRefusedOneBrokerIsRefusedForAll(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		operation, err := w.provision(w.a)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.b.takeOver(w.ctx)).To(Succeed())
		w.work()
		w.fault("errand first r", refused)
		w.Expect(w.poll(w.a, operation)).To(Equal(domain.Failed))
		w.fault("errand first r", none)
		w.Expect(w.poll(w.b, operation)).To(Equal(domain.Failed))
		w.Expect(w.director.tasks).To(HaveLen(1))
	})
}

func TestWhatAnotherBrokerHasEndedStandsInNobodysWay(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		_, err := w.provision(w.a)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.b.takeOver(w.ctx)).To(Succeed())
		w.work()
		w.fault("errand first r", refused) // and its record says failed
		w.a.CarryOn(w.ctx)
		w.Expect(w.b.carrier.all()).To(HaveLen(1))
		_, err = w.b.Deprovision(w.ctx, "i", domain.DeprovisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
		w.Expect(err).NotTo(HaveOccurred())
	})
}

func TestALatePollOfADeletionLeavesWhatAnotherBrokerMakesAnew(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		name := deploymentName("i")
		w.director.deployments[name] = boshclient.Deployment{Name: name, Manifest: "name: " + name + "\n"}
		deleted, err := w.a.Deprovision(w.ctx, "i", domain.DeprovisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
		w.Expect(err).NotTo(HaveOccurred())
		w.work()
		_, err = w.provision(w.a)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.director.configs).To(HaveKey(configKey{recordType, name}))
		old := strings.Replace(deleted.OperationData, `"Configs":[]`, `"Configs":["odb-instance"]`, 1)
		w.Expect(w.poll(w.b, old)).To(Equal(domain.Succeeded))
		w.Expect(w.director.configs).To(HaveKey(configKey{recordType, name}), "though its deployment isn't there before its task runs")
	})
}

func TestTwoBrokersAskedForTheSameNewInstanceSubmitOneDeploy(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		var other string
		w.during["store odb-claim service-instance_i"] = func() { // both have passed the Director's check
			var err error
			other, err = w.provision(w.b)
			w.Expect(err).NotTo(HaveOccurred())
		}
		operation, err := w.provision(w.a)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(operation).To(Equal(other), "the same request again gets the same operation")
		w.Expect(w.director.tasks).To(HaveLen(1))

		w.during["configs service-instance_j"] = func() { // while A has claimed it, and nothing more
			_, err := w.b.Provision(w.ctx, "j", domain.ProvisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
			w.Expect(err).To(busy)
		}
		_, err = w.a.Provision(w.ctx, "j", domain.ProvisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.director.tasks).To(HaveLen(2))
	})
}

func TestWithoutAClaimNothingIsDone(t *testing.T) {
	besideOneAnother(t, func(w *twoBrokers) {
		for _, request := range []string{"expect odb-claim service-instance_i", "store odb-claim service-instance_i", "configs service-instance_i"} {
			w.fault(request, notSent)
			_, err := w.provision(w.a)
			w.Expect(err).To(HaveField("Kind", Unavailable), request)
			w.Expect(w.director.tasks).To(BeEmpty())
			w.Expect(w.claims()).To(BeEmpty())
			w.fault(request, none)
		}
		w.fault("store odb-claim service-instance_i", answerLost)
		_, err := w.provision(w.a)
		w.Expect(err).To(HaveField("Kind", Unavailable))
		w.Expect(w.claims()).To(BeEmpty(), "the one whose answer was lost is looked for")
	})
}
