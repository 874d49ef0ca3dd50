package devdirector

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
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
	return p.timed(w.duration(t, p))
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
	if t.tree == nil {
		tree, bad := readManifest([]byte(t.Work.Manifest))
		if bad != nil {
			return nil, &TaskError{bad.Code, bad.Description}
		}
		t.tree = tree
	}
	m, cause := newManifest(t.tree)
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
