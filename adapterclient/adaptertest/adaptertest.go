// Package adaptertest provides a service adapter for tests: a true executable, so that what is tested is a true
// process. It records what it receives and, unless it is steered otherwise, behaves like the adapter of a plain service.
// Records and steering are files in the double's folder, read at each run: it can be steered while a broker uses it.
// A double that still waits for something when its folder is removed ends.
package adaptertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Program is the compiled double. One is enough for a test process.
type Program struct{ path string }

// Build compiles the double into the folder. It needs the go command and a working directory inside this module.
func Build(ctx context.Context, dir string) (Program, error) {
	path, err := filepath.Abs(filepath.Join(dir, "adapter-double"))
	if err != nil {
		return Program{}, fmt.Errorf("building the adapter double: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", path,
		"github.com/on-demand-broker/odb/adapterclient/adaptertest/double")
	if output, err := build.CombinedOutput(); err != nil {
		return Program{}, fmt.Errorf("building the adapter double: %w: %s", err, output)
	}
	return Program{path: path}, nil
}

// Double is one adapter; doubles in different folders don't know each other.
type Double struct {
	// Path is the executable, for service_adapter.path.
	Path   string
	folder Folder
}

// Install puts a double into an empty folder, on the file system that the program was built on.
func (p Program) Install(dir string) (*Double, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("installing the adapter double: %w", err)
	}
	double := &Double{Path: filepath.Join(dir, "service-adapter"), folder: Folder(dir)}
	if err := os.Link(p.path, double.Path); err != nil {
		return nil, fmt.Errorf("installing the adapter double: %w", err)
	}
	if err := double.Record(true); err != nil {
		return nil, err
	}
	return double, nil
}

// Record turns the recording of calls on, as it is at first, or off, for runs by the thousand. Off also forgets.
func (d *Double) Record(on bool) error {
	if on {
		return os.MkdirAll(d.folder.calls(), 0o755)
	}
	return os.RemoveAll(d.folder.calls())
}

// Forget forgets the calls recorded so far.
func (d *Double) Forget() error {
	return errors.Join(d.Record(false), d.Record(true))
}

// Calls returns the recorded calls, earliest first. A call is recorded when its input is read, before it does anything.
func (d *Double) Calls() ([]Call, error) {
	entries, err := os.ReadDir(d.folder.calls())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var calls []Call
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != recordSuffix {
			continue
		}
		text, err := os.ReadFile(filepath.Join(d.folder.calls(), entry.Name()))
		if err != nil {
			return nil, err
		}
		var call Call
		if err := json.Unmarshal(text, &call); err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		calls = append(calls, call)
	}
	return calls, nil
}

// CallsOf returns the recorded calls of one verb.
func (d *Double) CallsOf(verb string) ([]Call, error) {
	calls, err := d.Calls()
	var ofVerb []Call
	for _, call := range calls {
		if call.Verb == verb {
			ofVerb = append(ofVerb, call)
		}
	}
	return ofVerb, err
}

// Steer makes all further calls of a verb behave as told.
func (d *Double) Steer(verb string, steering Steering) error {
	return d.folder.write(d.folder.steering(verb, ""), steering)
}

// SteerInstance does the same for the calls that concern one service instance, named by its id; it goes before Steer. It
// has no meaning for generate-plan-schemas, which concerns none, and comes too late for IgnoreStdin and IgnoreTerm.
func (d *Double) SteerInstance(verb, instanceID string, steering Steering) error {
	return d.folder.write(d.folder.steering(verb, instanceID), steering)
}

// Unsteer makes all verbs behave as at first.
func (d *Double) Unsteer() error { return os.RemoveAll(d.folder.join("steering")) }

// LetGo lets the calls go on that are held under the name; see Steering.Hold.
func (d *Double) LetGo(name string) error {
	return d.folder.write(d.folder.hold(name), true)
}

// ChildAlive reports whether a process that a call left behind (Steering.LeaveChild) is still there.
func (d *Double) ChildAlive() (bool, error) {
	lock, err := os.Open(d.folder.childLock())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer lock.Close()
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// Call is what one run of the double received.
type Call struct {
	Verb string
	// Args are the arguments after the verb.
	Args  []string
	Stdin string
	Env   []string
	Dir   string
	// PID and PGID are the process and its group.
	PID, PGID int
	Started   time.Time
}

// Steering says what a call does instead of the default. Zero fields change nothing.
type Steering struct {
	// IgnoreStdin leaves stdin unread.
	IgnoreStdin bool
	// IgnoreTerm makes SIGTERM have no effect.
	IgnoreTerm bool
	// Hold makes the call wait, once it is recorded, until LetGo is called with this name.
	Hold string
	// Sleep makes the call wait, once it is recorded.
	Sleep time.Duration
	// FloodStdout and FloodStderr are numbers of bytes to print before anything else.
	FloodStdout, FloodStderr int
	// KnowBindings makes calls about bindings keep account of them: one that is there already exits with 49, one that isn't
	// with 41 (adapter protocol: exit codes).
	KnowBindings bool
	// Stderr is printed as it is.
	Stderr string
	// Stdout is printed instead of the default output, with {{deployment}}, {{instance}} and {{binding}} replaced. Without it a call
	// that has an ExitCode or a Signal prints nothing.
	Stdout string
	// Manifest replaces the default manifest, in the form that the mode in use wants, with the same replacements.
	Manifest string
	// Secrets, Configs and Labels go with the default or the given manifest.
	Secrets, Configs, Labels map[string]any
	// LeaveChild starts a process, before all waiting, that holds stdout and stderr open for this long.
	LeaveChild time.Duration
	// DetachChild moves that process to a session, and so to a group, of its own.
	DetachChild bool
	// ExitCode is the code to exit with.
	ExitCode int
	// Signal is sent by the call to itself at its end.
	Signal syscall.Signal
}
