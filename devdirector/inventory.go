package devdirector

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

type releaseBody struct {
	Name     string           `json:"name"`
	Versions []releaseVersion `json:"release_versions"`
}

type releaseVersion struct {
	Version     string   `json:"version"`
	CommitHash  string   `json:"commit_hash"`
	Uncommitted bool     `json:"uncommitted_changes"`
	Deployed    bool     `json:"currently_deployed"`
	Jobs        []string `json:"job_names"`
}

// listReleases lists the uploaded releases; if any release is there, those that are deployed.
func (d *Director) listReleases(*request) response {
	d.enter()
	defer d.leave()
	releases := slices.Clone(d.world.options.Releases)
	deployed := d.world.deployedVersions(func(dep *deployment) []nameVersion { return dep.Releases })
	if len(releases) == 0 {
		for _, v := range deployed {
			releases = append(releases, Release{Name: v.Name, Version: v.Version})
		}
	}
	list := []releaseBody{}
	for _, r := range releases {
		version := releaseVersion{
			Version: r.Version, CommitHash: "non-git", Jobs: notNull(r.Jobs),
			Deployed: slices.Contains(deployed, nameVersion{r.Name, r.Version}),
		}
		at := slices.IndexFunc(list, func(b releaseBody) bool { return b.Name == r.Name })
		if at < 0 {
			list = append(list, releaseBody{Name: r.Name})
			at = len(list) - 1
		}
		list[at].Versions = append(list[at].Versions, version)
	}
	return ok(list)
}

func (w *world) deployedVersions(of func(*deployment) []nameVersion) []nameVersion {
	seen := map[nameVersion]bool{}
	var list []nameVersion
	for _, dep := range w.ordered {
		for _, v := range of(dep) {
			if !seen[v] {
				seen[v] = true
				list = append(list, v)
			}
		}
	}
	return list
}

type stemcellBody struct {
	Name        string           `json:"name"`
	OS          string           `json:"operating_system"`
	Version     string           `json:"version"`
	CID         string           `json:"cid"`
	CPI         string           `json:"cpi"`
	Deployments []deploymentName `json:"deployments"`
	APIVersion  *int             `json:"api_version"`
	ID          int              `json:"id"`
}

type deploymentName struct {
	Name string `json:"name"`
}

// listStemcells lists the uploaded stemcells; if any stemcell is there, those that are deployed.
func (d *Director) listStemcells(*request) response {
	d.enter()
	defer d.leave()
	stemcells := slices.Clone(d.world.options.Stemcells)
	if len(stemcells) == 0 {
		for _, v := range d.world.deployedVersions(func(dep *deployment) []nameVersion { return dep.Stemcells }) {
			stemcells = append(stemcells, Stemcell{Name: v.Name, OS: v.Name, Version: v.Version})
		}
	}
	users := map[nameVersion][]deploymentName{}
	for _, dep := range d.world.ordered {
		for _, v := range dep.Stemcells {
			users[v] = append(users[v], deploymentName{dep.Name})
		}
	}
	list := []stemcellBody{}
	for n, s := range stemcells {
		list = append(list, stemcellBody{
			Name: s.Name, OS: s.OS, Version: s.Version, CID: "sc-" + s.Name + "-" + s.Version,
			Deployments: notNull(users[nameVersion{s.Name, s.Version}]), ID: n + 1,
		})
	}
	return ok(list)
}

// orphanDisk is a persistent disk that outlived its instance. It is kept in the state folder.
type orphanDisk struct {
	CID             string         `json:"disk_cid"`
	Size            int            `json:"size"`
	AZ              *string        `json:"az"`
	Deployment      string         `json:"deployment_name"`
	Instance        string         `json:"instance_name"`
	CloudProperties map[string]any `json:"cloud_properties"`
	OrphanedAt      string         `json:"orphaned_at"`
}

const (
	diskSize  = 10240 // MB
	disksKept = 1000
)

// orphanDisk notes the disk of an instance that goes; only the last ones are remembered.
func (w *world) orphanDisk(deployment string, i *instance, at time.Time) {
	if i.DiskCID == "" {
		return
	}
	disk := orphanDisk{
		CID: i.DiskCID, Size: diskSize, AZ: optional(i.AZ), Deployment: deployment, Instance: i.slug(),
		CloudProperties: map[string]any{}, OrphanedAt: at.UTC().Format(createdAtLayout),
	}
	w.disks = append(w.disks, disk)
	w.store.put(diskRecord, disk.CID, disk)
	if len(w.disks) > disksKept {
		w.store.drop(diskRecord, w.disks[0].CID)
		w.disks = w.disks[1:]
	}
}

func (d *Director) listDisks(*request) response {
	d.enter()
	defer d.leave()
	return okJSON(notNull(slices.Clone(d.world.disks)))
}

func (d *Director) cleanUp(q *request) response {
	d.enter()
	defer d.leave()
	return redirectTo(d.world.newTask(task{
		Kind: KindCleanup, Description: "clean up", User: q.user.name, ContextID: q.contextID(),
	}))
}

// setResurrection accepts the setting: there is nothing to resurrect.
func (d *Director) setResurrection(*request) response { return response{status: http.StatusOK} }

func (d *Director) scanProblems(q *request, dep *deployment) response {
	return redirectTo(d.world.newTask(task{
		Kind: KindScan, Description: "scan cloud", User: q.user.name, Deployment: dep.Name, Teams: dep.Teams,
		ContextID: q.contextID(),
	}))
}

// listProblems answers with none: VMs that don't exist don't break.
func (d *Director) listProblems(*request, *deployment) response { return ok([]any{}) }

type sshRequest struct {
	Command string `json:"command"`
	Target  struct {
		Job     string   `json:"job"`
		Indexes []string `json:"indexes"`
		IDs     []string `json:"ids"`
	} `json:"target"`
}

// setUpSSH answers as the Director does, with hosts that nobody can log in to.
func (d *Director) setUpSSH(q *request, dep *deployment) response {
	var asked sshRequest
	if err := json.Unmarshal(q.body, &asked); err != nil {
		return invalidJSON(q.body)
	}
	return redirectTo(d.world.newTask(task{
		Kind: KindSSH, Description: "ssh: " + asked.Command + ":{...}", User: q.user.name, Deployment: dep.Name,
		Teams: dep.Teams, ContextID: q.contextID(), Work: work{State: asked.Command, Group: asked.Target.Job},
	}))
}

type sshHost struct {
	Command   string `json:"command"`
	Status    string `json:"status"`
	IP        string `json:"ip"`
	PublicKey string `json:"host_public_key"`
	ID        string `json:"id"`
	Index     int    `json:"index"`
	Job       string `json:"job"`
}

func (w *world) planSSH(p *planner, t *task) {
	asked := t.Work
	p.add(1, step{do: func(time.Time) {
		hosts := []sshHost{}
		dep, is := w.deployments[t.Deployment]
		if !is {
			return
		}
		for _, i := range dep.instances() {
			if i.CID != "" && (asked.Group == "" || asked.Group == i.Group) {
				address := append(slices.Concat(i.IPs, i.Dynamic), "")[0]
				hosts = append(hosts, sshHost{asked.State, "success", address, "dummy-public-key", i.ID, i.Index, i.Group})
			}
		}
		t.Output = append(encode(hosts), '\n')
	}})
}

func (d *Director) fetchLogs(q *request, dep *deployment) response {
	return redirectTo(d.world.newTask(task{
		Kind: KindLogs, Description: "fetch logs", User: q.user.name, Deployment: dep.Name, Teams: dep.Teams,
		ContextID: q.contextID(),
	}))
}
