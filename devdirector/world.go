package devdirector

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// world is everything a Director remembers. It is guarded by Director.mu, and it is always as of world.now: advance
// does what has become due.
type world struct {
	options *Options
	now     time.Time
	store   *store

	deployments map[string]*deployment
	ordered     []*deployment // by name
	locks       map[string]*lock

	tasks        map[int]*task
	history      []*task // by id
	byDeployment map[string][]*task
	byContext    map[string][]*task
	ended        map[Kind][]*task
	lastTask     int

	queue     []*task
	busy      int
	wakeups   wakeups
	lastWake  int
	durations durations
	outcomes  []*Outcome
	errands   map[string]Errand
	stats     *stats

	configs  configStore
	links    linkStore
	events   eventLog
	disks    []orphanDisk
	otherAZs []string // AZs that no cloud config names, in the order in which they were seen

	compiled     map[string]bool
	nextAddress  int
	lastVariable int
}

func newWorld(o *Options, s *stats) world {
	w := world{
		options: o, stats: s,
		deployments:  map[string]*deployment{},
		locks:        map[string]*lock{},
		tasks:        map[int]*task{},
		byDeployment: map[string][]*task{},
		byContext:    map[string][]*task{},
		ended:        map[Kind][]*task{},
		durations:    durations{all: o.TaskDuration, byKind: map[Kind]time.Duration{}},
		errands:      map[string]Errand{},
		configs:      newConfigStore(),
		links:        newLinkStore(),
		compiled:     map[string]bool{},
		lastVariable: -1,
	}
	for kind, d := range o.TaskDurations {
		w.durations.byKind[kind] = d
	}
	for name, e := range o.Errands {
		w.errands[name] = e
	}
	return w
}

// found makes what a new Director has: its first events and the cloud config.
func (w *world) found() {
	w.record(event{User: "_director", Action: "start", ObjectType: "worker", ObjectName: "worker_0"}, w.now)
	w.record(event{
		User: "_director", Action: "start", ObjectType: "director", ObjectName: w.options.UUID,
		Context: map[string]any{"version": boshVersion},
	}, w.now)
	if w.options.CloudConfig != "" {
		first := &config{ID: 1, Type: "cloud", Name: "default", Content: w.options.CloudConfig, Created: w.now}
		w.configs.add(first)
		w.store.put(configRecord, itoa(first.ID), first)
	}
}

// deployment returns the deployment, made (and owned by teams) if it isn't there.
func (w *world) deployment(name string, teams []string) *deployment {
	if found, is := w.deployments[name]; is {
		return found
	}
	made := &deployment{Name: name, Teams: teams}
	w.addDeployment(made)
	w.keepDeployment(made)
	return made
}

func (w *world) addDeployment(dep *deployment) {
	w.deployments[dep.Name] = dep
	at, _ := slices.BinarySearchFunc(w.ordered, dep.Name, compareName)
	w.ordered = slices.Insert(w.ordered, at, dep)
}

func (w *world) removeDeployment(name string) {
	at, found := slices.BinarySearchFunc(w.ordered, name, compareName)
	if !found {
		return
	}
	w.ordered = slices.Delete(w.ordered, at, at+1)
	delete(w.deployments, name)
	w.store.drop(deploymentRecord, name)
}

func compareName(d *deployment, name string) int { return cmp.Compare(d.Name, name) }

func (w *world) keepDeployment(dep *deployment) { w.store.put(deploymentRecord, dep.Name, dep) }

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func compareStrings(a, b string) int { return cmp.Compare(a, b) }
