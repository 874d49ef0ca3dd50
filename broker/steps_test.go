package broker

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

const (
	dep        = "service-instance_i"
	deployText = "create deployment"
	deleteText = "delete deployment " + dep
)

func errandText(name string) string { return "run errand " + name + " from deployment " + dep }

func tried(id int, description, state string) attempt {
	return attempt{Task: boshclient.Task{ID: id, Description: description, State: state, Deployment: dep}}
}

func exitedBadly(a attempt) attempt { a.errandFailed = true; return a }

func TestNext(t *testing.T) {
	plain := Operation{BoshTaskID: 1, OperationType: OperationCreate}
	create := Operation{BoshTaskID: 1, BoshContextID: "c", OperationType: OperationUpdate, Errands: []Errand{{Name: "a"}, {Name: "b"}, {Name: "a"}}}
	remove := Operation{BoshTaskID: 1, BoshContextID: "c", OperationType: OperationDelete, Errands: []Errand{{Name: "a"}, {Name: "b"}}}
	force := remove
	force.OperationType = OperationForceDelete
	old := Operation{BoshTaskID: 1, BoshContextID: "c", OperationType: OperationCreate, PostDeployErrand: Errand{Name: "a"}}
	instead := Operation{BoshContextID: "d", Cancels: "c", OperationType: OperationDelete, Errands: []Errand{{Name: "a"}, {Name: "b"}}}
	of := func(contextID string, a attempt) attempt { a.ContextID = contextID; return a }
	oldDelete := Operation{BoshTaskID: 1, BoshContextID: "c", OperationType: OperationDelete, PreDeleteErrand: Errand{Name: "a"}}

	const done, queued, processing, cancelling = boshclient.StateDone, boshclient.StateQueued, boshclient.StateProcessing, boshclient.StateCancelling
	const failed, cancelled, timeout = boshclient.StateError, boshclient.StateCancelled, boshclient.StateTimeout
	deployed := tried(1, deployText, done)
	others := attempt{Task: boshclient.Task{ID: 9, Description: errandText("a"), State: failed, Deployment: "service-instance_other"}}

	for name, c := range map[string]struct {
		operation Operation
		tasks     []attempt
		want      action
		task      int
		due       string
	}{
		"no tasks at all":                              {plain, nil, cannotTell, 0, ""},
		"only other people's":                          {create, []attempt{tried(7, errandText("z"), done), others}, cannotTell, 0, ""},
		"the deploy is queued":                         {plain, []attempt{tried(1, deployText, queued)}, wait, 1, ""},
		"the deploy runs":                              {create, []attempt{tried(1, deployText, processing)}, wait, 1, ""},
		"the deploy is cancelled":                      {create, []attempt{tried(1, deployText, cancelled)}, fail, 1, ""},
		"the deploy is cancelling, which is not over":  {create, []attempt{tried(1, deployText, cancelling)}, wait, 1, ""},
		"the deploy failed":                            {create, []attempt{tried(1, deployText, failed)}, fail, 1, ""},
		"the deploy timed out":                         {plain, []attempt{tried(1, deployText, timeout)}, fail, 1, ""},
		"the deploy is done, and there are no errands": {plain, []attempt{deployed}, succeed, 1, ""},
		"the deploy is done":                           {create, []attempt{deployed}, start, 1, "errand a"},
		"the first errand runs":                        {create, []attempt{tried(2, errandText("a"), processing), deployed}, wait, 2, ""},
		"the first errand is done":                     {create, []attempt{tried(2, errandText("a"), done), deployed}, start, 2, "errand b"},
		"the first errand exited badly":                {create, []attempt{exitedBadly(tried(2, errandText("a"), done)), deployed}, fail, 2, ""},
		"the first errand was cancelled":               {create, []attempt{tried(2, errandText("a"), cancelled), deployed}, fail, 2, ""},
		"two are done, the third has the first's name": {create, []attempt{tried(3, errandText("b"), done), tried(2, errandText("a"), done), deployed}, start, 3, "errand a"},
		"all are done":                                 {create, []attempt{tried(4, errandText("a"), done), tried(3, errandText("b"), done), tried(2, errandText("a"), done), deployed}, succeed, 4, ""},
		"the last failed":                              {create, []attempt{tried(4, errandText("a"), failed), tried(3, errandText("b"), done), tried(2, errandText("a"), done), deployed}, fail, 4, ""},
		"tasks of others in between":                   {create, []attempt{tried(5, errandText("z"), failed), tried(2, errandText("a"), done), others, deployed}, start, 2, "errand b"},
		"the deploy's task is forgotten":               {create, []attempt{tried(2, errandText("a"), done)}, start, 2, "errand b"},
		"all tasks but the last are forgotten":         {create, []attempt{tried(3, errandText("b"), done)}, start, 3, "errand a"},

		"delete: the first errand runs":              {remove, []attempt{tried(1, errandText("a"), processing)}, wait, 1, ""},
		"delete: the first errand is done":           {remove, []attempt{tried(1, errandText("a"), done)}, start, 1, "errand b"},
		"delete: all errands are done":               {remove, []attempt{tried(1, errandText("a"), done), tried(2, errandText("b"), done)}, start, 2, "delete"},
		"delete: an errand failed":                   {remove, []attempt{exitedBadly(tried(1, errandText("a"), done))}, fail, 1, ""},
		"delete: the deletion runs":                  {remove, []attempt{tried(1, errandText("a"), done), tried(2, errandText("b"), done), tried(3, deleteText, queued)}, wait, 3, ""},
		"delete: the deletion failed":                {remove, []attempt{tried(2, errandText("b"), done), tried(3, deleteText, failed)}, fail, 3, ""},
		"delete: the deletion is done":               {remove, []attempt{tried(3, deleteText, done)}, succeed, 3, ""},
		"delete by force: an errand failed":          {force, []attempt{tried(1, errandText("a"), failed)}, start, 1, "errand b"},
		"delete by force: the last errand failed":    {force, []attempt{tried(1, errandText("a"), done), exitedBadly(tried(2, errandText("b"), done))}, start, 2, "delete"},
		"delete by force: the deletion itself fails": {force, []attempt{tried(3, deleteText, failed)}, fail, 3, ""},

		"delete instead: the creation's deploy runs":                  {instead, []attempt{of("c", tried(1, deployText, processing))}, halt, 1, ""},
		"delete instead: the creation's deploy is queued":             {instead, []attempt{of("c", tried(1, deployText, queued))}, halt, 1, ""},
		"delete instead: it is being cancelled":                       {instead, []attempt{of("c", tried(1, deployText, cancelling))}, wait, 1, ""},
		"delete instead: the creation's errand runs":                  {instead, []attempt{of("c", tried(2, errandText("a"), processing)), of("c", deployed)}, halt, 2, ""},
		"delete instead: the deploy runs after all":                   {instead, []attempt{of("c", tried(1, deployText, processing)), of("c", tried(2, errandText("a"), failed))}, halt, 1, ""},
		"delete instead: the creation is cancelled":                   {instead, []attempt{of("c", tried(1, deployText, cancelled))}, start, 1, "errand a"},
		"delete instead: the creation was too fast":                   {instead, []attempt{of("c", tried(2, errandText("b"), done)), of("c", deployed)}, start, 2, "errand a"},
		"delete instead: the first errand runs, whose name both have": {instead, []attempt{of("c", tried(1, deployText, cancelled)), of("d", tried(2, errandText("a"), processing))}, wait, 2, ""},
		"delete instead: without errands":                             {instead, []attempt{of("c", tried(1, deployText, cancelled)), of("d", tried(2, deleteText, processing))}, wait, 2, ""},
		"delete instead: done":                                        {instead, []attempt{of("d", tried(2, deleteText, done))}, succeed, 2, ""},
		"delete instead: all is forgotten":                            {instead, nil, cannotTell, 0, ""},

		"as begun by a broker of old":            {old, []attempt{deployed}, start, 1, "errand a"},
		"as begun by a broker of old, done":      {old, []attempt{deployed, tried(2, errandText("a"), done)}, succeed, 2, ""},
		"a deletion as begun by a broker of old": {oldDelete, []attempt{tried(1, errandText("a"), done)}, start, 1, "delete"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got := next(c.operation, dep, c.tasks)
			g.Expect(got.action).To(Equal(c.want))
			g.Expect(got.task.ID).To(Equal(c.task))
			if c.want == start {
				g.Expect(got.due.String()).To(Equal(c.due))
			}
		})
	}
}

func TestWorstExitCode(t *testing.T) {
	for text, want := range map[string]int{
		"":                0,
		`{"exit_code":0}`: 0,
		`{"exit_code":3}`: 3,
		"{\"exit_code\":0}\n{\"exit_code\":7}\n{\"exit_code\":0}\n": 7,
	} {
		got, err := worstExitCode([]byte(text))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(got).To(Equal(want), text)
	}
	_, err := worstExitCode([]byte(`{"exit_code":0} rubbish`))
	NewWithT(t).Expect(err).To(HaveOccurred(), "what can't be read has not passed")
}
