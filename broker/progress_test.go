package broker

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

func TestDescribe(t *testing.T) {
	for want, event := range map[string]boshclient.TaskEvent{
		"Updating instance redis/0 (2 of 3)":            {State: "started", Stage: "Updating instance", Task: "redis/62b7f7eb-f56a-4c75-b029-98697fde4695 (0)", Index: 2, Total: 3},
		"Updating instance redis/1":                     {State: "started", Stage: "Updating instance", Task: "redis/62b7f7eb-f56a-4c75-b029-98697fde4695 (1) (canary)", Index: 1, Total: 1},
		"Compiling packages: tool (1 of 2)":             {State: "started", Stage: "Compiling packages", Task: "tool/12f9796e7a522d3ad7c917af935ed870a4603d6d1d52982e87e5e1cc87ec1beb", Index: 1, Total: 2},
		"Preparing deployment":                          {State: "started", Stage: "Preparing deployment", Task: "Preparing deployment", Index: 1, Total: 1},
		"Preparing deployment: Rendering templates":     {State: "started", Stage: "Preparing deployment", Task: "Rendering templates", Index: 2, Total: 1},
		"Deleting instances redis/0":                    {State: "started", Stage: "Deleting instances", Task: "redis/62b7f7eb (0)", Index: 1, Total: 1},
		"Creating missing vms redis-server/12 (5 of 9)": {State: "started", Stage: "Creating missing vms", Task: "redis-server/abc (12)", Index: 5, Total: 9},
	} {
		NewWithT(t).Expect(describe(event)).To(Equal(want))
	}
	for _, quiet := range []boshclient.TaskEvent{{State: "finished", Stage: "Updating instance"}, {State: "in_progress", Stage: "Updating instance"}, {}} {
		NewWithT(t).Expect(describe(quiet)).To(BeEmpty())
	}
}

func TestDescribeCountsNoMoreThanThereAre(t *testing.T) {
	event := boshclient.TaskEvent{State: "started", Stage: "Preparing deployment", Task: "Rendering templates", Index: 4, Total: 3}
	NewWithT(t).Expect(describe(event)).To(Equal("Preparing deployment: Rendering templates"))
}

func TestWhatIsRememberedOfTasksIsBounded(t *testing.T) {
	g := NewWithT(t)
	progress := newGenerations[int, taskProgress]()
	reached := taskProgress{offset: 1}
	for id := range 10 * generationSize {
		progress.change(id, reached.further)
		g.Expect(len(progress.young) + len(progress.old)).To(BeNumerically("<=", 2*generationSize))
	}
	last := 10*generationSize - 1
	g.Expect(progress.get(last)).To(Equal(reached))
	g.Expect(progress.get(1)).To(BeZero())
	progress.forget(last)
	g.Expect(progress.get(last)).To(BeZero())
}

func TestProgressDoesNotGoBack(t *testing.T) {
	g := NewWithT(t)
	progress := newGenerations[int, taskProgress]()
	progress.change(1, taskProgress{offset: 9, stage: "later"}.further)
	progress.change(1, taskProgress{offset: 5, stage: "earlier"}.further)
	g.Expect(progress.get(1)).To(Equal(taskProgress{offset: 9, stage: "later"}))
}
