package broker

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
)

// What one operation leaves, another one meets. Each of these was found by a random history.

func TestAStepThatArrivesLateDoesNotMakeItsOperationTheLaterOne(t *testing.T) {
	e := newErrandsBench(t)
	early := e.provision("i")
	e.work()
	e.faults["errand first create-i"] = late
	e.Expect(e.poll("i", early)).To(Equal(domain.InProgress))
	delete(e.director.deployments, deploymentName("i")) // by an operator
	_, err := e.broker.Provision(WithRequest(e.ctx, Request{ID: "anew"}), "i", domain.ProvisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
	e.Expect(err).NotTo(HaveOccurred())
	e.work()
	e.late[0]()
	e.work()
	e.restart()
	e.Expect(e.poll("i", early)).To(Equal(domain.Failed))
	e.Expect(e.tasks()).To(HaveLen(3))
}

func TestWhatDoesNotBeginIsNotOnRecord(t *testing.T) {
	store := "store " + recordType + " " + deploymentName("i")
	for name, ask := range map[string]func(e *errandsBench) error{
		"an update": func(e *errandsBench) error {
			_, err := e.broker.Update(e.ctx, "i", domain.UpdateDetails{ServiceID: "service-id", PlanID: "plan-id", RawParameters: []byte(`{"a":1}`)}, true)
			return err
		},
		"a deletion during the creation": func(e *errandsBench) error {
			_, err := e.broker.Deprovision(e.ctx, "i", domain.DeprovisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newErrandsBench(t)
			creation := e.provision("i")
			e.work()
			if name == "an update" { // which waits for the creation
				e.carry()
			}
			e.faults[store] = answerLost
			e.Expect(ask(e)).To(HaveField("Kind", Unavailable))
			e.Expect(e.director.configs[configKey{recordType, deploymentName("i")}].Content).To(ContainSubstring("create-i"))
			e.carry()
			e.restart()
			e.Expect(e.broker.Resume(e.ctx)).To(Succeed())
			e.carry()
			e.Expect(e.poll("i", creation)).To(Equal(domain.Succeeded))
			e.Expect(e.tasks()).To(HaveLen(4))
		})
	}
}

func TestADeletionIsNotJoinedWhereTheInstanceMayBeMadeAnew(t *testing.T) {
	e := newErrandsBench(t)
	e.existing("i")
	first := e.deprovision("i")
	e.work()
	_, unlock, _ := e.broker.lock(e.ctx, "i") // whoever works on it
	defer unlock()
	e.Expect(e.deprovision("i")).To(Equal(first))
	delete(e.director.deployments, deploymentName("i"))
	_, err := e.broker.Deprovision(e.ctx, "i", domain.DeprovisionDetails{ServiceID: "service-id", PlanID: "plan-id"}, true)
	e.Expect(err).To(HaveField("Kind", Concurrency))
}

func TestADeletionLeavesNothingThoughAFailedCreationWasTakenOnAgain(t *testing.T) {
	e := newErrandsBench(t)
	e.provision("i")
	e.director.tasks[0].fate = boshclient.StateError
	e.work()
	deletion := e.deprovision("i")
	e.work()
	e.restart()
	e.Expect(e.broker.Resume(e.ctx)).To(Succeed())
	e.Expect(e.poll("i", deletion)).To(Equal(domain.Succeeded))
	e.Expect(e.director.configs).To(BeEmpty())
}

func TestSomebodyElsesTaskIsNotTakenForTheDeletion(t *testing.T) {
	e := newErrandsBench(t)
	name := deploymentName("i")
	e.existing("i")
	e.director.submit(name, "theirs", "restart instance", func(*directorTask) {})
	deletion := Operation{OperationType: OperationDelete, BoshContextID: "delete-i"}
	unanswered := &boshclient.Unavailable{Sent: true}
	_, err := e.broker.lostTask(e.ctx, name, deletion, unanswered)
	e.Expect(err).To(MatchError(unanswered))
	id := e.director.submit(name, "delete-i", "delete deployment "+name, func(*directorTask) {})
	e.Expect(e.broker.lostTask(e.ctx, name, deletion, unanswered)).To(Equal(id))
}

func TestACreationThatEndsBetweenTwoLooksIsNotMissed(t *testing.T) {
	e := newErrandsBench(t)
	creation := e.provision("i")
	deployed := e.broker.Deployments.(*line)
	gate := deployed.gate
	deployed.gate = func(ctx context.Context, request string, of kind) fault {
		if request == "deployment "+deploymentName("i") {
			e.work() // by the time that is asked
		}
		return gate(ctx, request, of)
	}
	e.Expect(e.provision("i")).To(Equal(creation))
}
