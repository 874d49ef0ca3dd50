package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

// predecessor is the existing broker as far as a change of brokers is about it: it begins operations, and reads the operation strings
// that a platform sends. It remembers nothing.
type predecessor struct{ director *boshclient.Client }

type oldErrand struct {
	Name      string
	Instances []string
}

// oldOperation is all that it reads of an operation string.
type oldOperation struct {
	BoshTaskID       int
	BoshContextID    string `json:",omitempty"`
	OperationType    string
	PostDeployErrand struct{}
	PreDeleteErrand  struct{}
	Errands          []oldErrand `json:",omitempty"`
}

func (o oldOperation) text() string {
	GinkgoHelper()
	text, err := json.Marshal(o)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// creates deploys a manifest and returns the operation string.
func (p predecessor) creates(manifest string, errands ...oldErrand) string {
	GinkgoHelper()
	o := oldOperation{BoshContextID: "of-old-" + strconv.Itoa(len(manifest)), OperationType: "create", Errands: errands}
	var err error
	o.BoshTaskID, err = p.director.Deploy(GinkgoT().Context(), boshclient.Deploy{Manifest: manifest, ContextID: o.BoshContextID})
	Expect(err).NotTo(HaveOccurred())
	return o.text()
}

// deletes runs the first pre-delete errand and returns the operation string.
func (p predecessor) deletes(deployment string, errands ...oldErrand) string {
	GinkgoHelper()
	o := oldOperation{BoshContextID: "deletion-of-old", OperationType: "delete", Errands: errands}
	var err error
	o.BoshTaskID, err = p.run(GinkgoT().Context(), deployment, o, 0)
	Expect(err).NotTo(HaveOccurred())
	return o.text()
}

func (p predecessor) run(ctx context.Context, deployment string, o oldOperation, errand int) (int, error) {
	return p.director.RunErrand(ctx, boshclient.RunErrand{Deployment: deployment, Errand: o.Errands[errand].Name, Instances: o.Errands[errand].Instances, ContextID: o.BoshContextID})
}

// follow polls until the operation has ended.
func (p predecessor) follow(deployment, operation string) (state string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var err error
		state, err = p.lastOperation(GinkgoT().Context(), deployment, operation)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(state).NotTo(Equal("in progress"))
	}).WithTimeout(30 * time.Second).WithPolling(5 * time.Millisecond).Should(Succeed())
	return state
}

// lastOperation counts the tasks of the operation: with so many errands, so many tasks make the end.
func (p predecessor) lastOperation(ctx context.Context, deployment, operation string) (state string, err error) {
	var o oldOperation
	if err := json.Unmarshal([]byte(operation), &o); err != nil {
		return "", err
	}
	if o.BoshTaskID == 0 {
		return "", errors.New("no task")
	}
	deletes := strings.HasSuffix(o.OperationType, "delete")
	latest, count, err := p.tasks(ctx, deployment, o)
	if err != nil || latest != boshclient.StateDone {
		return oldState(latest), err
	}
	switch errands := len(o.Errands); {
	case o.BoshContextID != "" && deletes && count == errands:
		_, err = p.director.DeleteDeployment(ctx, boshclient.DeleteDeployment{Name: deployment, ContextID: o.BoshContextID})
		return "in progress", err
	case o.BoshContextID != "" && deletes && count < errands:
		_, err = p.run(ctx, deployment, o, count)
		return "in progress", err
	case o.BoshContextID != "" && !deletes && count <= errands:
		_, err = p.run(ctx, deployment, o, count-1)
		return "in progress", err
	case deletes:
		err = p.deleteConfigs(ctx, deployment)
	}
	return oldState(latest), err
}

// tasks gives the state of the newest task and how many there are.
func (p predecessor) tasks(ctx context.Context, deployment string, o oldOperation) (latest string, count int, err error) {
	if o.BoshContextID == "" {
		task, err := p.director.Task(ctx, o.BoshTaskID)
		return task.State, 1, err
	}
	tasks, err := p.director.TasksByContext(ctx, deployment, o.BoshContextID)
	if err == nil && len(tasks) == 0 {
		err = errors.New("no task of the context")
	}
	if err != nil {
		return "", 0, err
	}
	return tasks[0].State, len(tasks), nil
}

func oldState(task string) string {
	switch {
	case task == boshclient.StateDone:
		return "succeeded"
	case slices.Contains([]string{boshclient.StateQueued, boshclient.StateProcessing, boshclient.StateCancelling}, task):
		return "in progress"
	}
	return "failed"
}

// deleteConfigs deletes every config of the deployment's name, of whatever type.
func (p predecessor) deleteConfigs(ctx context.Context, deployment string) error {
	found, err := p.director.Configs(ctx, boshclient.ConfigFilter{Name: deployment})
	for _, c := range found {
		err = errors.Join(err, p.director.DeleteConfig(ctx, c.Type, c.Name))
	}
	return err
}
