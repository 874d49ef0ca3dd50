package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

// directorTask is a task with what the Director doesn't tell before its end.
type directorTask struct {
	boshclient.Task
	fate        string // the state that it will end in
	exitCodes   []int  // of an errand, one an instance
	act         func(*directorTask)
	born, ended int // when, in counts of what happened; 0 for not yet
	foreign     bool
	pruned      bool
}

// passed tells whether what the task ran went well.
func (t *directorTask) passed() bool {
	return t.State == boshclient.StateDone && !slices.ContainsFunc(t.exitCodes, func(code int) bool { return code != 0 })
}

type configKey struct{ configType, name string }

// director is a Director without time and work of its own: whoever tests with it says what happens next.
type director struct {
	mu          sync.Mutex
	tasks       []*directorTask // all that there ever were, oldest first
	deployments map[string]boshclient.Deployment
	configs     map[configKey]boshclient.Config   // the latest of each
	versions    map[configKey][]boshclient.Config // all of them, oldest first
	fates       func(errand bool) (state string, exitCodes []int)
	moments     int
	configIDs   int
	cancels     map[string]bool // the creations of which a deletion on record took the place, by context id
	stored      int             // configs, without claims
}

func newDirector(fates func(errand bool) (string, []int)) *director {
	return &director{deployments: map[string]boshclient.Deployment{}, configs: map[configKey]boshclient.Config{}, versions: map[configKey][]boshclient.Config{}, fates: fates, cancels: map[string]bool{}}
}

// absent is how the Director says that it doesn't have something.
func absent(what string) error { return fmt.Errorf("%s: %w", what, boshclient.ErrNotFound) }

func (d *director) moment() int { d.moments++; return d.moments }

// submit takes a task on. Its act is what it does if it is done.
func (d *director) submit(deployment, contextID, description string, act func(*directorTask)) int {
	t := &directorTask{Task: boshclient.Task{
		ID: len(d.tasks) + 1, State: boshclient.StateQueued, Description: description, Deployment: deployment, ContextID: contextID,
	}, act: act, born: d.moment()}
	t.fate, t.exitCodes = d.fates(strings.HasPrefix(description, errandPrefix))
	d.tasks = append(d.tasks, t)
	return t.ID
}

func (d *director) deploy(r boshclient.Deploy) (int, error) {
	name := strings.TrimPrefix(strings.SplitN(r.Manifest, "\n", 2)[0], "name: ")
	return d.submit(name, r.ContextID, "create deployment", func(t *directorTask) {
		known := d.deployments[name]
		known.Name, known.BeingCreated = name, known.Manifest == ""
		if t.State == boshclient.StateDone {
			known.Manifest, known.BeingCreated = r.Manifest, false
		}
		d.deployments[name] = known
	}), nil
}

func (d *director) runErrand(r boshclient.RunErrand) (int, error) {
	if _, ok := d.deployments[r.Deployment]; !ok {
		return 0, absent(r.Deployment)
	}
	return d.submit(r.Deployment, r.ContextID, errandPrefix+r.Errand+" from deployment "+r.Deployment, d.needsDeployment), nil
}

func (d *director) deleteDeployment(r boshclient.DeleteDeployment) (int, error) {
	if _, ok := d.deployments[r.Name]; !ok {
		return 0, absent(r.Name)
	}
	return d.submit(r.Name, r.ContextID, "delete deployment "+r.Name, func(t *directorTask) {
		d.needsDeployment(t)
		if t.State == boshclient.StateDone {
			delete(d.deployments, r.Name)
		}
	}), nil
}

// needsDeployment is the act of a task that fails when its deployment has gone meanwhile.
func (d *director) needsDeployment(t *directorTask) {
	if _, ok := d.deployments[t.Deployment]; !ok {
		t.State, t.exitCodes = boshclient.StateError, nil
	}
}

// running are the tasks that have not ended; of each deployment only the oldest can get on, since it has the lock.
func (d *director) running() []*directorTask {
	var oldest []*directorTask
	locked := map[string]bool{}
	for _, t := range d.tasks {
		if !t.Ended() && !locked[t.Deployment] {
			locked[t.Deployment] = true
			oldest = append(oldest, t)
		}
	}
	return oldest
}

// progress takes a task a state further.
func (d *director) progress(t *directorTask) {
	switch {
	case t.State == boshclient.StateQueued:
		t.State = boshclient.StateProcessing
		if t.Description == "create deployment" {
			t.act(t) // the deployment is there as soon as its task runs
		}
	case t.State == boshclient.StateProcessing && t.fate == boshclient.StateCancelled:
		t.State = boshclient.StateCancelling
	default:
		t.State, t.ended = t.fate, d.moment()
		t.act(t)
	}
}

// cancel lets a task end as cancelled, unless it does so too late.
func (d *director) cancel(id int, tooLate bool) error {
	t := d.tasks[id-1]
	if t.Ended() || t.State == boshclient.StateCancelling {
		return &boshclient.Rejected{Op: "cancel", Status: http.StatusBadRequest, Description: "Cannot cancel task"}
	}
	if t.State = boshclient.StateCancelling; !tooLate {
		t.fate, t.exitCodes = boshclient.StateCancelled, nil
	}
	return nil
}

// find gives the tasks that are still known, newest first.
func (d *director) find(wanted func(*directorTask) bool) []boshclient.Task {
	var found []boshclient.Task
	for _, t := range slices.Backward(d.tasks) {
		if !t.pruned && wanted(t) {
			found = append(found, t.Task)
		}
	}
	return found
}

// expects is the check of the expected id: a step of its own, as in a real Director.
func (d *director) expects(r boshclient.CreateConfig) error {
	known := d.configs[configKey{r.Type, r.Name}]
	if latest := cmp.Or(known.ID, "0"); r.ExpectedLatestID != nil && *r.ExpectedLatestID != latest {
		return &boshclient.ConfigChanged{Type: r.Type, Name: r.Name, LatestID: latest, ExpectedID: *r.ExpectedLatestID}
	}
	return nil
}

// number gives a new version its id. That it is there is a step of its own, as in a database: versions with higher ids may be
// seen first.
func (d *director) number() string {
	d.configIDs++
	return fmt.Sprint(d.configIDs)
}

func (d *director) createConfig(r boshclient.CreateConfig) boshclient.Config {
	return d.commit(d.number(), r)
}

func (d *director) commit(id string, r boshclient.CreateConfig) boshclient.Config {
	key := configKey{r.Type, r.Name}
	if known, exists := d.configs[key]; exists && known.Content == r.Content {
		return known
	}
	if r.Type != claimType {
		d.stored++
	}
	if known, err := decodeRecord(r.Content); r.Type == recordType && err == nil {
		d.cancels[known.Operation.Cancels], d.cancels[known.Operation.ContextID] = true, false // it may have been put back
	}
	made := boshclient.Config{ID: id, Type: r.Type, Name: r.Name, Content: r.Content, CreatedAt: time.Now().UTC().Format("2006-01-02 15:04:05 MST")}
	d.setVersions(key, append(d.versions[key], made))
	return made
}

// setVersions keeps versions in the order of their ids.
func (d *director) setVersions(key configKey, versions []boshclient.Config) {
	slices.SortFunc(versions, func(a, b boshclient.Config) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	d.configs[key], d.versions[key] = versions[len(versions)-1], versions
}

func (d *director) deleteVersion(id string) error {
	for key, versions := range d.versions {
		left := slices.DeleteFunc(slices.Clone(versions), func(c boshclient.Config) bool { return c.ID == id })
		switch {
		case len(left) == len(versions):
			continue
		case len(left) == 0:
			delete(d.configs, key)
			delete(d.versions, key)
		default:
			d.setVersions(key, left)
		}
		return nil
	}
	return absent("config " + id)
}

func (d *director) configsOf(filter boshclient.ConfigFilter) []boshclient.Config {
	var found []boshclient.Config
	for key, c := range d.configs {
		if (filter.Type != "" && filter.Type != key.configType) || (filter.Name != "" && filter.Name != key.name) {
			continue
		}
		if !filter.History {
			found = append(found, c)
			continue
		}
		found = append(found, d.versions[key]...)
	}
	slices.SortFunc(found, func(a, b boshclient.Config) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(b.ID, a.ID))
	})
	return found
}

// fault is what happens to a request on its way.
type fault int

const (
	none       fault = iota
	notSent          // the Director isn't reached
	answerLost       // it acts, and nobody gets to know
	late             // it acts some time after its answer is no longer waited for
	lost             // it may have acted, but didn't
	refused          // it says no
)

// kind of a request: what may happen to it differs.
type kind int

const (
	reads kind = iota
	stores
	submits
)

// line is the line of one broker to the Director. Each request waits at its gate, which says what happens to it.
type line struct {
	Maintaining // of which nothing is asked but to cancel tasks
	*director
	gate func(ctx context.Context, request string, of kind) fault
	send func(act func()) // what is late
}

var errCut = errors.New("connection cut")

func exchange[T any](ctx context.Context, l *line, request string, of kind, act func() (T, error)) (T, error) {
	var zero T
	away := func(sent bool) (T, error) {
		return zero, &boshclient.Unavailable{Op: request, Sent: sent, Cause: errCut}
	}
	f := l.gate(ctx, request, of)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch f {
	case notSent:
		return away(false)
	case answerLost:
		_, _ = act()
		return away(true)
	case late:
		l.send(func() { _, _ = act() })
		return away(true)
	case lost:
		return away(true)
	case refused:
		return zero, &boshclient.Rejected{Op: request, Status: http.StatusBadRequest, Code: 1, Description: "no"}
	default:
		return act()
	}
}

func (l *line) Deployment(ctx context.Context, name string) (boshclient.Deployment, error) {
	return exchange(ctx, l, "deployment "+name, reads, func() (boshclient.Deployment, error) {
		if known, ok := l.deployments[name]; ok {
			return known, nil
		}
		return boshclient.Deployment{}, absent(name)
	})
}

func (l *line) Deploy(ctx context.Context, r boshclient.Deploy) (int, error) {
	return exchange(ctx, l, "deploy "+r.ContextID, submits, func() (int, error) { return l.deploy(r) })
}

func (l *line) DeleteDeployment(ctx context.Context, r boshclient.DeleteDeployment) (int, error) {
	return exchange(ctx, l, "delete "+r.ContextID, submits, func() (int, error) { return l.deleteDeployment(r) })
}

func (l *line) RunErrand(ctx context.Context, r boshclient.RunErrand) (int, error) {
	return exchange(ctx, l, "errand "+r.Errand+" "+r.ContextID, submits, func() (int, error) { return l.runErrand(r) })
}

func (l *line) Task(ctx context.Context, id int) (boshclient.Task, error) {
	return exchange(ctx, l, fmt.Sprintf("task %d", id), reads, func() (boshclient.Task, error) {
		if found := l.find(func(t *directorTask) bool { return t.ID == id }); len(found) > 0 {
			return found[0], nil
		}
		return boshclient.Task{}, absent("task")
	})
}

func (l *line) TasksInProgress(ctx context.Context, deployment string) ([]boshclient.Task, error) {
	return exchange(ctx, l, "tasks of "+deployment, reads, func() ([]boshclient.Task, error) {
		return l.find(func(t *directorTask) bool { return t.Deployment == deployment && !t.Ended() }), nil
	})
}

func (l *line) TasksByContext(ctx context.Context, deployment, contextID string) ([]boshclient.Task, error) {
	return exchange(ctx, l, "tasks of "+contextID, reads, func() ([]boshclient.Task, error) {
		return l.find(func(t *directorTask) bool { return t.Deployment == deployment && t.ContextID == contextID }), nil
	})
}

func (l *line) CancelTask(ctx context.Context, id int) error {
	_, err := exchange(ctx, l, fmt.Sprintf("cancel %d", id), stores, func() (struct{}, error) {
		return struct{}{}, l.cancel(id, id%3 == 0)
	})
	return err
}

// TaskEvents tells of none: where a task is doesn't matter here.
func (l *line) TaskEvents(context.Context, int, int64) ([]boshclient.TaskEvent, int64, error) {
	return nil, 0, nil
}

func (l *line) TaskResult(ctx context.Context, id int) ([]byte, error) {
	return exchange(ctx, l, fmt.Sprintf("result %d", id), reads, func() ([]byte, error) {
		if id > len(l.tasks) || l.tasks[id-1].pruned {
			return nil, absent("task")
		}
		var text []byte
		for _, code := range l.tasks[id-1].exitCodes {
			text = fmt.Appendf(text, "{\"exit_code\":%d}\n", code)
		}
		return text, nil
	})
}

func (l *line) Configs(ctx context.Context, filter boshclient.ConfigFilter) ([]boshclient.Config, error) {
	return exchange(ctx, l, "configs "+filter.Name, reads, func() ([]boshclient.Config, error) { return l.configsOf(filter), nil })
}

func (l *line) EachConfig(ctx context.Context, filter boshclient.ConfigFilter, see func(boshclient.Config)) error {
	found, err := l.Configs(ctx, filter)
	for _, c := range found {
		see(c)
	}
	return err
}

// CreateConfig checks what is expected, and inserts later: in between, others may. So it is with the id that a claim gets.
func (l *line) CreateConfig(ctx context.Context, r boshclient.CreateConfig) (boshclient.Config, error) {
	var id string
	if r.Type == claimType {
		if _, err := exchange(ctx, l, "expect "+r.Type+" "+r.Name, stores, func() (struct{}, error) {
			id = l.number()
			return struct{}{}, l.expects(r)
		}); err != nil {
			return boshclient.Config{}, err
		}
	}
	return exchange(ctx, l, "store "+r.Type+" "+r.Name, stores, func() (boshclient.Config, error) {
		return l.commit(cmp.Or(id, l.number()), r), nil
	})
}

func (l *line) DeleteConfigVersion(ctx context.Context, id string) error {
	_, err := exchange(ctx, l, "remove version "+id, stores, func() (struct{}, error) { return struct{}{}, l.deleteVersion(id) })
	return err
}

func (l *line) DeleteConfig(ctx context.Context, configType, name string) error {
	_, err := exchange(ctx, l, "remove "+configType+" "+name, stores, func() (struct{}, error) {
		if _, ok := l.director.configs[configKey{configType, name}]; !ok {
			return struct{}{}, absent(configType)
		}
		delete(l.director.configs, configKey{configType, name})
		delete(l.director.versions, configKey{configType, name})
		return struct{}{}, nil
	})
	return err
}

func (l *line) Instances(context.Context, string) ([]boshclient.Instance, error) { return nil, nil }

func (l *line) Variables(context.Context, string) ([]boshclient.Variable, error) { return nil, nil }

func (l *line) LinkAddress(context.Context, boshclient.LinkAddress) (string, error) { return "", nil }

func (l *line) Info(context.Context) (boshclient.Info, error) {
	return boshclient.Info{User: "broker"}, nil
}

func (l *line) LastAnswer() time.Time { return time.Now() }
