package devdirector

import (
	"slices"
	"strconv"
	"time"
)

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
	for _, network := range group.Networks {
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
