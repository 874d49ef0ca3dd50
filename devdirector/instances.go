package devdirector

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"
)

// instance is one instance of an instance group; it has a VM, or none.
type instance struct {
	Group, ID string
	Index     int
	AZ        string
	State     string // started, stopped, detached
	IPs       []string
	Dynamic   []string // addresses that only the VM's agent knows
	CID       string   // of the VM, "" for none
	AgentID   string
	Created   time.Time
	DiskCID   string
	VMType    string
	Stemcell  nameVersion
	Errand    bool // of a group with lifecycle: errand, so without a VM most of the time
}

const (
	instanceStarted  = "started"
	instanceStopped  = "stopped"
	instanceDetached = "detached"
)

// slug is the instance's name in events and messages.
func (i *instance) slug() string { return i.Group + "/" + i.ID }

func (i *instance) title() string { return i.slug() + " (" + strconv.Itoa(i.Index) + ")" }

func (i *instance) createVM(at time.Time) {
	i.CID, i.AgentID, i.Created = newCID(), newUUID(), at
}

func (i *instance) deleteVM() { i.CID, i.AgentID, i.Created = "", "", time.Time{} }

func newCID() string { return "vm-" + newHex(6) }

func compareInstances(a, b *instance) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Index, b.Index))
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// instanceBody is an instance in the plain lists, which the Director answers at once, from what it remembers.
type instanceBody struct {
	AgentID   *string  `json:"agent_id"`
	CID       *string  `json:"cid"`
	Job       string   `json:"job"`
	Index     int      `json:"index"`
	ID        string   `json:"id"`
	AZ        *string  `json:"az"`
	IPs       []string `json:"ips"`
	CreatedAt *string  `json:"vm_created_at"`
}

type plainVM struct {
	instanceBody
	Active      bool `json:"active"`
	Credentials bool `json:"permanent_nats_credentials"`
}

type plainInstance struct {
	instanceBody
	ExpectsVM bool `json:"expects_vm"`
}

func (i *instance) body() instanceBody {
	b := instanceBody{
		AgentID: optional(i.AgentID), CID: optional(i.CID), Job: i.Group, Index: i.Index, ID: i.ID,
		AZ: optional(i.AZ), IPs: i.IPs, CreatedAt: timestamp(i.Created),
	}
	if b.IPs == nil {
		b.IPs = []string{}
	}
	return b
}

func timestamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return optional(t.UTC().Format(time.RFC3339))
}

func (d *Director) listVMs(q *request, dep *deployment) response {
	if q.query.Get("format") == "full" {
		return d.listInstancesByTask(q, dep, true)
	}
	list := []plainVM{}
	for _, i := range dep.instances() {
		if i.CID != "" {
			list = append(list, plainVM{instanceBody: i.body(), Active: true})
		}
	}
	return ok(list)
}

func (d *Director) listInstances(q *request, dep *deployment) response {
	if q.query.Get("format") == "full" {
		return d.listInstancesByTask(q, dep, false)
	}
	list := []plainInstance{}
	for _, i := range dep.instances() {
		list = append(list, plainInstance{instanceBody: i.body(), ExpectsVM: !i.Errand && i.State != instanceDetached})
	}
	return ok(list)
}

func (d *Director) listInstancesByTask(q *request, dep *deployment, onlyWithVM bool) response {
	return redirectTo(d.world.newTask(task{
		Kind: KindVMs, Description: "retrieve vm-stats", User: q.user.name, Deployment: dep.Name, Teams: dep.Teams,
		ContextID: q.contextID(), Work: work{OnlyWithVM: onlyWithVM},
	}))
}

// fullInstance is an instance as its agent describes it, a line in the result of a task.
type fullInstance struct {
	VMCID           *string      `json:"vm_cid"`
	Active          *bool        `json:"active"`
	CreatedAt       *string      `json:"vm_created_at"`
	CloudProperties any          `json:"cloud_properties"`
	DiskCID         *string      `json:"disk_cid"`
	DiskCIDs        []string     `json:"disk_cids"`
	IPs             []string     `json:"ips"`
	AgentID         *string      `json:"agent_id"`
	JobName         string       `json:"job_name"`
	Index           int          `json:"index"`
	JobState        *string      `json:"job_state"`
	State           string       `json:"state"`
	VMType          *string      `json:"vm_type"`
	Vitals          any          `json:"vitals"`
	Processes       []process    `json:"processes"`
	AZ              *string      `json:"az"`
	ID              string       `json:"id"`
	Bootstrap       bool         `json:"bootstrap"`
	Ignore          bool         `json:"ignore"`
	Stemcell        fullStemcell `json:"stemcell"`
}

type fullStemcell struct {
	nameVersion
	APIVersion *int `json:"api_version"`
}

type process struct {
	Name   string         `json:"name"`
	State  string         `json:"state"`
	Uptime map[string]int `json:"uptime"`
	Mem    map[string]any `json:"mem"`
	CPU    map[string]any `json:"cpu"`
}

func (w *world) planVMs(p *planner, t *task) {
	p.add(1, step{do: func(time.Time) {
		dep, is := w.deployments[t.Deployment]
		if !is {
			return
		}
		var out bytes.Buffer
		for _, i := range dep.instances() {
			if i.CID == "" && t.Work.OnlyWithVM {
				continue
			}
			out.Write(encode(w.full(i)))
			out.WriteByte('\n')
		}
		t.Output = out.Bytes()
	}})
}

func (w *world) full(i *instance) fullInstance {
	b := fullInstance{
		IPs: slices.Concat([]string{}, i.IPs, i.Dynamic), DiskCID: optional(i.DiskCID), DiskCIDs: []string{},
		JobName: i.Group, Index: i.Index, State: i.State, VMType: optional(i.VMType),
		Processes: []process{}, AZ: optional(i.AZ), ID: i.ID, Bootstrap: i.Index == 0,
		Stemcell: fullStemcell{nameVersion: i.Stemcell},
	}
	if i.DiskCID != "" {
		b.DiskCIDs = append(b.DiskCIDs, i.DiskCID)
	}
	if i.CID == "" {
		return b
	}
	active, state := true, "running"
	if i.State != instanceStarted {
		state = "stopped"
	}
	b.VMCID, b.Active, b.CreatedAt, b.AgentID, b.JobState = optional(i.CID), &active, timestamp(i.Created), optional(i.AgentID), &state
	b.CloudProperties = w.cloudProperties(i.VMType)
	b.Vitals = idleVitals()
	b.Processes = append(b.Processes, process{
		Name: i.Group, State: state, Uptime: map[string]int{"secs": 60},
		Mem: map[string]any{"kb": 1024, "percent": 0.1}, CPU: map[string]any{"total": 0.1},
	})
	return b
}

func (w *world) cloudProperties(vmType string) any {
	properties := map[string]any{}
	for _, t := range w.configs.cloud().VMTypes {
		if t.Name == vmType {
			if err := t.CloudProperties.Decode(&properties); err != nil {
				return map[string]any{}
			}
		}
	}
	return properties
}

func idleVitals() any {
	percent := map[string]string{"inode_percent": "5", "percent": "10"}
	kb := map[string]string{"kb": "102400", "percent": "5"}
	return map[string]any{
		"cpu":    map[string]string{"sys": "0.5", "user": "1.0", "wait": "0.0"},
		"disk":   map[string]any{"ephemeral": percent, "system": percent},
		"load":   []string{"0.01", "0.02", "0.03"},
		"mem":    kb,
		"swap":   kb,
		"uptime": map[string]int{"secs": 60},
	}
}
