package devdirector

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// deployment is what the Director remembers of a deployment. The exported fields are kept in the state folder.
type deployment struct {
	Name      string
	Teams     []string
	Deployed  bool   // a deploy has succeeded once
	Manifest  string // the text last deployed
	Releases  []nameVersion
	Stemcells []nameVersion
	Instances []*instance
	Variables []variable
	Providers []linkProvider
	Consumers []linkConsumer
	// The configs that were the latest when the deployment was last deployed.
	CloudConfigs, RuntimeConfigs []int

	seed *seed
}

// manifest is the text last deployed.
func (dep *deployment) manifest() string {
	if dep.seed != nil {
		return dep.seed.manifest(dep.Name)
	}
	return dep.Manifest
}

// instances are those of the deployment, by group and index.
func (dep *deployment) instances() []*instance {
	if dep.seed != nil && dep.Instances == nil {
		return dep.seed.instances()
	}
	return dep.Instances
}

// grow makes a seeded deployment an ordinary one, before it is changed.
func (dep *deployment) grow() {
	if dep.seed == nil {
		return
	}
	dep.Manifest, dep.Instances = dep.manifest(), dep.instances()
	dep.seed = nil
}

func noDeployment(name string) response {
	return refuse(http.StatusNotFound, codeNoDeployment, "Deployment '"+name+"' doesn't exist")
}

const codeNoDeployment = 70000

type deploymentRow struct {
	Name        string         `json:"name"`
	Teams       []string       `json:"teams"`
	CloudConfig string         `json:"cloud_config,omitempty"`
	Stemcells   *[]nameVersion `json:"stemcells,omitempty"`
	Releases    *[]nameVersion `json:"releases,omitempty"`
	Locked      *bool          `json:"locked,omitempty"`
}

// listDeployments copies what it lists with the world locked, and renders it afterwards: with many thousands of
// deployments that takes a while.
func (d *Director) listDeployments(q *request) response {
	d.enter()
	defer d.leave()
	w := &d.world
	current := w.configs.currentIDs("cloud")
	rows := make([]deploymentRow, 0, len(w.ordered))
	for _, dep := range w.ordered {
		if !q.user.mayRead(dep.Teams) {
			continue
		}
		row := deploymentRow{Name: dep.Name, Teams: notNull(dep.Teams)}
		if !q.flag("exclude_configs") {
			row.CloudConfig = dep.cloudConfigState(current)
		}
		if !q.flag("exclude_stemcells") {
			row.Stemcells = pointerTo(notNull(dep.Stemcells))
		}
		if !q.flag("exclude_releases") {
			row.Releases = pointerTo(notNull(dep.Releases))
		}
		if !q.flag("exclude_lock") {
			row.Locked = pointerTo(w.locks[dep.Name] != nil)
		}
		rows = append(rows, row)
	}
	return response{status: http.StatusOK, render: func() []byte { return encode(rows) }}
}

func (dep *deployment) cloudConfigState(current []int) string {
	switch {
	case len(dep.CloudConfigs) == 0:
		return "none"
	case slices.Equal(dep.CloudConfigs, current):
		return "latest"
	}
	return "outdated"
}

func notNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func pointerTo[T any](v T) *T { return &v }

func (d *Director) showDeployment(_ *request, dep *deployment) response {
	if !dep.Deployed {
		return ok(map[string]any{"manifest": nil})
	}
	return ok(map[string]string{"manifest": dep.manifest()})
}

// contextID is the X-Bosh-Context-Id header: what ties tasks together for a client.
func (q *request) contextID() string { return q.http.Header.Get("X-Bosh-Context-Id") }

func checkContextID(q *request) *response {
	if len(q.contextID()) <= contextIDMaximum {
		return nil
	}
	refusal := refuse(http.StatusBadRequest, 70010, "X-Bosh-Context-Id cannot be more than 64 characters in length")
	return &refusal
}

// createDeployment also updates.
func (d *Director) createDeployment(q *request) response {
	if refusal := checkContextID(q); refusal != nil {
		return *refusal
	}
	tree, bad := readManifest(q.body)
	if bad != nil {
		return refuse(http.StatusBadRequest, bad.Code, bad.Description)
	}
	nameNode := child(tree, "name")
	if nameNode == nil || nameNode.Value == "" {
		return refuse(http.StatusBadRequest, codeMissingProperty, "Deployment manifest must have a 'name' key")
	}
	name := nameNode.Value
	d.enter()
	defer d.leave()
	w := &d.world
	cloudIDs, runtimeIDs, known := w.deployContext(q.query.Get("context"))
	if !known {
		return refuse(http.StatusBadRequest, 190025, "Context includes invalid config ID")
	}
	dep, exists := w.deployments[name]
	if !exists {
		dep = w.deployment(name, q.user.owners())
		dep.CloudConfigs = cloudIDs
	}
	if refusal := d.permit(q.user, adminAccess, dep.Teams); refusal != nil {
		return *refusal
	}
	return redirectTo(w.newTask(task{
		Kind: KindDeploy, Description: deployDescription(q), User: q.user.name, Deployment: name, Teams: dep.Teams,
		ContextID: q.contextID(), Work: deployWork(q, cloudIDs, runtimeIDs), tree: tree,
	}))
}

func deployDescription(q *request) string {
	if q.flag("dry_run") {
		return "create deployment (dry run)"
	}
	return "create deployment"
}

func deployWork(q *request, cloudIDs, runtimeIDs []int) work {
	return work{
		Manifest: string(q.body), DryRun: q.flag("dry_run"), Recreate: q.flag("recreate"),
		Canaries: q.query.Get("canaries"), MaxInFlight: q.query.Get("max_in_flight"),
		CloudConfigs: cloudIDs, RuntimeConfigs: runtimeIDs,
	}
}

// deployContext reads ?context=, the configs that a diff was made with; without it they are the latest.
func (w *world) deployContext(given string) (cloudIDs, runtimeIDs []int, known bool) {
	if given == "" {
		return w.configs.currentIDs("cloud"), w.configs.currentIDs("runtime"), true
	}
	var context configContext
	if err := json.Unmarshal([]byte(given), &context); err != nil {
		return nil, nil, false
	}
	for _, id := range slices.Concat(context.CloudConfigIDs, context.RuntimeConfigIDs) {
		if w.configs.byID(id) == nil {
			return nil, nil, false
		}
	}
	return context.CloudConfigIDs, context.RuntimeConfigIDs, true
}

func (d *Director) deleteDeployment(q *request, dep *deployment) response {
	if refusal := checkContextID(q); refusal != nil {
		return *refusal
	}
	return redirectTo(d.world.newTask(task{
		Kind: KindDelete, Description: "delete deployment " + dep.Name, User: q.user.name, Deployment: dep.Name,
		Teams: dep.Teams, ContextID: q.contextID(), Work: work{Force: q.flag("force")},
	}))
}

func (w *world) planDelete(p *planner, t *task) {
	dep, is := w.deployments[t.Deployment]
	if !is {
		p.fail(nil, &TaskError{codeNoDeployment, "Deployment '" + t.Deployment + "' doesn't exist"})
		return
	}
	dep.grow()
	for n, i := range dep.Instances {
		p.stage(stageEvent{stage: stageDeleting, total: len(dep.Instances), task: i.title(), index: n + 1}, 4, func(at time.Time) {
			w.orphanDisk(dep.Name, i, at)
			i.deleteVM()
		})
	}
	for n, artifact := range []string{"Detaching stemcells", "Detaching releases"} {
		p.stage(stageEvent{stage: "Removing deployment artifacts", total: 3, task: artifact, index: n + 1}, 0.2, nil)
	}
	p.stage(stageEvent{stage: "Deleting properties", task: "Deleting dynamic disks", index: 1}, 0.2, nil)
	p.stage(stageEvent{stage: "Deleting properties", task: "Destroying deployment", index: 2}, 0.2, func(at time.Time) {
		w.recordChange(t, "delete", nil, at)
		w.removeLinks(dep)
		w.removeDeployment(dep.Name)
	})
	t.success = "/deployments/" + dep.Name
}
