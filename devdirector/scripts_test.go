package devdirector_test

import (
	"strings"
	"time"

	"github.com/on-demand-broker/odb/devdirector"
)

// What the jobs, the CPI and the agents did while the recordings were made is told to the Director just before the
// request that it happened to.

func failing(stage string, code int, message string) devdirector.Outcome {
	return devdirector.Outcome{Stage: stage, Error: &devdirector.TaskError{Code: code, Message: message}}
}

func lasting(d time.Duration) devdirector.Outcome { return devdirector.Outcome{Duration: &d} }

// crashing is the Director's own failure when an errand gets the lock of a deployment that is being deleted.
func crashing() devdirector.Outcome {
	o := failing("", 100, stale)
	soon := 200 * time.Millisecond
	o.Duration = &soon
	return o
}

const (
	renderError = "Unable to render instance groups for deployment. Errors are:\n  - Unable to render jobs for instance group 'server'. Errors are:\n" +
		"    - Unable to render templates for job 'server'. Errors are:\n      - Error filling in template 'pre-start.erb' (line 4: boom in template)"
	deadAgent = "server/62b7f7eb-f56a-4c75-b029-98697fde4695: Timed out sending 'get_state' to instance: " +
		"'server/62b7f7eb-f56a-4c75-b029-98697fde4695', agent-id: '6df08538-0519-4a30-adc7-a227814aa005' after 45 seconds"
	quota    = "CPI error 'Bosh::Clouds::CloudError' with message 'quota exceeded for instances' in 'create_vm' CPI method (CPI request ID: 'cpi-245307')"
	refusal  = "CPI error 'Bosh::Clouds::CloudError' with message 'the IaaS said no' in 'delete_vm' CPI method (CPI request ID: 'cpi-716337')"
	preStart = "Action Failed get_task: Task 0abb8280-cd6a-44eb-734c-1572b43c692d result: 1 of 1 pre-start scripts failed. Failed Jobs: server."
	stale    = "undefined method `has_stale_errand_links' for nil\n" +
		"      if deployment_plan_instance_group_or_errand_group_that_is_gone.has_stale_errand_links"
)

// scripted are the outcomes that can't be read from a recorded manifest or task.
var scripted = map[string]devdirector.Outcome{
	"136-fail-render":     failing("Rendering templates", 100, renderError),
	"137-fail-prestart":   failing(devdirector.StageUpdating, 450001, preStart),
	"206-overlap-errand":  crashing(),
	"220-cancel-deploy":   lasting(10 * time.Second),
	"230-q1":              lasting(15 * time.Second),
	"231-q2":              lasting(15 * time.Second),
	"483-dead-deploy":     failing(devdirector.StagePreparing, 450002, deadAgent),
	"486-dead-errand":     failing(devdirector.StagePreparing, 450002, deadAgent),
	"540-lock-deploy":     lasting(55 * time.Second),
	"600-timeout-deploy":  {WorkerDies: true},
	"700-cpi-create-fail": failing(devdirector.StageCreating, 100, quota),
	"704-cpi-delete-fail": failing(devdirector.StageDeleting, 100, refusal),
	"732-errand-run":      lasting(5 * time.Second),
}

// script prepares the outcome of the task that the request will make: what is scripted, and how long the recorded
// task took.
func (r *replayed) script(e *exchange, tasks map[string]recordedTask) {
	switch e.name {
	case "084-deploy-errfail":
		r.director.SetErrand("smoke", devdirector.Errand{ExitCode: 3, Stdout: "smoke start\nsmoke done\n", Stderr: "to stderr\n"})
	case "100-deploy-noop":
		r.setErrands()
	}
	id := e.recordedTask()
	if id == "" {
		return
	}
	outcome, is := scripted[e.name]
	task, known := tasks[id]
	lost := known && task.Result != nil && strings.HasPrefix(*task.Result, "Failed to acquire lock")
	if !is && (!known || lost) {
		return
	}
	if known && outcome.Duration == nil && !outcome.WorkerDies {
		// A second less, for what the rounding of the two times and the time in the queue make up.
		took := max(0, time.Duration(task.Timestamp-task.StartedAt-1)*time.Second)
		outcome.Duration = &took
	}
	outcome.Deployment = task.Deployment
	r.director.AddOutcome(outcome)
}
