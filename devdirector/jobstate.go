package devdirector

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// changeJobState stops, starts, restarts or recreates instances: those of a job (instance group), or of all ("*").
func (d *Director) changeJobState(q *request, dep *deployment) response {
	state := q.query.Get("state")
	if !slices.Contains([]string{"started", "stopped", "detached", "restart", "recreate"}, state) {
		return refuse(http.StatusBadRequest, codeGeneric, "Unrecognized job state: "+state)
	}
	asked := work{Group: q.param(1), State: state}
	if len(q.params) > 2 {
		asked.Instance = q.param(2)
	}
	return redirectTo(d.world.newTask(task{
		Kind: KindDeploy, Description: "create deployment", User: q.user.name, Deployment: dep.Name,
		Teams: dep.Teams, ContextID: q.contextID(), Work: asked,
	}))
}

func (w *world) planStateChange(p *planner, t *task) {
	dep, is := w.deployments[t.Deployment]
	if !is {
		p.fail(nil, &TaskError{codeNoDeployment, "Deployment '" + t.Deployment + "' doesn't exist"})
		return
	}
	dep.grow()
	for n, name := range []string{"Preparing deployment", "Rendering templates"} {
		p.stage(stageEvent{stage: StagePreparing, total: 1, task: name, index: n + 1}, 0.5, nil)
	}
	p.stage(stageEvent{stage: stageFindPackages, total: 1, task: "Finding packages to compile", index: 1}, 0.2, nil)
	var list []*instance
	for _, i := range dep.Instances {
		if !i.Errand && i.fits(t.Work) {
			list = append(list, i)
		}
	}
	for n, i := range list {
		e := stageEvent{stage: StageUpdating, tag: i.Group, total: len(list), task: i.title(), index: n + 1}
		if n == 0 {
			e.task += " (canary)"
		}
		state := t.Work.State
		planInstanceUpdate(p, e, func(at time.Time) { i.change(state, at) })
	}
	t.success = "/deployments/" + dep.Name
}

func (i *instance) fits(asked work) bool {
	if asked.Group != "*" && asked.Group != i.Group {
		return false
	}
	return asked.Instance == "" || asked.Instance == i.ID || asked.Instance == strconv.Itoa(i.Index)
}

// change brings the instance to a state of the API's.
func (i *instance) change(state string, at time.Time) {
	switch state {
	case "stopped":
		i.State = instanceStopped
	case "detached":
		i.State = instanceDetached
		i.deleteVM()
	case "started", "restart":
		i.State = instanceStarted
		if i.CID == "" {
			i.createVM(at)
		}
	case "recreate":
		i.State = instanceStarted
		i.createVM(at)
	}
}

// instanceActions are the verbs of /instance_groups/:group/:id/actions/:action and the state that each leads to.
var instanceActions = map[string]string{
	"start": "started", "stop": "stopped", "restart": "restart", "recreate": "recreate",
}

func (d *Director) actOnInstance(q *request, dep *deployment) response {
	action := q.param(3)
	if _, is := instanceActions[action]; !is {
		return endpointNotFound(q.path)
	}
	return redirectTo(d.world.newTask(task{
		Kind: KindAction, Description: action + " instance", User: q.user.name, Deployment: dep.Name, Teams: dep.Teams,
		ContextID: q.contextID(), Work: work{Group: q.param(1), Instance: q.param(2), State: instanceActions[action]},
	}))
}

func (w *world) planAction(p *planner, t *task) {
	dep, is := w.deployments[t.Deployment]
	if !is {
		p.fail(nil, &TaskError{codeNoDeployment, "Deployment '" + t.Deployment + "' doesn't exist"})
		return
	}
	dep.grow()
	at := slices.IndexFunc(dep.Instances, func(i *instance) bool { return i.fits(t.Work) })
	if at < 0 {
		p.fail(nil, &TaskError{70004, "Instance '" + t.Work.Group + "/" + t.Work.Instance + "' doesn't exist"})
		return
	}
	i := dep.Instances[at]
	p.stage(stageEvent{stage: StageUpdating, tag: i.Group, total: 1, task: i.title(), index: 1}, 1, func(at time.Time) {
		i.change(t.Work.State, at)
	})
	t.success = i.slug()
}
