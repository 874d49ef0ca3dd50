// Package rendering renders the templates of BOSH jobs as a Director does, for tests. It needs ruby.
package rendering

import (
	"bytes"
	"context"
	_ "embed" // the renderer
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

//go:embed render.rb
var renderer string

// limit is what rendering may take, however many jobs there are.
const limit = time.Minute

// ErrNoRuby says that there is no ruby to render with.
var ErrNoRuby = errors.New("ruby is needed to render the templates of BOSH jobs: install it (apt-get install ruby, brew install ruby)")

// Job is a job of a deployment.
type Job struct {
	// Dir is the job's folder in its release.
	Dir string `json:"job"`
	// Properties are those of the manifest. Templates see only those that the job's spec names, and its defaults.
	Properties map[string]any `json:"properties"`
	// Links are by their names in the consumer's spec, which gets only those that it consumes.
	Links map[string]Link `json:"links"`
	// Spec is what templates see as spec.
	Spec map[string]any `json:"spec"`
}

// Link is what a job is told by another one.
type Link struct {
	// Provider is the folder of the job that provides the link, whose spec says which properties are shown; empty means all.
	Provider   string         `json:"job,omitempty"`
	Properties map[string]any `json:"properties"`
	Instances  []string       `json:"instances"` // addresses
	Address    string         `json:"address"`   // of all instances
}

// Rendered is what came of a job's templates: files, or what the template raised, by the paths that the job's spec gives them.
type Rendered struct {
	Files, Errors map[string]string
}

// Render renders many jobs in one Ruby process, and gives the results in the jobs' order.
func Render(ctx context.Context, jobs []Job) ([]Rendered, error) {
	ruby, err := exec.LookPath("ruby")
	if err != nil {
		return nil, ErrNoRuby
	}
	input, err := json.Marshal(jobs)
	if err != nil {
		return nil, fmt.Errorf("encoding the jobs' properties: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	command := exec.CommandContext(ctx, ruby, "-e", renderer)
	command.Stdin = bytes.NewReader(input)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("ruby: %w: %s", err, complaint.String())
	}
	var results []Rendered
	if err := json.Unmarshal(output, &results); err != nil {
		return nil, fmt.Errorf("reading what ruby rendered: %w", err)
	}
	return results, nil
}
