package ci_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// coreTypes are the resource types that come with Concourse and may be used without being declared.
var coreTypes = []string{"bosh-io-release", "bosh-io-stemcell", "docker-image", "git", "github-release", "hg", "mock", "pool", "registry-image", "s3", "semver", "time"}

var identifier = regexp.MustCompile(`^[a-z][a-z0-9._-]*$`)

// checker goes through a pipeline by Concourse's rules and notes what breaks them.
type checker struct {
	pipeline pipeline
	problems []string
}

// problemsOf gives all that Concourse would refuse in a pipeline's text, and what it would run into.
func problemsOf(text []byte) []string {
	var c checker
	if err := strictly(text, &c.pipeline); err != nil {
		return []string{err.Error()}
	}
	c.checkResources()
	c.checkGroups()
	for i, j := range c.pipeline.Jobs {
		c.checkJob(j, c.pipeline.Jobs[:i])
	}
	return c.problems
}

func (c *checker) tell(format string, values ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, values...))
}

func (c *checker) checkResources() {
	seen := map[string]bool{}
	for _, r := range c.pipeline.Resources {
		switch {
		case !identifier.MatchString(r.Name):
			c.tell("resource %q: that is no name", r.Name)
		case seen[r.Name]:
			c.tell("resource %s is there twice", r.Name)
		case !slices.Contains(coreTypes, r.Type):
			c.tell("resource %s: %q is no type of Concourse's own", r.Name, r.Type)
		case len(r.Source) == 0:
			c.tell("resource %s has no source", r.Name)
		case !slices.ContainsFunc(c.pipeline.Jobs, func(j job) bool { return j.has(r.Name) }):
			c.tell("resource %s is not used", r.Name)
		}
		seen[r.Name] = true
	}
}

func (c *checker) checkGroups() {
	grouped := map[string]bool{}
	for _, g := range c.pipeline.Groups {
		for _, name := range g.Jobs {
			grouped[name] = true
			if !slices.ContainsFunc(c.pipeline.Jobs, func(j job) bool { return j.Name == name }) {
				c.tell("group %s: there is no job %s", g.Name, name)
			}
		}
	}
	for _, j := range c.pipeline.Jobs {
		if len(c.pipeline.Groups) > 0 && !grouped[j.Name] {
			c.tell("job %s is in no group", j.Name)
		}
	}
}

// checkJob checks a job; those before it are those that its resources may have passed, so that none waits for itself.
func (c *checker) checkJob(j job, before []job) {
	if !identifier.MatchString(j.Name) || len(j.Plan) == 0 {
		c.tell("job %q needs a name and a plan", j.Name)
	}
	if slices.ContainsFunc(before, func(other job) bool { return other.Name == j.Name }) {
		c.tell("job %s is there twice", j.Name)
	}
	there := map[string]bool{} // the artifacts that there are when a step begins
	for s := range j.steps() {
		where := "job " + j.Name
		switch {
		case s.kinds() != 1:
			c.tell("%s: a step is one of get, put, task and in_parallel", where)
		case s.Get != "":
			c.checkGet(where+", get "+s.Get, s, before)
			there[s.Get] = true
		case s.Put != "":
			c.checkPut(where+", put "+s.Put, s, there)
			there[s.Put] = true
		case s.Task != "":
			c.checkTask(where+", task "+s.Task, s, there)
		}
	}
}

func (c *checker) checkGet(where string, s step, before []job) {
	c.checkResource(where, s.Get)
	for _, name := range s.Passed {
		i := slices.IndexFunc(before, func(j job) bool { return j.Name == name })
		switch {
		case i < 0:
			c.tell("%s: there is no job %s before this one to pass", where, name)
		case !before[i].has(s.Get):
			c.tell("%s: job %s neither gets nor puts it", where, name)
		}
	}
}

func (c *checker) checkPut(where string, s step, there map[string]bool) {
	c.checkResource(where, s.Put)
	for _, input := range s.Inputs {
		if !there[input] {
			c.tell("%s: nothing provides the input %s", where, input)
		}
	}
	for _, key := range []string{"file", "tag", "repository"} {
		if value, given := s.Params[key].(string); given {
			if artifact, _, _ := strings.Cut(value, "/"); !slices.Contains(s.Inputs, artifact) {
				c.tell("%s: %s is %s, and %s is not among the inputs", where, key, value, artifact)
			}
		}
	}
}

func (c *checker) checkResource(where, name string) {
	if !slices.ContainsFunc(c.pipeline.Resources, func(r resource) bool { return r.Name == name }) {
		c.tell("%s: there is no such resource", where)
	}
}

func (c *checker) checkTask(where string, s step, there map[string]bool) {
	if limit, err := time.ParseDuration(s.Timeout); err != nil || limit <= 0 {
		c.tell("%s: %q is no timeout", where, s.Timeout)
	}
	if !there[s.Image] {
		c.tell("%s: nothing provides the image %q", where, s.Image)
	}
	artifact, file, _ := strings.Cut(s.File, "/")
	if artifact != "source" || !there[artifact] {
		c.tell("%s: nothing provides the file %q", where, s.File)
		return
	}
	text, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		c.tell("%s: %v", where, err)
		return
	}
	var t task
	if err := strictly(text, &t); err != nil {
		c.tell("%s: %s: %v", where, s.File, err)
		return
	}
	c.checkTaskFile(where, s, t, there)
}

func (c *checker) checkTaskFile(where string, s step, t task, there map[string]bool) {
	if t.Platform != "linux" {
		c.tell("%s: the platform is %q", where, t.Platform)
	}
	inputs := map[string]bool{}
	for _, input := range t.Inputs {
		inputs[input.Name] = true
		if !there[input.Name] {
			c.tell("%s: nothing provides the input %s", where, input.Name)
		}
	}
	for _, output := range t.Outputs {
		there[output.Name] = true
	}
	for _, cache := range t.Caches {
		if path.IsAbs(cache.Path) || cache.Path == "" {
			c.tell("%s: the cache %q isn't below the task's folder", where, cache.Path)
		}
	}
	for name, byDefault := range t.Params {
		if value, given := s.Params[name]; byDefault == nil && (!given || value == nil) {
			c.tell("%s: the param %s is missing", where, name)
		}
	}
	for name := range s.Params {
		if _, known := t.Params[name]; !known {
			c.tell("%s: the task has no param %s", where, name)
		}
	}
	artifact, script, _ := strings.Cut(t.Run.Path, "/")
	info, err := os.Stat(filepath.Join("..", script))
	if artifact != "source" || !inputs[artifact] || err != nil || info.Mode()&0o111 == 0 {
		c.tell("%s: %s can't be run", where, t.Run.Path)
	}
}
