package adaptertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Folder is where a double and its test meet. Only the double's own program has a use for it.
type Folder string

const (
	recordSuffix = ".json"
	pollInterval = 10 * time.Millisecond
)

func (f Folder) join(parts ...string) string {
	return filepath.Join(append([]string{string(f)}, parts...)...)
}

func (f Folder) calls() string           { return f.join("calls") }
func (f Folder) hold(name string) string { return f.join("held", name) }
func (f Folder) childLock() string       { return f.join("child.lock") }

// KeepBinding notes a binding; false if it is there already.
func (f Folder) KeepBinding(id string) (isNew bool, err error) {
	if err := os.MkdirAll(f.join("bindings"), 0o755); err != nil {
		return false, err
	}
	if err = os.Mkdir(f.join("bindings", id), 0o755); errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// DropBinding forgets a binding; false if there is none.
func (f Folder) DropBinding(id string) (was bool, err error) {
	if err = os.Remove(f.join("bindings", id)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (f Folder) steering(verb, instanceID string) string {
	return f.join("steering", verb, "instance-"+instanceID+".json")
}

// Steering returns what the verb is steered to do for the instance, or for all if instanceID is empty; false if
// nothing.
func (f Folder) Steering(verb, instanceID string) (Steering, bool, error) {
	text, err := os.ReadFile(f.steering(verb, instanceID))
	if errors.Is(err, fs.ErrNotExist) {
		return Steering{}, false, nil
	}
	if err != nil {
		return Steering{}, false, err
	}
	var steering Steering
	err = json.Unmarshal(text, &steering)
	return steering, err == nil, err
}

// Add records a call, if calls are recorded.
func (f Folder) Add(call Call) error {
	if _, err := os.Stat(f.calls()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	name := fmt.Sprintf("%020d-%d%s", call.Started.UnixNano(), call.PID, recordSuffix)
	return f.write(filepath.Join(f.calls(), name), call)
}

// AwaitLetGo returns true when the name is let go, false if the folder is removed: then the test is over.
func (f Folder) AwaitLetGo(name string) bool {
	for f.exists() {
		if _, err := os.Stat(f.hold(name)); err == nil {
			return true
		}
		time.Sleep(pollInterval)
	}
	return false
}

// Sleep returns true when the time is over, false if the folder is removed before.
func (f Folder) Sleep(duration time.Duration) bool {
	for end := time.Now().Add(duration); time.Now().Before(end); {
		if !f.exists() {
			return false
		}
		time.Sleep(min(time.Until(end), pollInterval))
	}
	return true
}

func (f Folder) exists() bool {
	_, err := os.Stat(string(f))
	return err == nil
}

// LockForChild returns a file whose lock lasts for as long as somebody has it open.
func (f Folder) LockForChild() (*os.File, error) {
	lock, err := os.Create(f.childLock())
	if err != nil {
		return nil, err
	}
	return lock, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
}

// write puts a value there whole or not at all, so that no reader sees a half.
func (f Folder) write(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	draft := fmt.Sprintf("%s.%d-draft", path, os.Getpid())
	if err := os.WriteFile(draft, text, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, path)
}
