package cfclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// JobState is how far a job is (V3 API, "Jobs").
type JobState string

// The states. PROCESSING and POLLING go on by themselves; the latter waits for the broker's operation.
const (
	JobStateProcessing JobState = "PROCESSING"
	JobStatePolling    JobState = "POLLING"
	JobStateComplete   JobState = "COMPLETE"
	JobStateFailed     JobState = "FAILED"
)

// Warnings are what Cloud Foundry wants an operator to read although nothing failed.
type Warnings []string

// Job is Cloud Foundry's work on a change that it has accepted.
type Job struct {
	GUID      string
	Operation string // e.g. "service_instance.update"
	State     JobState
	Errors    []Problem
	Warnings  Warnings
}

// Done tells whether the job has ended, well or not.
func (j Job) Done() bool { return j.State == JobStateComplete || j.State == JobStateFailed }

// Err is a *JobFailed for a job that failed, else nil.
func (j Job) Err() error {
	if j.State != JobStateFailed {
		return nil
	}
	return &JobFailed{Job: j}
}

// Job asks for one job. Beyond the usual errors there is ErrNotFound: Cloud Foundry forgets jobs some time after their end.
func (c *Client) Job(ctx context.Context, guid string) (Job, error) {
	at, err := segment("job", guid)
	if err != nil {
		return Job{}, err
	}
	found, err := c.api.Jobs.Get(ctx, at)
	if err == nil && found.State == "" {
		err = errForeignAnswer
	}
	if err != nil {
		return Job{}, fact(err)
	}
	job := Job{GUID: found.GUID, Operation: found.Operation, State: JobState(found.State)}
	for _, e := range found.Errors {
		job.Errors = append(job.Errors, Problem{Code: e.Code, Title: e.Title, Detail: e.Detail})
	}
	for _, w := range found.Warnings {
		job.Warnings = append(job.Warnings, w.Detail)
	}
	return job, nil
}

// waits says how long is waited for things that take their time.
type waits struct {
	firstPoll, longestPoll time.Duration // between polls of a job: from the one, half as much again each time, up to the other
	busy                   time.Duration // in all, for another operation on a broker to end
	away                   time.Duration // of a job's polls without a usable answer, before they are given up
}

func usualWaits() waits {
	return waits{firstPoll: 100 * time.Millisecond, longestPoll: 5 * time.Second, busy: 5 * time.Minute, away: 2 * time.Minute}
}

func (w waits) next(pause time.Duration) time.Duration { return min(pause+pause/2, w.longestPoll) }

// WaitJob polls a job until it has ended or the ctx does. The error of a job that failed is *JobFailed. A Cloud Foundry that
// is away for some minutes ends nothing.
func (c *Client) WaitJob(ctx context.Context, guid string) (Job, error) {
	pause, answered := c.waits.firstPoll, time.Now()
	for {
		job, err := c.Job(ctx, guid)
		var away *Unavailable
		switch {
		case err == nil:
			answered = time.Now()
		case ctx.Err() != nil || !errors.As(err, &away) || time.Since(answered) > c.waits.away:
			return Job{}, err
		}
		if job.Done() {
			return job, job.Err()
		}
		if !sleep(ctx, pause) {
			return job, &Unavailable{Op: "waiting for job " + guid, sent: true, Cause: context.Cause(ctx)}
		}
		pause = c.waits.next(pause)
	}
}

// finished waits for the job of a change, if there is one, and gives its warnings.
func (c *Client) finished(ctx context.Context, job string, err error) (Warnings, error) {
	if err != nil {
		return nil, fact(err)
	}
	if job == "" {
		return nil, nil
	}
	ended, err := c.WaitJob(ctx, job)
	return ended.Warnings, err
}

// jobOf is the guid of the job that an answer leads to; "" if it leads to none.
func jobOf(answer *http.Response) string {
	location, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		return ""
	}
	parent, guid := path.Split(strings.TrimSuffix(location.Path, "/"))
	if !strings.HasSuffix(parent, "/jobs/") {
		return ""
	}
	return guid
}
