package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/on-demand-broker/odb/boshclient"
)

// journal is what the clients were told.
type journal struct {
	mu         sync.Mutex
	operations map[string]*operation // by the operation string
	statuses   map[int]int
	wrong      []complaint
}

// complaint is what is wrong about an instance, or about all of them.
type complaint struct{ instance, text string }

// operation is one that a broker accepted.
type operation struct {
	instance string
	state    string // as last polled; "" if nobody saw the end
	BoshContextID,
	OperationType,
	Cancels string // the context of the creation that a deletion ends first
	Errands []struct{ Name string }
}

func (j *journal) accepted(instance, text string) {
	o := &operation{instance: instance}
	err := json.Unmarshal([]byte(text), o)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.wrong = append(j.wrong, complaint{instance, fmt.Sprintf("the operation %q can't be read", text)})
		return
	}
	if _, known := j.operations[text]; !known { // the same request again gets the same one
		j.operations[text] = o
	}
}

func (j *journal) ended(text, state string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	o := j.operations[text]
	if o.state != "" && o.state != state {
		j.wrong = append(j.wrong, complaint{o.instance, fmt.Sprintf("%s %s was %s, and then %s", o.OperationType, o.BoshContextID, o.state, state)})
	}
	o.state = state
}

// expected are the statuses that a broker may answer whatever happens: nothing here is its fault or the Director's.
var expected = []int{200, 201, 202, 400, 404, 409, 410, 422}

func (j *journal) answered(method, instance, path string, a answer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.statuses[a.status]++
	if !slices.Contains(expected, a.status) {
		j.wrong = append(j.wrong, complaint{instance, fmt.Sprintf("%s %s: %d %s", method, path, a.status, a.text)})
	}
}

// open are the operations whose end nobody saw.
func (j *journal) open() map[string]*operation {
	j.mu.Lock()
	defer j.mu.Unlock()
	open := map[string]*operation{}
	for text, o := range j.operations {
		if o.state == "" {
			open[text] = o
		}
	}
	return open
}

// note complains of an instance, or of all of them if it is "".
func (j *journal) note(instance, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wrong = append(j.wrong, complaint{instance, fmt.Sprintf(format, args...)})
}

// judge compares each operation with the tasks that the Director had for it: no step ran twice, and one that succeeded had
// all of its steps.
func (j *journal) judge(ctx context.Context, bosh *boshclient.Client) {
	cancelled := map[string]bool{}
	for _, o := range j.operations {
		cancelled[o.Cancels] = true
	}
	for _, o := range j.operations {
		tasks, err := bosh.TasksByContext(ctx, "service-instance_"+o.instance, o.BoshContextID)
		if err != nil {
			j.note(o.instance, "its tasks can't be read: %v", err)
			continue
		}
		for _, complaint := range o.complaints(tasks, cancelled[o.BoshContextID]) {
			j.note(o.instance, "%s %s (%s): %s", o.OperationType, o.BoshContextID, o.state, complaint)
		}
	}
}

// complaints says what is wrong with an operation that has ended, given its tasks. One that a deletion has cancelled fails
// without a task that did.
func (o *operation) complaints(tasks []boshclient.Task, cancelled bool) []string {
	ran, bad := map[string]int{}, 0
	for _, task := range tasks {
		ran[step(task)]++
		if task.State != boshclient.StateDone {
			bad++
		}
	}
	var complaints []string
	for name, times := range ran {
		if times > 1 {
			complaints = append(complaints, fmt.Sprintf("%q ran %d times", name, times))
		}
	}
	switch o.state {
	case "succeeded":
		for _, name := range o.steps() {
			if ran[name] == 0 {
				complaints = append(complaints, fmt.Sprintf("%q never ran", name))
			}
		}
	case "failed":
		if bad == 0 && !cancelled {
			complaints = append(complaints, "none of its tasks failed")
		}
	default:
		complaints = append(complaints, "it never ended")
	}
	return complaints
}

// steps are what has to run for the operation to succeed. Errands before a deletion have nothing to run on if it ended the
// creation.
func (o *operation) steps() []string {
	steps := []string{"create deployment"}
	if o.OperationType == "delete" {
		steps = []string{"delete deployment"}
	}
	if o.Cancels != "" {
		return steps
	}
	for _, errand := range o.Errands {
		steps = append(steps, "run errand "+errand.Name)
	}
	return steps
}

// step is a task's description without the deployment's name, which differs.
func step(task boshclient.Task) string {
	name, _, _ := strings.Cut(task.Description, " from deployment")
	name, _, _ = strings.Cut(name, " service-instance_")
	return name
}
