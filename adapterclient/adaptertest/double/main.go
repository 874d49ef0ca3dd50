// Command double is the service adapter that package adaptertest provides.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

// errTestOver ends a double that outlived its test.
var errTestOver = errors.New("the folder was removed while this call was waiting")

// childVerb makes the program be the process that another run leaves behind.
const childVerb = "be-a-child"

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "adapter double:", err)
		code = 1
	}
	os.Exit(code)
}

func run() (exitCode int, err error) {
	executable, err := os.Executable()
	if err != nil {
		return 0, err
	}
	folder := adaptertest.Folder(filepath.Dir(executable))
	if len(os.Args) < 2 {
		return 0, fmt.Errorf("no verb given")
	}
	verb, args := os.Args[1], os.Args[2:]
	if verb == childVerb {
		return 0, beAChild(folder, args)
	}
	steering, _, err := folder.Steering(verb, "")
	if err != nil {
		return 0, err
	}
	if steering.IgnoreTerm {
		signal.Ignore(syscall.SIGTERM)
	}
	var stdin []byte
	if !steering.IgnoreStdin {
		if stdin, err = io.ReadAll(os.Stdin); err != nil {
			return 0, err
		}
	}
	if err := record(folder, verb, args, stdin); err != nil {
		return 0, err
	}
	request, err := readRequest(verb, args, stdin)
	if err != nil {
		return 0, err
	}
	if forInstance, steered, err := folder.Steering(verb, request.instanceID); err != nil || steered {
		steering = forInstance
	}
	return behave(folder, request, steering)
}

func record(folder adaptertest.Folder, verb string, args []string, stdin []byte) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	return folder.Add(adaptertest.Call{
		Verb: verb, Args: args, Stdin: string(stdin), Env: os.Environ(), Dir: dir,
		PID: os.Getpid(), PGID: syscall.Getpgrp(), Started: time.Now(),
	})
}

func behave(folder adaptertest.Folder, request request, steering adaptertest.Steering) (exitCode int, err error) {
	if steering.LeaveChild > 0 {
		if err := leaveChild(folder, steering); err != nil {
			return 0, err
		}
	}
	if steering.Hold != "" && !folder.AwaitLetGo(steering.Hold) {
		return 0, errTestOver
	}
	if !folder.Sleep(steering.Sleep) {
		return 0, errTestOver
	}
	if steering.KnowBindings {
		if steering.ExitCode, err = account(folder, request); err != nil {
			return 0, err
		}
	}
	flood(os.Stderr, steering.FloodStderr)
	_, _ = os.Stderr.WriteString(steering.Stderr)
	flood(os.Stdout, steering.FloodStdout)
	output, err := outputOf(request, steering)
	if err != nil {
		return 0, err
	}
	_, _ = os.Stdout.WriteString(output)
	if steering.Signal != 0 {
		if err := syscall.Kill(os.Getpid(), steering.Signal); err != nil {
			return 0, err
		}
		select {} // until the signal arrives
	}
	return steering.ExitCode, nil
}

// account keeps account of bindings, and gives the code to exit with.
func account(folder adaptertest.Folder, request request) (exitCode int, err error) {
	switch request.verb {
	case "create-binding":
		if isNew, err := folder.KeepBinding(request.bindingID); isNew || err != nil {
			return 0, err
		}
		return 49, nil
	case "delete-binding":
		if was, err := folder.DropBinding(request.bindingID); was || err != nil {
			return 0, err
		}
		return 41, nil
	}
	return 0, nil
}

func outputOf(request request, steering adaptertest.Steering) (string, error) {
	replace := strings.NewReplacer("{{deployment}}", request.deployment, "{{instance}}", request.instanceID, "{{binding}}", request.bindingID).Replace
	switch {
	case steering.Stdout != "":
		return replace(steering.Stdout), nil
	case steering.ExitCode != 0 || steering.Signal != 0:
		return "", nil
	}
	steering.Manifest = replace(steering.Manifest)
	return request.answer(steering)
}

// flood prints that many bytes; the reader may have gone away, which is not the double's affair.
func flood(to io.Writer, size int) {
	line := append(bytes.Repeat([]byte("x"), 1023), '\n')
	for ; size > 0; size -= len(line) {
		if _, err := to.Write(line[:min(size, len(line))]); err != nil {
			return
		}
	}
}

func beAChild(folder adaptertest.Folder, args []string) error {
	duration, err := time.ParseDuration(strings.Join(args, " "))
	if err == nil {
		folder.Sleep(duration)
	}
	return err
}

func leaveChild(folder adaptertest.Folder, steering adaptertest.Steering) error {
	lock, err := folder.LockForChild()
	if err != nil {
		return err
	}
	_, err = os.StartProcess(os.Args[0], []string{os.Args[0], childVerb, steering.LeaveChild.String()}, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, lock},
		Sys:   &syscall.SysProcAttr{Setsid: steering.DetachChild},
	})
	return err
}
