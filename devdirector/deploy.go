package devdirector

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// The stages of tasks, as the Director names them; an Outcome can name one to fail in.
const (
	StagePreparing = "Preparing deployment"
	StageCompiling = "Compiling packages"
	StageCreating  = "Creating missing vms"
	StageUpdating  = "Updating instance"
	StageErrand    = "Running errand"

	stageFindPackages = "Preparing package compilation"
	stageRemoving     = "Deleting unneeded instances"
	stageDeleting     = "Deleting instances"
)

// StageDeleting is the stage of a delete in which instances go.
const StageDeleting = stageDeleting

// plan makes the steps of a task that begins now.
func (w *world) plan(t *task, at time.Time) []step {
	p := &planner{outcome: w.takeOutcome(t)}
	if p.outcome.WorkerDies {
		return []step{{wait: taskTimeout, do: func(at time.Time) { w.abandon(t, at) }}}
	}
	switch t.Kind {
	case KindDeploy:
		if t.Work.State != "" {
			w.planStateChange(p, t)
		} else {
			w.planDeploy(p, t)
		}
	case KindDelete:
		w.planDelete(p, t)
	case KindErrand:
		w.planErrand(p, t)
	case KindVMs:
		w.planVMs(p, t)
	case KindAction:
		w.planAction(p, t)
	case KindSSH:
		w.planSSH(p, t)
	case KindLogs:
		p.add(1, step{})
		t.success = newUUID()
	case KindScan:
		p.stage(stageEvent{stage: "Scanning 0 VMs", total: 1, task: "Checking VM states", index: 1}, 1, nil)
		t.success = "scan complete"
	case KindCleanup:
		p.add(1, step{})
		t.success = "VM(s) deleted: 0; orphaned disk(s) deleted: 0; Deleted 0 release(s), 0 stemcell(s), 0 extra compiled package(s)"
	}
	if p.outcome.Error != nil {
		p.fail(nil, p.outcome.Error)
	}
	return p.timed(w.duration(t, p.outcome))
}

var wholeOrPercent = regexp.MustCompile(`^\d+%?$`)

// planDeploy plans a create or an update.
func (w *world) planDeploy(p *planner, t *task) {
	m, cause := w.readForDeploy(t)
	if cause != nil {
		p.fail(nil, cause)
		return
	}
	dep := w.deployment(t.Deployment, t.Teams)
	dep.grow()
	first := !dep.Deployed
	dep.Releases = m.Releases

	preparing := stageEvent{stage: StagePreparing, total: 1, task: "Preparing deployment", index: 1}
	p.begin(preparing)
	stemcells, cause := w.findStemcells(m)
	if cause != nil {
		p.fail(&preparing, cause)
		return
	}
	dep.Stemcells = sortedStemcells(stemcells)
	p.finish(preparing, 0.5, func(at time.Time) {
		w.generateVariables(dep, m, t, at)
	})
	rendering := stageEvent{stage: StagePreparing, total: 1, task: "Rendering templates", index: 2}
	if cause := m.undefinedVariables(w.options.Name); cause != nil {
		p.begin(rendering)
		p.fail(&rendering, cause)
		return
	}
	p.stage(rendering, 0.2, func(time.Time) { w.updateLinks(dep, m) })
	t.success = "/deployments/" + dep.Name
	if t.Work.DryRun {
		return
	}
	w.planCompilation(p, t, sortedStemcells(stemcells), m)
	w.planInstances(p, dep, m, t, stemcells)
	p.add(0, step{do: func(at time.Time) { w.deployed(dep, t, m, first, at) }})
}

// readForDeploy reads the manifest and finds what is wrong before the first stage.
func (w *world) readForDeploy(t *task) (*manifest, *TaskError) {
	tree, bad := readManifest([]byte(t.Work.Manifest))
	if bad != nil {
		return nil, &TaskError{bad.Code, bad.Description}
	}
	m, cause := newManifest(tree)
	if cause != nil {
		return nil, cause
	}
	for _, setting := range []struct{ name, value string }{
		{"canaries", t.Work.Canaries}, {"max_in_flight", t.Work.MaxInFlight},
	} {
		if setting.value != "" && !wholeOrPercent.MatchString(setting.value) {
			return nil, &TaskError{codeGeneric, setting.name + " value should be integer or percent"}
		}
	}
	return m, w.checkUpload(m)
}

// deployed notes what a deploy that succeeded has changed.
func (w *world) deployed(dep *deployment, t *task, m *manifest, first bool, at time.Time) {
	before := map[string]any{}
	action := "create"
	if !first {
		action, before = "update", dep.versions()
	}
	dep.Manifest, dep.Deployed = t.Work.Manifest, true
	dep.Releases = m.Releases
	dep.CloudConfigs, dep.RuntimeConfigs = t.Work.CloudConfigs, t.Work.RuntimeConfigs
	w.recordChange(t, action, map[string]any{"before": before, "after": dep.versions()}, at)
}

func (dep *deployment) versions() map[string]any {
	return map[string]any{"releases": slugs(dep.Releases), "stemcells": slugs(dep.Stemcells)}
}

func slugs(list []nameVersion) []string {
	out := []string{}
	for _, v := range list {
		out = append(out, v.Name+"/"+v.Version)
	}
	return out
}

func sortedStemcells(byAlias map[string]nameVersion) []nameVersion {
	var list []nameVersion
	for _, s := range byAlias {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b nameVersion) int { return compareStrings(a.Name+a.Version, b.Name+b.Version) })
	return list
}

// planCompilation compiles the packages of a release the first time that it meets a stemcell.
func (w *world) planCompilation(p *planner, t *task, stemcells []nameVersion, m *manifest) {
	p.stage(stageEvent{stage: stageFindPackages, total: 1, task: "Finding packages to compile", index: 1}, 0.2, nil)
	var packages []string
	for _, release := range m.Releases {
		for _, stemcell := range stemcells {
			key := compiledKey(release, stemcell)
			if !w.compiled[key] {
				w.compiled[key] = true
				packages = append(packages, w.packagesOf(release)...)
			}
		}
	}
	for n, name := range packages {
		e := stageEvent{stage: StageCompiling, total: len(packages), task: name, index: n + 1, state: "started"}
		p.add(0, step{event: &e, do: func(time.Time) { t.compiling = compileResource(m) }})
		p.finish(e, 4, func(time.Time) { t.compiling = nil })
	}
}

// packagesOf are a release's packages with their fingerprints.
func (w *world) packagesOf(release nameVersion) []string {
	names := []string{release.Name}
	for _, r := range w.options.Releases {
		if r.Name == release.Name && r.Version == release.Version && len(r.Packages) > 0 {
			names = r.Packages
		}
	}
	var list []string
	for _, name := range names {
		fingerprint := sha256.Sum256([]byte(name + "/" + release.Version))
		list = append(list, name+"/"+hex.EncodeToString(fingerprint[:]))
	}
	return list
}

func compiledKey(release, stemcell nameVersion) string {
	return release.Name + "/" + release.Version + " on " + stemcell.Name + "/" + stemcell.Version
}

// compileResource is what the compile lock is on: a package and a stemcell.
func compileResource(m *manifest) []string {
	if len(m.Stemcells) == 0 {
		return []string{"1"}
	}
	return []string{"1", m.Stemcells[0].OS + "/" + m.Stemcells[0].Version}
}

// groupChange is what a deploy does to one instance group.
type groupChange struct {
	group   manifestGroup
	keep    []*instance
	create  []*instance
	changed bool // the ones that are kept are to be updated, too
}

// planInstances plans the VMs: the ones too many go, the missing ones are made, those that change are updated.
func (w *world) planInstances(p *planner, dep *deployment, m *manifest, t *task, stemcells map[string]nameVersion) {
	previous := dep.previousManifest()
	var changes []groupChange
	var kept []*instance
	for _, group := range m.Groups {
		c := w.changeOf(dep, group, previous, m, stemcells)
		c.changed = c.changed || t.Work.Recreate
		changes = append(changes, c)
		kept = append(append(kept, c.keep...), c.create...)
	}
	remove := slices.DeleteFunc(slices.Clone(dep.Instances), func(i *instance) bool { return slices.Contains(kept, i) })
	for n, i := range remove {
		p.stage(stageEvent{stage: stageRemoving, tag: i.Group, total: len(remove), task: i.title(), index: n + 1}, 1, func(at time.Time) {
			w.orphanDisk(dep.Name, i, at)
			dep.Instances = slices.DeleteFunc(dep.Instances, func(other *instance) bool { return other == i })
		})
	}
	w.planCreation(p, dep, changes)
	for _, c := range changes {
		if !c.group.isErrand() {
			planUpdate(p, c, m.canaries(t), t.Work)
		}
	}
}

func (dep *deployment) previousManifest() *manifest {
	if !dep.Deployed {
		return nil
	}
	tree, bad := readManifest([]byte(dep.manifest()))
	if bad != nil {
		return nil
	}
	m, cause := newManifest(tree)
	if cause != nil {
		return nil
	}
	return m
}

// canaries is how many instances of a group are marked as canaries: the first one at least, as the Director does.
func (m *manifest) canaries(t *task) int {
	text := t.Work.Canaries
	if text == "" {
		text = m.Update.Canaries
	}
	count, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return count
}

func (w *world) changeOf(dep *deployment, group manifestGroup, previous, next *manifest, stemcells map[string]nameVersion) groupChange {
	c := groupChange{group: group, changed: groupDiffers(group.Name, previous, next)}
	names := []string{group.Name}
	for _, from := range group.MigratedFrom {
		names = append(names, from.Name)
	}
	for _, i := range dep.Instances {
		if slices.Contains(names, i.Group) && len(c.keep) < group.count {
			c.keep = append(c.keep, i)
		}
	}
	for index := len(c.keep); index < group.count; index++ {
		c.create = append(c.create, w.newInstance(group, index, stemcells[group.Stemcell]))
	}
	return c
}

// groupDiffers tells whether the instances of a group have to be updated: the group changed, or a version did.
func groupDiffers(group string, previous, next *manifest) bool {
	if previous == nil {
		return true
	}
	if !slices.Equal(previous.Releases, next.Releases) || !slices.Equal(previous.Stemcells, next.Stemcells) {
		return true
	}
	return !sameTree(previous.groupTree(group), next.groupTree(group))
}

func (w *world) newInstance(group manifestGroup, index int, stemcell nameVersion) *instance {
	i := &instance{
		Group: group.Name, ID: newUUID(), Index: index, State: instanceStarted, VMType: group.VMType,
		Stemcell: stemcell, Errand: group.isErrand(),
	}
	if len(group.AZs) > 0 {
		i.AZ = group.AZs[index%len(group.AZs)]
	}
	if group.Disk != "" {
		i.DiskCID = newHex(16)
	}
	for n, network := range group.Networks {
		if n == 0 {
			i.Network = network.Name
		}
		switch {
		case w.isDynamic(network.Name):
			i.Dynamic = append(i.Dynamic, w.address())
		case index < len(network.StaticIPs):
			i.IPs = append(i.IPs, network.StaticIPs[index])
		case !i.Errand:
			i.IPs = append(i.IPs, w.address())
		}
	}
	return i
}

func (w *world) planCreation(p *planner, dep *deployment, changes []groupChange) {
	var missing []*instance
	for _, c := range changes {
		missing = append(missing, c.create...)
	}
	vms := slices.DeleteFunc(slices.Clone(missing), func(i *instance) bool { return i.Errand })
	for n, i := range vms {
		p.stage(stageEvent{stage: StageCreating, total: len(vms), task: i.title(), index: n + 1}, 3, func(at time.Time) {
			i.createVM(at)
			dep.addInstance(i)
		})
	}
	p.add(0, step{do: func(time.Time) {
		for _, i := range missing {
			if i.Errand {
				dep.addInstance(i)
			}
		}
	}})
}

func (dep *deployment) addInstance(i *instance) {
	dep.Instances = append(dep.Instances, i)
	slices.SortStableFunc(dep.Instances, compareInstances)
}

// instanceSteps are what an update of an instance goes through, with the progress that the Director gives each.
var instanceSteps = []struct {
	progress int
	status   string
}{
	{5, "executing pre-stop"},
	{10, "executing drain"},
	{30, "stopping jobs"},
	{40, "executing post-stop"},
	{50, "installing packages"},
	{60, "configuring jobs"},
	{70, "executing pre-start"},
	{90, "starting jobs"},
	{100, "executing post-start"},
}

// failingProgress is the last step of an instance's update that an Outcome which fails there lets pass.
const failingProgress = 70

func planUpdate(p *planner, c groupChange, canaries int, asked work) {
	list := c.create
	if c.changed {
		list = slices.Concat(c.keep, c.create)
		slices.SortStableFunc(list, compareInstances)
	}
	for n, i := range list {
		e := stageEvent{stage: StageUpdating, tag: c.group.Name, total: len(list), task: i.title(), index: n + 1}
		if n < canaries {
			e.task += " (canary)"
		}
		planInstanceUpdate(p, e, func(at time.Time) {
			i.Group, i.VMType = c.group.Name, c.group.VMType
			if asked.Recreate {
				i.createVM(at)
			}
		})
	}
}

// planInstanceUpdate appends the lines of one instance's update.
func planInstanceUpdate(p *planner, e stageEvent, effect func(at time.Time)) {
	p.begin(e)
	fails := p.outcome.failsIn(e)
	for _, s := range instanceSteps {
		if fails && s.progress > failingProgress {
			break
		}
		line := e
		line.state, line.progress, line.status = "in_progress", s.progress, s.status
		p.add(0.5, step{event: &line})
	}
	p.finish(e, 0.5, effect)
}
