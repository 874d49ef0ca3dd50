package broker

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/config"
)

// Whatever is polled, restarted, lost or cancelled, and in whatever order: each errand runs exactly once, and each operation ends
// in the state that its tasks say. The clock is the bubble's. Requests to the Director wait until the test lets one of them
// through, so that a seed always makes the same history, that of goroutines included.
func TestInterleavings(t *testing.T) { liveThrough(t, seeds{0, interleavings - 1}, false) }

// The same with two brokers on one Director, of which at any moment one may be killed, and another started.
func TestInterleavingsSideBySide(t *testing.T) { liveThrough(t, seeds{0, interleavings/8 - 1}, true) }

// sentRequest is one of the platform's, and what came of it.
type sentRequest struct {
	id, instanceID string
	verb           OperationType
	handedOut      string // the operation string; "" as long as there is none
	decoded        *Operation
	said           domain.LastOperationState
	saidAt         int // the step
}

// actor is one who asks the broker for something.
type actor struct {
	id      int
	process *process
	began   int    // the step
	end     func() // what its answer means, looked at when nobody else is at work
}

// process is one broker from its start to its end.
type process struct {
	broker  *Broker
	dead    bool
	resumed bool
}

// call is a request to the Director that waits to be let through.
type call struct {
	actor  *actor
	name   string
	of     kind
	answer chan fault
}

// history is what happens under one seed.
type history struct {
	t          *testing.T
	seed       int64
	telling    bool // of all that happens
	rng        *rand.Rand
	step       int
	calm       bool // nothing bad happens any more
	calmSince  int
	director   *director
	options    Options
	processes  []*process // those that live
	sideBySide bool

	requests  []*sentRequest
	verbs     int // still to be sent by the platform
	actors    int
	active    map[*actor]bool
	late      []lateRequest
	lateIDs   map[int]bool // tasks that arrived late
	sameNames bool
	hasty     bool // the platform: it deletes what it has just asked for
	restarted int  // the step of the last restart
	vanished  map[string]bool
	refusals  map[string]bool // by context
	pruned    bool

	mu       sync.Mutex
	waiting  []*call
	finished []*actor
}

// lateRequest is one that the Director gets when nobody waits for its answer any more.
type lateRequest struct {
	act  func()
	sent time.Time
}

type actorKey struct{}

var instances = []string{"i-1", "i-2"}

var threeErrands = []config.Errand{{Name: "first"}, {Name: "second", Instances: []string{"db/0"}}, {Name: "third"}}

// sameNames are errands that only their order tells apart.
var sameNames = []config.Errand{{Name: "first"}, {Name: "second"}, {Name: "first"}}

func newHistory(t *testing.T, seed int64, sideBySide, telling bool) *history {
	h := &history{
		t: t, sideBySide: sideBySide, seed: seed, telling: telling, rng: rand.New(rand.NewPCG(uint64(seed), 0)), active: map[*actor]bool{},
		lateIDs: map[int]bool{}, vanished: map[string]bool{}, refusals: map[string]bool{},
	}
	h.director = newDirector(h.fate)
	h.verbs = 1 + h.rng.IntN(3)
	if h.hasty = h.oneIn(4); h.hasty {
		h.verbs += 2
	}
	plan := config.Plan{ID: "plan-id", Name: "plan", LifecycleErrands: &config.LifecycleErrands{PostDeploy: threeErrands, PreDelete: threeErrands}}
	if h.sameNames = h.oneIn(4); h.sameNames {
		plan.LifecycleErrands.PostDeploy, plan.LifecycleErrands.PreDelete = sameNames, sameNames
	}
	h.options = Options{
		Adapter:  adapter{h},
		Catalog:  config.ServiceCatalog{ID: "service-id", Name: "service", Plans: []config.Plan{plan}},
		Switches: Switches{SkipCheckForPendingChanges: true, SideBySide: sideBySide, DisableBOSHConfigs: !sideBySide && h.oneIn(8)},
		Logger:   slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1})),
	}
	h.note("with configs: %t", !h.options.Switches.DisableBOSHConfigs)
	for _, id := range instances {
		h.begin(id)
	}
	h.start()
	if sideBySide {
		h.start()
	}
	return h
}

// begin decides what is there before the history: nothing, an instance, or one that the predecessor is at work on.
func (h *history) begin(instanceID string) {
	name := deploymentName(instanceID)
	deployed := boshclient.Deployment{Name: name, Manifest: "name: " + name + "\n"}
	switch n := h.rng.IntN(4); {
	case n == 0 || n == 1 && h.options.Switches.DisableBOSHConfigs: // made by the predecessor
		h.director.deployments[name] = deployed
	case n == 1:
		h.director.deployments[name] = deployed
		r := record{ServiceID: "service-id", terms: terms{PlanID: "plan-id"}, Operation: recordedOperation{Type: OperationCreate, ContextID: "earlier", State: "succeeded"}}
		h.director.createConfig(boshclient.CreateConfig{Type: recordType, Name: name, Content: r.encode()})
	case n == 2:
		if !h.oneIn(3) {
			return
		}
		id := h.director.submit(name, "old-"+instanceID, "create deployment", func(*directorTask) { h.director.deployments[name] = deployed })
		old := fmt.Sprintf(`{"BoshTaskID":%d,"BoshContextID":"old-%s","OperationType":"create","PostDeployErrand":{"Name":"first"},"PreDeleteErrand":{}}`, id, instanceID)
		if h.oneIn(2) {
			old = fmt.Sprintf(`{"BoshTaskID":%d,"BoshContextID":"old-%s","OperationType":"create","PostDeployErrand":{},"PreDeleteErrand":{},"Errands":[{"Name":"first"},{"Name":"second","Instances":["db/0"]},{"Name":"third"}]}`, id, instanceID)
		}
		h.requests = append(h.requests, &sentRequest{id: "old-" + instanceID, instanceID: instanceID, verb: OperationCreate, handedOut: old})
	}
}

func (h *history) oneIn(n int) bool { return h.rng.IntN(n) == 0 }

// fate is how a task will end.
func (h *history) fate(errand bool) (string, []int) {
	bad := []string{boshclient.StateError, boshclient.StateCancelled, boshclient.StateTimeout}
	switch n := h.rng.IntN(20); {
	case n < len(bad):
		return bad[n], nil
	case !errand:
		return boshclient.StateDone, nil
	case n == len(bad):
		return boshclient.StateDone, []int{0, 7, 0}
	default:
		return boshclient.StateDone, []int{0, 0}
	}
}

// adapter makes manifests, and configs that come and go.
type adapter struct{ h *history }

func (a adapter) GenerateManifest(_ context.Context, r adapterclient.GenerateManifest) (adapterclient.GeneratedManifest, error) {
	made := adapterclient.GeneratedManifest{Manifest: "name: " + r.ServiceDeployment.DeploymentName + "\n"}
	if !a.h.options.Switches.DisableBOSHConfigs && len(r.PreviousConfigs) == 0 {
		made.Configs = map[string]string{"cloud": "{}"}
	}
	return made, nil
}

func (adapter) DashboardURL(context.Context, adapterclient.DashboardURL) (string, error) {
	return "", adapterclient.ErrNotImplemented
}

func (adapter) CreateBinding(context.Context, adapterclient.BindingRequest) (adapterclient.Binding, error) {
	return adapterclient.Binding{}, adapterclient.ErrNotImplemented
}

func (adapter) DeleteBinding(context.Context, adapterclient.BindingRequest) error {
	return adapterclient.ErrNotImplemented
}

func (h *history) note(format string, args ...any) {
	if h.telling {
		h.t.Logf("%4d "+format, append([]any{h.step}, args...)...)
	}
}

func (h *history) wrong(format string, args ...any) {
	h.t.Helper()
	records := map[bool]string{true: "without records", false: "with records"}[h.options.Switches.DisableBOSHConfigs]
	h.t.Errorf("seed %d (%s), step %d: "+format+" (to see it all: "+replay+"=%d)", append(append([]any{h.seed, records, h.step}, args...), h.seed)...)
}

// start starts a broker on the Director.
func (h *history) start() {
	p := &process{}
	l := &line{director: h.director,
		gate: func(ctx context.Context, name string, of kind) fault { return h.gate(ctx, p, name, of) },
		send: func(act func()) { h.late = append(h.late, lateRequest{act: act, sent: time.Now()}) },
	}
	options := h.options
	options.Deployments, options.Maintaining, options.Tasks, options.Configs, options.Health = l, l, l, l, l
	b, err := New(options)
	if err != nil {
		h.t.Fatal(err)
	}
	p.broker = b
	h.processes = append(h.processes, p)
}

// gate is where a request to the Director waits.
func (h *history) gate(ctx context.Context, p *process, name string, of kind) fault {
	h.mu.Lock()
	if p.dead {
		h.mu.Unlock()
		return notSent
	}
	c := &call{actor: ctx.Value(actorKey{}).(*actor), name: name, of: of, answer: make(chan fault)}
	h.waiting = append(h.waiting, c)
	h.mu.Unlock()
	return <-c.answer
}

// act lets somebody ask the broker. What is said is looked at by the returned function.
func (h *history) act(what string, ask func(ctx context.Context, b *Broker, self *actor) func()) {
	h.actors++
	a := &actor{id: h.actors, process: h.anyProcess(), began: h.step}
	h.active[a] = true
	h.note("actor %d: %s", a.id, what)
	go func() {
		ctx := context.WithValue(context.Background(), actorKey{}, a)
		a.end = ask(ctx, a.process.broker, a)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.finished = append(h.finished, a)
	}()
}

// settle waits until everybody waits, and takes in what was answered by a broker that lives.
func (h *history) settle() {
	synctest.Wait()
	h.mu.Lock()
	finished := h.finished
	h.finished = nil
	slices.SortFunc(h.waiting, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.actor.id, b.actor.id), strings.Compare(a.name, b.name))
	})
	h.mu.Unlock()
	slices.SortFunc(finished, func(a, b *actor) int { return cmp.Compare(a.id, b.id) })
	for _, a := range finished {
		delete(h.active, a)
		if !a.process.dead {
			a.end()
		}
	}
}

// waits is how many requests wait. Time alone may bring another one.
func (h *history) waits() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.waiting)
}

// takeWaiting takes those requests that fit out of those that wait.
func (h *history) takeWaiting(fits func(i int, c *call) bool) []*call {
	h.mu.Lock()
	defer h.mu.Unlock()
	var taken, left []*call
	for i, c := range h.waiting {
		if fits(i, c) {
			taken = append(taken, c)
		} else {
			left = append(left, c)
		}
	}
	h.waiting = left
	return taken
}

// release lets one request through, or not.
func (h *history) release() {
	one := h.rng.IntN(h.waits())
	c := h.takeWaiting(func(i int, _ *call) bool { return i == one })[0]
	f := h.faultFor(c.of)
	h.note("actor %d: %s: %v", c.actor.id, c.name, f)
	if f == refused {
		h.refusals[c.name[strings.LastIndex(c.name, " ")+1:]] = true
	}
	c.answer <- f
}

func (h *history) faultFor(of kind) fault {
	if h.calm {
		return none
	}
	n := h.rng.IntN(100)
	switch {
	case n < 4:
		return notSent
	case of == reads || n >= 12:
		return none
	case n < 7:
		return answerLost
	case n < 8:
		return lost
	case of == stores:
		return none
	case n < 11:
		return late
	default:
		return refused
	}
}

// anyProcess is one of those that live.
func (h *history) anyProcess() *process {
	if len(h.processes) == 1 {
		return h.processes[0]
	}
	return h.processes[h.rng.IntN(len(h.processes))]
}

// restart ends a broker in whatever it does, and starts another. What a lone one sent arrives before: were a request still on its
// way when the next process looks for its task, nothing would tell that process of it. Side by side its claim does.
func (h *history) restart() {
	p := h.anyProcess()
	h.note("restart")
	h.restarted = h.step
	h.mu.Lock()
	p.dead = true
	h.mu.Unlock()
	for _, c := range h.takeWaiting(func(_ int, c *call) bool { return c.actor.process == p }) {
		f := notSent
		if c.of == submits {
			f = []fault{notSent, answerLost, late}[h.rng.IntN(3)]
		}
		h.note("actor %d: %s: %v", c.actor.id, c.name, f)
		c.answer <- f
		synctest.Wait()
	}
	for len(h.late) > 0 && !h.sideBySide {
		h.arrive()
	}
	p.broker.Stop()
	h.settle()
	h.processes = slices.DeleteFunc(h.processes, func(other *process) bool { return other == p })
	h.start()
}
