package devdirector

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errandTarget selects instances for an errand: a group, and perhaps an id, an index or "first".
type errandTarget struct {
	Group string `json:"group"`
	ID    string `json:"id"`
}

type errandRequest struct {
	KeepAlive bool           `json:"keep-alive"`
	Instances []errandTarget `json:"instances"`
}

type errandName struct {
	Name string `json:"name"`
}

// listErrands lists the errand groups and the jobs that can run as errands.
func (d *Director) listErrands(_ *request, dep *deployment) response {
	m := dep.previousManifest()
	if m == nil {
		return refuse(http.StatusNotFound, codeNoDeployment, "- Deployment '' doesn't exist")
	}
	var names []string
	for _, group := range m.Groups {
		if group.isErrand() {
			names = append(names, group.Name)
		}
		for _, job := range group.Jobs {
			if group.isErrand() || d.world.isErrandJob(job) {
				names = append(names, job.Name)
			}
		}
	}
	slices.Sort(names)
	list := []errandName{}
	for _, name := range slices.Compact(names) {
		list = append(list, errandName{name})
	}
	return ok(list)
}

func (w *world) isErrandJob(job manifestJob) bool {
	for _, r := range w.options.Releases {
		if r.Name == job.Release && slices.Contains(r.ErrandJobs, job.Name) {
			return true
		}
	}
	_, scripted := w.errands[job.Name]
	return scripted
}

// runErrand accepts any errand; one that doesn't exist fails in the task. An empty body is more than the Director
// can take.
func (d *Director) runErrand(q *request, dep *deployment) response {
	if refusal := checkContextID(q); refusal != nil {
		return *refusal
	}
	var asked errandRequest
	if err := json.Unmarshal(q.body, &asked); err != nil {
		return response{status: http.StatusInternalServerError}
	}
	name := q.param(1)
	return redirectTo(d.world.newTask(task{
		Kind: KindErrand, Description: "run errand " + name + " from deployment " + dep.Name, User: q.user.name,
		Deployment: dep.Name, Teams: dep.Teams, ContextID: q.contextID(),
		Work: work{Errand: name, Targets: asked.Instances, KeepAlive: asked.KeepAlive},
	}))
}

// errandGroups are the groups that an errand of that name runs in: the errand group itself, or all with such a job.
func (w *world) errandGroups(m *manifest, name string) []manifestGroup {
	for _, group := range m.Groups {
		if group.isErrand() && group.Name == name {
			return []manifestGroup{group}
		}
	}
	var found []manifestGroup
	for _, group := range m.Groups {
		for _, job := range group.Jobs {
			// With no list of releases, any job may be an errand.
			if job.Name == name && (group.isErrand() || w.isErrandJob(job) || len(w.options.Releases) == 0) {
				found = append(found, group)
				break
			}
		}
	}
	return found
}

func (w *world) planErrand(p *planner, t *task) {
	dep, is := w.deployments[t.Deployment]
	if !is {
		p.fail(nil, &TaskError{codeNoDeployment, "Deployment '" + t.Deployment + "' doesn't exist"})
		return
	}
	dep.grow()
	preparing := stageEvent{stage: StagePreparing, total: 1, task: "Preparing deployment", index: 1}
	p.begin(preparing)
	instances, groups, cause := w.errandInstances(dep, t)
	if cause != nil {
		p.fail(&preparing, cause)
		return
	}
	lifecycle := slices.ContainsFunc(groups, func(g manifestGroup) bool { return g.isErrand() })
	if lifecycle {
		p.stage(stageEvent{stage: stageFindPackages, total: 1, task: "Finding packages to compile", index: 1}, 0.2, nil)
	}
	p.finish(preparing, 0.5, nil)
	if lifecycle {
		planErrandVMs(p, instances)
	}
	passed, failed := new(int), new(int)
	for n, i := range instances {
		w.planErrandRun(p, t, errandRun{instance: i, index: n + 1, total: len(instances), passed: passed, failed: failed})
	}
	if lifecycle && !t.Work.KeepAlive {
		planErrandCleanUp(p, instances)
	}
	p.add(0, step{do: func(time.Time) {
		t.success = fmt.Sprintf("%d succeeded, %d errored, 0 canceled", *passed, *failed)
	}})
}

// errandInstances finds where the errand is to run.
func (w *world) errandInstances(dep *deployment, t *task) ([]*instance, []manifestGroup, *TaskError) {
	noErrand := &TaskError{70009, "Errand '" + t.Work.Errand + "' doesn't exist"}
	m := dep.previousManifest()
	if m == nil {
		return nil, nil, noErrand
	}
	groups := w.errandGroups(m, t.Work.Errand)
	if len(groups) == 0 {
		return nil, nil, noErrand
	}
	var list []*instance
	for _, i := range dep.Instances {
		in := slices.ContainsFunc(groups, func(g manifestGroup) bool { return g.Name == i.Group })
		if in && selected(i, t.Work.Targets) {
			list = append(list, i)
		}
	}
	if len(list) == 0 && len(t.Work.Targets) > 0 {
		return nil, nil, &TaskError{codeGeneric, "No instances match selection criteria: " + inspectTargets(t.Work.Targets)}
	}
	return list, groups, nil
}

func selected(i *instance, targets []errandTarget) bool {
	return len(targets) == 0 || slices.ContainsFunc(targets, func(t errandTarget) bool {
		if t.Group != i.Group {
			return false
		}
		return t.ID == "" || t.ID == i.ID || t.ID == strconv.Itoa(i.Index) || (t.ID == "first" && i.Index == 0)
	})
}

// inspectTargets prints the selection as Ruby does.
func inspectTargets(targets []errandTarget) string {
	var parts []string
	for _, t := range targets {
		text := `{"group"=>` + rubyString(t.Group)
		if t.ID != "" {
			text += `, "id"=>` + rubyString(t.ID)
		}
		parts = append(parts, text+"}")
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// planErrandVMs makes the VMs of an errand group, which has none while its errand doesn't run.
func planErrandVMs(p *planner, instances []*instance) {
	var missing []*instance
	for _, i := range instances {
		if i.CID == "" {
			missing = append(missing, i)
		}
	}
	for n, i := range missing {
		p.stage(stageEvent{stage: StageCreating, total: len(missing), task: i.title(), index: n + 1}, 3, i.createVM)
	}
	for n, i := range missing {
		e := stageEvent{stage: StageUpdating, tag: i.Group, total: len(missing), task: i.title(), index: n + 1}
		if n == 0 {
			e.task += " (canary)"
		}
		planInstanceUpdate(p, e, nil)
	}
}

func planErrandCleanUp(p *planner, instances []*instance) {
	for n, i := range instances {
		p.stage(stageEvent{stage: "Deleting errand instances", tag: i.Group, total: len(instances), task: i.title(), index: n + 1}, 1, func(time.Time) {
			i.deleteVM()
		})
	}
}

// errandRun is the run of an errand on one instance.
type errandRun struct {
	instance       *instance
	index, total   int
	passed, failed *int
}

type errandResult struct {
	Instance errandTarget `json:"instance"`
	Name     string       `json:"errand_name"`
	ExitCode int          `json:"exit_code"`
	Stdout   string       `json:"stdout"`
	Stderr   string       `json:"stderr"`
	Logs     errandLogs   `json:"logs"`
}

type errandLogs struct {
	BlobstoreID string `json:"blobstore_id"`
	SHA1        string `json:"sha1"`
}

// exitCodeTerminated is that of an errand that was killed because its task was cancelled.
const exitCodeTerminated = 143

// planErrandRun appends the run and the fetching of its logs. A cancelled run ends at once; its result is there
// nevertheless.
func (w *world) planErrandRun(p *planner, t *task, run errandRun) {
	script := w.errands[t.Work.Errand]
	i := run.instance
	running := stageEvent{stage: StageErrand, total: run.total, task: i.title(), index: run.index}
	logs := stageEvent{stage: "Fetching logs for " + i.title(), total: 1, task: "Finding and packing log files", index: 1}
	result := func(exitCode int) func(time.Time) {
		return func(time.Time) { t.Output = append(t.Output, script.result(i, t.Work.Errand, exitCode)...) }
	}

	p.begin(running)
	cancelled := &planner{outcome: &Outcome{}}
	cause := cancelledError(t.ID)
	cancelled.add(0, step{event: running.failed(cause.Message), do: result(exitCodeTerminated)})
	cancelled.stage(logs, 0, nil)
	cancelled.add(0, step{fail: cause})

	runs := len(p.steps)
	p.finish(running, 3, func(at time.Time) {
		if script.ExitCode == 0 {
			*run.passed++
		} else {
			*run.failed++
		}
		result(script.ExitCode)(at)
		w.recordErrand(t, i, script.ExitCode, at)
	})
	if runs < len(p.steps) {
		p.steps[runs].onCancel = cancelled.steps
		if script.Duration > 0 {
			p.steps[runs].wait, p.weights[runs] = script.Duration, 0
		}
	}
	p.stage(logs, 0.2, nil)
}

// result is the line that a run leaves in the task's result.
func (e Errand) result(i *instance, name string, exitCode int) []byte {
	return append(encode(errandResult{
		Instance: errandTarget{i.Group, i.ID}, Name: name, ExitCode: exitCode, Stdout: e.Stdout, Stderr: e.Stderr,
		Logs: errandLogs{newUUID(), newHex(20)},
	}), '\n')
}
