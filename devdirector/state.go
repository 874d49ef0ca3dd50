package devdirector

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// The kinds of records in the state folder.
const (
	deploymentRecord = "deployment"
	taskRecord       = "task"
	configRecord     = "config"
	linkRecord       = "link"
	eventRecord      = "event"
	diskRecord       = "disk"
	countersRecord   = "counters"
)

const (
	stateFile = "state.ndjson"
	lockFile  = "lock"
	// rewriteAt is the size of the log, in bytes, from which on it is rewritten when most of it is outdated.
	rewriteAt = 32 << 20
)

// store keeps the world in a folder: a log of records, each the newest state of one thing (or that it is gone). Each
// request appends what it changed before it is answered, so the Director can be killed at any moment; a line that was
// cut short at the end is ignored. (The lines are not synced to the disk one by one: a power cut may cost the last
// moments.) A nil store keeps nothing.
type store struct {
	path   string
	guard  *os.File // holds the folder against a second Director
	file   *os.File
	buffer []byte
	size   int64
	live   int64 // the size when the log was last rewritten
	err    error
}

type record struct {
	Kind  string          `json:"kind"`
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value,omitempty"`
}

func (s *store) put(kind, key string, value any) {
	if s == nil {
		return
	}
	s.append(record{kind, key, encode(value)})
}

func (s *store) drop(kind, key string) {
	if s == nil {
		return
	}
	s.append(record{Kind: kind, Key: key})
}

func (s *store) append(r record) {
	s.buffer = append(append(s.buffer, encode(r)...), '\n')
}

// flush writes what was put since the last flush.
func (s *store) flush() {
	if s == nil || len(s.buffer) == 0 || s.err != nil {
		return
	}
	written, err := s.file.Write(s.buffer)
	s.size += int64(written)
	s.buffer = s.buffer[:0]
	s.err = err
}

func (s *store) close() error {
	if s == nil {
		return nil
	}
	s.flush()
	errs := []error{s.err}
	for _, f := range []*os.File{s.file, s.guard} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// leave is the end of what enter began: what changed is kept, and the world is unlocked.
func (d *Director) leave() {
	defer d.mu.Unlock()
	s := d.world.store
	if s == nil {
		return
	}
	s.flush()
	if s.size > rewriteAt && s.size > 4*s.live && s.err == nil {
		s.err = d.world.rewrite()
	}
	if s.err != nil {
		d.broken.Store(true)
	}
}

// openWorld makes the world: a new one, or that of the state folder.
func (d *Director) openWorld() error {
	d.world = newWorld(&d.options, &d.stats)
	d.world.now = d.options.Clock.Now()
	if d.options.StateDir == "" {
		d.world.found()
		return nil
	}
	if err := d.world.load(d.options.StateDir); err != nil {
		return fmt.Errorf("state folder %s: %w", d.options.StateDir, err)
	}
	return nil
}

func (w *world) load(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	guard, err := os.OpenFile(filepath.Join(folder, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	s := &store{path: filepath.Join(folder, stateFile), guard: guard}
	if err := syscall.Flock(int(guard.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("in use by another Director: %w", err), s.close())
	}
	records, err := readRecords(s.path)
	if err == nil {
		err = w.restore(records)
	}
	if err == nil {
		w.store = s
		err = w.rewrite()
	}
	if err != nil {
		w.store = nil
		return errors.Join(err, s.close())
	}
	if len(records) == 0 {
		w.found()
	}
	w.resume()
	s.flush()
	return s.err
}

// readRecords returns the newest record of each thing, by kind and key.
func readRecords(path string) (map[string]map[string]json.RawMessage, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	records := map[string]map[string]json.RawMessage{}
	lines := bufio.NewReader(file)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return records, nil // what is left has no end: it was cut short
		}
		if err != nil {
			return nil, err
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", filepath.Base(path), number, err)
		}
		if records[r.Kind] == nil {
			records[r.Kind] = map[string]json.RawMessage{}
		}
		if r.Value == nil {
			delete(records[r.Kind], r.Key)
		} else {
			records[r.Kind][r.Key] = r.Value
		}
	}
}

// counters are the ids that must not be given out again although what had them is gone.
type counters struct {
	Config, Provider, Consumer, Link, Variable, Address, Event, Task int
}

func (w *world) keepCounters() {
	if w.store == nil {
		return
	}
	w.store.put(countersRecord, "", counters{
		w.configs.lastID, w.links.lastProvider, w.links.lastConsumer, w.links.lastLink, w.lastVariable, w.nextAddress,
		w.events.lastID, w.lastTask,
	})
}

func (w *world) restore(records map[string]map[string]json.RawMessage) error {
	var c counters
	for _, value := range records[countersRecord] {
		if err := json.Unmarshal(value, &c); err != nil {
			return fmt.Errorf("counters: %w", err)
		}
		w.configs.lastID, w.links.lastProvider, w.links.lastConsumer, w.links.lastLink = c.Config, c.Provider, c.Consumer, c.Link
		w.lastVariable, w.nextAddress, w.events.lastID, w.lastTask = c.Variable, c.Address, c.Event, c.Task
	}
	return errors.Join(
		each(records[deploymentRecord], func(dep *deployment) { w.restoreDeployment(dep) }),
		each(records[taskRecord], func(t *task) {
			w.addTask(t)
			w.lastTask = max(w.lastTask, t.ID)
		}),
		each(records[configRecord], func(c *config) { w.configs.add(c) }),
		each(records[linkRecord], func(l *link) { w.links.add(l) }),
		each(records[eventRecord], func(e *event) {
			w.events.list = append(w.events.list, e)
			id, _ := strconv.Atoi(e.ID) // always a number
			w.events.lastID = max(w.events.lastID, id)
		}),
		each(records[diskRecord], func(disk *orphanDisk) { w.disks = append(w.disks, *disk) }),
	)
}

func (w *world) restoreDeployment(dep *deployment) {
	w.addDeployment(dep)
	w.links.addDeployment(dep)
	for _, v := range dep.Variables {
		id, _ := strconv.Atoi(v.ID) // always a number
		w.lastVariable = max(w.lastVariable, id)
	}
	for _, release := range dep.Releases {
		for _, stemcell := range dep.Stemcells {
			w.compiled[compiledKey(release, stemcell)] = true
		}
	}
}

// each decodes records in the order of their keys, numbers as numbers.
func each[T any](records map[string]json.RawMessage, use func(*T)) error {
	keys := make([]string, 0, len(records))
	for key := range records {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return compareStrings(a, b)
	})
	for _, key := range keys {
		v := new(T)
		if err := json.Unmarshal(records[key], v); err != nil {
			return fmt.Errorf("record %q: %w", key, err)
		}
		use(v)
	}
	return nil
}

// resume lets the tasks that had not ended when the Director was killed go on: they queue again, in their order, and
// start over. One that was to be cancelled will be.
func (w *world) resume() {
	for _, t := range w.history {
		if t.Ended() {
			w.ended[t.Kind] = append(w.ended[t.Kind], t)
			continue
		}
		if t.State == StateProcessing {
			t.State = StateQueued
		}
		w.queue = append(w.queue, t)
	}
	w.dispatch(w.now)
	w.advance(w.now)
}

// rewrite replaces the log by one that says only what is now.
func (w *world) rewrite() error {
	s := w.store
	old := s.file
	s.buffer = s.buffer[:0]
	w.keepCounters()
	for _, dep := range w.ordered {
		w.keepDeployment(dep)
	}
	for _, t := range w.history {
		w.keepTask(t)
	}
	for _, c := range w.configs.ids {
		s.put(configRecord, itoa(c.ID), c)
	}
	for _, l := range w.links.links {
		s.put(linkRecord, itoa(l.ID), l)
	}
	for _, e := range w.events.list {
		s.put(eventRecord, e.ID, e)
	}
	for _, disk := range w.disks {
		s.put(diskRecord, disk.CID, disk)
	}
	text := bytes.Clone(s.buffer)
	s.buffer = s.buffer[:0]
	if err := replaceFile(s.path, text); err != nil {
		return err
	}
	file, err := os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.file, s.size, s.live = file, int64(len(text)), int64(len(text))
	if old != nil {
		return old.Close()
	}
	return nil
}

// replaceFile writes a file so that it is there as a whole or not at all.
func replaceFile(path string, text []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
