package cftest

import (
	"context"
	"sync"
	"time"
)

// States of a job.
const (
	jobProcessing = "PROCESSING"
	jobPolling    = "POLLING"
	jobComplete   = "COMPLETE"
	jobFailed     = "FAILED"
)

type warning struct {
	Detail string `json:"detail"`
}

// job is work that was accepted, and is done later.
type job struct {
	guid, operation  string
	created, updated time.Time
	state            string
	errors           []apiError
	warnings         []warning
	about            subject
}

// subject is the resource that a job links to for as long as it is there.
type subject struct {
	name, path string
	there      func() bool // called under the lock
}

// work is what a job does, without the lock. What it returns is the job's error; nil is success.
type work func(ctx context.Context, j *job) *apiError

// start accepts a job; it is called under the lock. The answer is a 202 with the job's place.
func (c *CloudController) start(operation string, about subject, do work) response {
	r := c.newRecord("", operation)
	j := &job{
		guid: r.guid, operation: operation, created: r.created, updated: r.updated, state: jobProcessing,
		errors: []apiError{}, warnings: []warning{}, about: about,
	}
	c.world.jobs[j.guid] = j
	c.running.Add(1)
	go func() {
		defer c.running.Done()
		if !c.gate.pass(c.ctx) || !c.sleep(c.ctx, c.options.JobDelay) {
			return
		}
		failure := do(c.ctx, j)
		if c.ctx.Err() != nil {
			return
		}
		c.locked(func() { c.finish(j, failure) })
	}()
	return response{status: 202, location: c.URL() + "/v3/jobs/" + j.guid}
}

func (c *CloudController) finish(j *job, failure *apiError) {
	state := jobComplete
	if failure != nil {
		state = jobFailed
		j.errors = append(j.errors, *failure)
	}
	c.setState(j, state)
}

func (c *CloudController) setState(j *job, state string) {
	j.state, j.updated = state, c.options.Now()
}

func (c *CloudController) showJob(q *request) response {
	j, is := c.world.jobs[q.guid()]
	if !is {
		return notFound("Job")
	}
	links := map[string]link{"self": {Href: c.URL() + "/v3/jobs/" + j.guid}}
	if j.about.there() {
		links[j.about.name] = link{Href: c.URL() + j.about.path}
	}
	return ok(struct {
		recordView
		Operation string          `json:"operation"`
		State     string          `json:"state"`
		Errors    []apiError      `json:"errors"`
		Warnings  []warning       `json:"warnings"`
		Links     map[string]link `json:"links"`
	}{
		recordView{j.guid, stamp(j.created), stamp(j.updated)}, j.operation, j.state,
		append([]apiError{}, j.errors...), append([]warning{}, j.warnings...), links,
	})
}

// gate holds jobs back before workers take them up.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed when jobs may pass
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
	select {
	case <-g.opened:
	default:
		close(g.opened)
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.opened:
		g.opened = make(chan struct{})
	default:
	}
}

func (g *gate) pass(ctx context.Context) bool {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	select {
	case <-opened:
		return true
	case <-ctx.Done():
		return false
	}
}

// HoldJobs lets no worker take up a job that isn't taken up yet: they stay PROCESSING, and nothing is sent to brokers for
// them.
func (c *CloudController) HoldJobs() { c.gate.shut() }

// ReleaseJobs ends HoldJobs.
func (c *CloudController) ReleaseJobs() { c.gate.open() }
