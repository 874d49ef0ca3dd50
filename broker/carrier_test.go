package broker

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/config"
)

// errandsBench is one broker after the other on one Director, all of whose tasks go well.
type errandsBench struct {
	*GomegaWithT
	director *director
	broker   *Broker
	now      time.Time
	faults   map[string]fault // by the start of the request's name, for once
	late     []func()
	ctx      context.Context
}

func newErrandsBench(t *testing.T) *errandsBench {
	e := &errandsBench{GomegaWithT: NewWithT(t), now: time.Now(), faults: map[string]fault{}, ctx: WithRequest(t.Context(), Request{ID: "r"})}
	e.director = newDirector(func(bool) (string, []int) { return boshclient.StateDone, []int{0} })
	e.restart()
	return e
}

// restart starts a broker that knows nothing of the one before.
func (e *errandsBench) restart() {
	l := &line{director: e.director, send: func(act func()) { e.late = append(e.late, act) }, gate: func(_ context.Context, request string, _ kind) fault {
		e.director.mu.Lock()
		defer e.director.mu.Unlock()
		f := e.faults[request]
		delete(e.faults, request)
		return f
	}}
	plan := config.Plan{ID: "plan-id", Name: "plan", LifecycleErrands: &config.LifecycleErrands{PostDeploy: threeErrands, PreDelete: threeErrands}}
	b, err := New(Options{
		Deployments: l, Maintaining: l, Tasks: l, Configs: l, Health: l, Adapter: adapter{&history{}},
		Catalog: config.ServiceCatalog{ID: "service-id", Name: "service", Plans: []config.Plan{plan}},
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return e.now },
	})
	e.Expect(err).NotTo(HaveOccurred())
	e.broker = b
}

func (e *errandsBench) provision(instanceID string) string {
	done, err := e.broker.Provision(WithRequest(e.ctx, Request{ID: "create-" + instanceID}), instanceID, domain.ProvisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
	e.Expect(err).NotTo(HaveOccurred())
	return done.OperationData
}

func (e *errandsBench) deprovision(instanceID string) string {
	done, err := e.broker.Deprovision(WithRequest(e.ctx, Request{ID: "delete-of-" + instanceID}), instanceID, domain.DeprovisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
	e.Expect(err).NotTo(HaveOccurred())
	return done.OperationData
}

// existing is an instance that the predecessor made.
func (e *errandsBench) existing(instanceID string) {
	name := deploymentName(instanceID)
	e.director.deployments[name] = boshclient.Deployment{Name: name, Manifest: "name: " + name + "\n"}
}

// work lets all tasks end.
func (e *errandsBench) work() {
	for running := e.director.running(); len(running) > 0; running = e.director.running() {
		e.director.progress(running[0])
	}
}

// carry lets the broker carry all that it carries to the end.
func (e *errandsBench) carry() {
	for range 10 {
		e.work()
		e.broker.CarryOn(e.ctx)
	}
}

func (e *errandsBench) poll(instanceID, operation string) domain.LastOperationState {
	answer, err := e.broker.LastOperation(e.ctx, instanceID, domain.PollDetails{OperationData: operation})
	e.Expect(err).NotTo(HaveOccurred())
	return answer.State
}

func (e *errandsBench) tasks() (descriptions []string) {
	for _, t := range e.director.tasks {
		descriptions = append(descriptions, t.Description)
	}
	return descriptions
}

func TestAStepWhoseAnswerWasLostIsNotSubmittedAgainBeforeItMayHaveArrived(t *testing.T) {
	e := newErrandsBench(t)
	operation := e.provision("i")
	e.work()
	e.faults["errand first create-i"] = late
	for range 3 {
		e.Expect(e.poll("i", operation)).To(Equal(domain.InProgress))
	}
	e.late[0]()
	e.carry()
	e.Expect(e.tasks()).To(HaveLen(4))
}

func TestAStepThatNeverArrivedIsSubmittedAgain(t *testing.T) {
	e := newErrandsBench(t)
	operation := e.provision("i")
	e.work()
	e.faults["errand first create-i"] = lost
	e.Expect(e.poll("i", operation)).To(Equal(domain.InProgress))
	e.now = e.now.Add(lateArrival)
	e.Expect(e.poll("i", operation)).To(Equal(domain.InProgress))
	e.Expect(e.tasks()).To(HaveLen(2))
}

func TestAnOperationThatNobodyWasToldOfIsCarried(t *testing.T) {
	e := newErrandsBench(t)
	e.faults["deploy r"] = late
	_, err := e.broker.Provision(e.ctx, "i", domain.ProvisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
	e.Expect(err).To(HaveOccurred())
	e.broker.CarryOn(e.ctx) // there is no task yet
	e.late[0]()
	e.carry()
	e.Expect(e.tasks()).To(HaveLen(4))
}

func TestTwoDeletionsThatWereResumedBothLeaveNothing(t *testing.T) {
	e := newErrandsBench(t)
	for _, id := range []string{"i", "j"} {
		e.existing(id) // with nothing remembered of it, until now
		e.deprovision(id)
	}
	e.restart()
	e.Expect(e.broker.Resume(e.ctx)).To(Succeed())
	e.carry()
	e.Expect(e.director.deployments).To(BeEmpty())
	e.Expect(e.director.configs).To(BeEmpty())
	e.Expect(e.tasks()).To(HaveLen(8))
}

func TestAnOperationStartsNothingOnAnInstanceThatIsAnotherOnesByNow(t *testing.T) {
	e := newErrandsBench(t)
	e.existing("i")
	early := e.deprovision("i")
	e.work()
	delete(e.director.deployments, deploymentName("i")) // by an operator
	e.Expect(e.poll("i", early)).To(Equal(domain.Succeeded))
	e.provision("i")
	e.Expect(e.poll("i", early)).To(Equal(domain.Succeeded))
	e.Expect(e.director.configs).To(HaveKey(configKey{recordType, deploymentName("i")}), "though its deployment isn't there before its task runs")
	e.work()

	e.restart()
	before := len(e.tasks())
	e.Expect(e.poll("i", early)).To(Equal(domain.Succeeded))
	e.Expect(e.director.configs).To(HaveKey(configKey{recordType, deploymentName("i")}))
	e.Expect(e.tasks()).To(HaveLen(before))
	e.Expect(e.broker.Resume(e.ctx)).To(Succeed())
	e.carry()
	e.Expect(e.tasks()).To(HaveLen(before + 3))
}

func TestAFailureThatWasToldStays(t *testing.T) {
	e := newErrandsBench(t)
	operation := e.provision("i")
	e.work()
	e.faults["errand first create-i"] = refused
	e.Expect(e.poll("i", operation)).To(Equal(domain.Failed))
	_, unlock, _ := e.broker.lock(e.ctx, "i")
	e.Expect(e.poll("i", operation)).To(Equal(domain.Failed), "also while something else is asked for")
	unlock()
	e.carry()
	e.Expect(e.poll("i", operation)).To(Equal(domain.Failed))
	e.restart()
	e.Expect(e.poll("i", operation)).To(Equal(domain.Failed))
	e.Expect(e.tasks()).To(HaveLen(1))
}

func TestADeletionThatCannotBeRememberedIsNotBegun(t *testing.T) {
	e := newErrandsBench(t)
	e.existing("i")
	e.faults["store "+recordType+" "+deploymentName("i")] = notSent
	_, err := e.broker.Deprovision(e.ctx, "i", domain.DeprovisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
	e.Expect(err).To(HaveField("Kind", Unavailable))
	e.Expect(e.tasks()).To(BeEmpty())
}

func TestSomebodyElsesTaskIsNotTakenForTheDeploy(t *testing.T) {
	e := newErrandsBench(t)
	e.provision("i")
	e.work()
	theirs := e.director.submit(deploymentName("i"), "create-i", "restart instance", func(*directorTask) {})
	e.director.tasks[theirs-1].fate = boshclient.StateError
	e.work()
	e.restart()
	e.Expect(e.broker.Resume(e.ctx)).To(Succeed())
	e.carry()
	e.Expect(e.tasks()).To(HaveLen(5))
}

func TestWhatIsResumedDoesNotTakeThePlaceOfWhatWasBegun(t *testing.T) {
	e := newErrandsBench(t)
	e.broker.carry(e.ctx, "i", Operation{BoshContextID: "begun"})
	e.broker.carryUnlessBusy(e.ctx, "i", Operation{BoshContextID: "read before"})
	current, _ := e.broker.carrier.of("i")
	e.Expect(current.BoshContextID).To(Equal("begun"))
}

func TestARememberedOperationKnowsOfTheUAAClient(t *testing.T) {
	o := Operation{OperationType: OperationDelete, BoshContextID: "c", UAAClient: true}
	NewWithT(t).Expect(recordOf(o, time.Now()).asOperation()).To(Equal(o))
}
