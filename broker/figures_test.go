package broker

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// counting has the broker's outcomes collected.
func (e *errandsBench) counting() *[]Outcome {
	var told []Outcome
	e.broker.Observe = func(o Outcome) { told = append(told, o) }
	return &told
}

func TestAnOperationThatOthersAreAskedAboutIsCountedByWhoBeganIt(t *testing.T) {
	e := newErrandsBench(t)
	e.provision("i")
	first, told := e.broker, e.counting()
	e.restart()
	e.Expect(e.broker.Resume(e.ctx)).To(Succeed())
	e.carry()
	e.Expect(first.Figures().Running).To(HaveKeyWithValue(OperationCreate, 1), "somebody looked not long ago")
	e.now = e.now.Add(unseenAfter + time.Second)
	e.Expect(first.Figures().Running).To(HaveKeyWithValue(OperationCreate, 0))
	e.Expect(*told).To(Equal([]Outcome{{Type: OperationCreate, Plan: "plan", Result: ResultSucceeded, Took: unseenAfter + time.Second}}))
}

func TestLookingAfterAnOperationBeginsNothing(t *testing.T) {
	e := newErrandsBench(t)
	told := e.counting()
	e.provision("i")
	e.work()
	e.now = e.now.Add(unseenAfter + time.Second)
	e.Expect(e.broker.Figures().Running).To(HaveKeyWithValue(OperationCreate, 1))
	e.Expect(e.tasks()).To(HaveLen(1), "the errands are the carrier's")
	e.Expect(*told).To(BeEmpty())
}

func TestAnOperationWhoseEndNobodySawIsUnknownWhenTheNextBegins(t *testing.T) {
	e := newErrandsBench(t)
	told := e.counting()
	e.existing("i")
	e.deprovision("i")
	e.broker.reckon("i", "another plan", Operation{OperationType: OperationCreate, BoshTaskID: 99}, e.now)
	e.Expect(*told).To(Equal([]Outcome{{Type: OperationDelete, Plan: "plan", Result: ResultUnknown}}))
	e.broker.looked("i", Operation{OperationType: OperationCreate, BoshTaskID: 98}, "succeeded")
	e.broker.looked("i", Operation{OperationType: OperationCreate, BoshTaskID: 99}, "failed")
	e.Expect((*told)[1:]).To(Equal([]Outcome{{Type: OperationCreate, Plan: UnknownPlan, Result: ResultFailed}}))
}

func TestFiguresAreCountedAgainOnlyAfterAWhile(t *testing.T) {
	e := newErrandsBench(t)
	there := map[string]string{"i": "gone-plan-id"}
	e.broker.census = censusOf(func(context.Context) (map[string]string, error) { return there, nil })
	f := e.broker.Figures()
	e.Expect(f.Instances).To(Equal(map[string]int{"plan": 0, UnknownPlan: 1}))
	e.Expect(f.CountedAt).To(Equal(e.now))
	e.Expect(f.Ready).To(HaveKeyWithValue(theDirector, true))
	counted := e.now
	there = map[string]string{"i": "gone-plan-id", "j": "plan-id"}
	e.now = e.now.Add(defaultCountEvery - time.Second)
	e.Expect(e.broker.Figures().CountedAt).To(Equal(counted))
	e.now = e.now.Add(defaultLookEvery)
	e.Expect(e.broker.Figures().Instances).To(HaveKeyWithValue("plan", 1))
}
