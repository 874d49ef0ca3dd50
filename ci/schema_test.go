package ci_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"
)

// pipeline is as much of Concourse's schema as is used here. A key that is none of these is an error: it is misspelt, or it needs
// its place, and its rules, here.
type pipeline struct {
	Groups []struct {
		Name string
		Jobs []string
	}
	Resources []resource
	Jobs      []job
}

type resource struct {
	Name, Type, Icon string
	Source           map[string]any
}

type job struct {
	Name   string
	Serial bool
	Plan   []step
}

// step is one of get, put, task and in_parallel, with what may go along with it.
type step struct {
	InParallel []step `yaml:"in_parallel"`

	Get     string
	Trigger bool
	Passed  []string

	Put    string
	Inputs []string

	Task, Image, File, Timeout string

	Params map[string]any
}

type task struct {
	Platform        string
	Inputs, Outputs []struct{ Name string }
	Caches          []struct{ Path string }
	Params          map[string]any
	Run             struct{ Path string }
}

// strictly decodes a text that has no keys but those of what it is decoded into.
func strictly(text []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one document")
	}
	return nil
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// steps are a job's, in order; those of in_parallel stand where they are.
func (j job) steps() iter.Seq[step] {
	return func(yield func(step) bool) {
		for _, s := range j.Plan {
			if !yield(s) {
				return
			}
			for _, inner := range s.InParallel {
				if !yield(inner) {
					return
				}
			}
		}
	}
}

// has tells whether a job gets or puts a resource, so that versions of it can have passed the job.
func (j job) has(resource string) bool {
	for s := range j.steps() {
		if s.Get == resource || s.Put == resource {
			return true
		}
	}
	return false
}

// kinds counts how many things a step would be at once.
func (s step) kinds() int {
	kinds := 0
	for _, is := range []bool{s.Get != "", s.Put != "", s.Task != "", s.InParallel != nil} {
		if is {
			kinds++
		}
	}
	return kinds
}
