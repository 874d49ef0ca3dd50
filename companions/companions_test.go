package companions_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// broker is one that answers as the functions say; by default it has one instance, i, of plan p.
type broker struct {
	instances []mgmtclient.Instance
	listed    int
	list      error
	away      error // of the catalog
	details   func() (mgmtclient.InstanceDetails, error)
	start     func(mgmtclient.Start) (mgmtclient.Started, error)
	last      func(data string) (mgmtclient.LastOperation, error)
	pending   func(id string) (mgmtclient.PendingChanges, error)
	starts    []mgmtclient.Start
}

func newBroker() *broker {
	return &broker{
		instances: []mgmtclient.Instance{{ID: "i", PlanID: "p", SpaceGUID: "s"}},
		start: func(mgmtclient.Start) (mgmtclient.Started, error) {
			return mgmtclient.Started{OperationData: `{"BoshTaskID":7}`, TaskID: 7}, nil
		},
		details: func() (mgmtclient.InstanceDetails, error) {
			return mgmtclient.InstanceDetails{}, &mgmtclient.Rejected{Status: 404}
		},
	}
}

func (b *broker) Catalog(context.Context) ([]mgmtclient.Offering, error) {
	if b.away != nil {
		return nil, b.away
	}
	offering := mgmtclient.Offering{ID: "o", Name: "redis", Plans: []mgmtclient.Plan{{ID: "p", Name: "small"}, {ID: "q", Name: "large"}}}
	offering.Plans[0].MaintenanceInfo.Version = "2"
	return []mgmtclient.Offering{offering}, nil
}

func (b *broker) Instances(context.Context, map[string]string) ([]mgmtclient.Instance, error) {
	b.listed++
	return b.instances, b.list
}

func (b *broker) Instance(context.Context, string, string) (mgmtclient.InstanceDetails, error) {
	return b.details()
}

func (b *broker) Pending(_ context.Context, id, _ string) (mgmtclient.PendingChanges, error) {
	return b.pending(id)
}

func (b *broker) Start(_ context.Context, s mgmtclient.Start) (mgmtclient.Started, error) {
	b.starts = append(b.starts, s)
	return b.start(s)
}

func (b *broker) LastOperation(_ context.Context, _, data string) (mgmtclient.LastOperation, error) {
	return b.last(data)
}

// platform is a Cloud Foundry that has the instance i of plan P, which is p of the catalog.
type platform struct {
	instance cfclient.Instance
	found    error
	plan     cfclient.Plan
	upgrade  func(version string) (cfclient.UpgradeStarted, error)
	job      func() (cfclient.Job, error)
	upgrades []string
}

func newPlatform(deployed, plan string) *platform {
	return &platform{
		instance: cfclient.Instance{GUID: "i", Name: "cache", PlanGUID: "P", SpaceGUID: "t", Org: "acme", Space: "prod", MaintenanceVersion: deployed},
		plan:     cfclient.Plan{GUID: "P", Name: "small", CatalogID: "p", MaintenanceVersion: plan},
		upgrade:  func(string) (cfclient.UpgradeStarted, error) { return cfclient.UpgradeStarted{Job: "j"}, nil },
	}
}

func (p *platform) Plans(context.Context, string) ([]cfclient.Plan, error) {
	return []cfclient.Plan{p.plan}, nil
}

func (p *platform) Instances(context.Context, cfclient.InstanceFilter) iter.Seq2[cfclient.Instance, error] {
	return func(yield func(cfclient.Instance, error) bool) { yield(p.instance, nil) }
}

func (p *platform) Instance(context.Context, string) (cfclient.Instance, error) {
	return p.instance, p.found
}

func (p *platform) Upgrade(_ context.Context, _, version string) (cfclient.UpgradeStarted, error) {
	p.upgrades = append(p.upgrades, version)
	return p.upgrade(version)
}

func (p *platform) Job(context.Context, string) (cfclient.Job, error) { return p.job() }

func list(t *testing.T, b *broker, p *platform) *companions.Roster {
	t.Helper()
	var foundry companions.CloudFoundry
	if p != nil {
		foundry = p
	}
	roster, err := companions.List(t.Context(), b, foundry)
	if err != nil {
		t.Fatal(err)
	}
	return roster
}

// outcome is what a call came to: a state, or that it says nothing of the instance, or a failure.
func outcome(p fleet.Progress, err error) string {
	switch {
	case errors.As(err, new(fleet.Unavailable)):
		return "unavailable"
	case err != nil:
		return "error"
	default:
		return p.State.String()
	}
}

var member = fleet.Member{ID: "i", PlanID: "p"}

func TestBeginInTheBroker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		started mgmtclient.Started
		err     error
		want    string
	}{
		"it runs":                        {started: mgmtclient.Started{OperationData: "{}"}, want: "accepted"},
		"nothing to do":                  {started: mgmtclient.Started{UpToDate: true}, want: "skipped"},
		"busy":                           {err: &mgmtclient.Rejected{Status: 409}, want: "busy"},
		"no deployment":                  {err: &mgmtclient.Rejected{Status: 410}, want: "orphan"},
		"unknown to the platform":        {err: &mgmtclient.Rejected{Status: 404}, want: "deleted"},
		"the adapter failed":             {err: &mgmtclient.Rejected{Status: 500, Description: "no disks"}, want: "error"},
		"the password is wrong":          {err: &mgmtclient.Rejected{Status: 401}, want: "error"},
		"nobody there":                   {err: &mgmtclient.Unavailable{Cause: errors.New("refused")}, want: "unavailable"},
		"the answer was lost on its way": {err: &mgmtclient.Unavailable{Cause: errors.New("EOF"), Sent: true}, want: "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker()
			b.start = func(mgmtclient.Start) (mgmtclient.Started, error) { return c.started, c.err }
			if got := outcome(companions.NewUpgrade(list(t, b, nil), true).Begin(t.Context(), member)); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
			if want := (mgmtclient.Start{InstanceID: "i", PlanID: "p", SpaceGUID: "s", OperationType: "upgrade", Force: true}); b.starts[0] != want {
				t.Errorf("asked for %+v", b.starts[0])
			}
		})
	}
}

func TestPollTheBroker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state string
		err   error
		want  string
	}{
		"it runs":           {state: "in progress", want: "accepted"},
		"well":              {state: "succeeded", want: "succeeded"},
		"badly":             {state: "failed", want: "failed"},
		"gone":              {err: &mgmtclient.Rejected{Status: 410}, want: "deleted"},
		"the Director away": {err: &mgmtclient.Unavailable{Status: 503, Cause: errors.New("away")}, want: "unavailable"},
		"can't be told":     {err: &mgmtclient.Rejected{Status: 500}, want: "unavailable"},
		"not ours":          {err: &mgmtclient.Rejected{Status: 400}, want: "error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker()
			b.last = func(data string) (mgmtclient.LastOperation, error) {
				if data != `{"BoshTaskID":7}` {
					t.Error("asked about", data)
				}
				return mgmtclient.LastOperation{State: c.state, Description: "d"}, c.err
			}
			work := companions.NewRecreation(list(t, b, nil))
			begun, err := work.Begin(t.Context(), member)
			if err != nil || begun.Task != 7 {
				t.Fatal(begun, err)
			}
			if got := outcome(work.Poll(t.Context(), member, begun.Handle)); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

// An answer that is lost on its way must not make VMs anew twice.
func TestAnOperationWhoseAnswerGotLostIsTakenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBroker()
		b.start = func(mgmtclient.Start) (mgmtclient.Started, error) {
			return mgmtclient.Started{}, &mgmtclient.Unavailable{Cause: errors.New("EOF"), Sent: true}
		}
		work := companions.NewRecreation(list(t, b, nil))
		if got := outcome(work.Begin(t.Context(), member)); got != "unavailable" {
			t.Fatal(got)
		}
		details := mgmtclient.InstanceDetails{LastOperation: &mgmtclient.Operation{Type: "recreate", State: "in progress", StartedAt: time.Now()}, Tasks: []mgmtclient.Task{{ID: 9}}}
		b.details = func() (mgmtclient.InstanceDetails, error) { return details, nil }
		time.Sleep(time.Minute)
		begun, err := work.Begin(t.Context(), member)
		if outcome(begun, err) != "accepted" || len(b.starts) != 1 {
			t.Fatal(begun, err, b.starts)
		}
		if polled, err := work.Poll(t.Context(), member, begun.Handle); outcome(polled, err) != "accepted" || polled.Task != 9 {
			t.Fatal(polled, err)
		}
		details.LastOperation.State = "succeeded"
		if got := outcome(work.Poll(t.Context(), member, begun.Handle)); got != "succeeded" {
			t.Error(got)
		}

		// What was noted and never sent to the Director is begun.
		details.LastOperation.State, details.Tasks = "unknown", nil
		unsent := companions.NewRecreation(list(t, b, nil))
		_, _ = unsent.Begin(t.Context(), member)
		_, _ = unsent.Begin(t.Context(), member)
		if len(b.starts) != 3 {
			t.Error("started", len(b.starts), "times")
		}

		// What began long before is another one's, and ours never arrived.
		details.LastOperation.State = "succeeded"
		details.LastOperation.StartedAt = time.Now().Add(-time.Hour)
		again := companions.NewRecreation(list(t, b, nil))
		_, _ = again.Begin(t.Context(), member)
		_, _ = again.Begin(t.Context(), member)
		if len(b.starts) != 5 {
			t.Error("started", len(b.starts), "times")
		}
	})
}

// An upgrade to the plan of an hour ago would undo what its owner has changed since.
func TestThePlanIsTheOneOfNow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBroker()
		b.start = func(mgmtclient.Start) (mgmtclient.Started, error) { return mgmtclient.Started{UpToDate: true}, nil }
		work := companions.NewUpgrade(list(t, b, nil), false)
		_, _ = work.Begin(t.Context(), member)
		if b.listed != 1 {
			t.Error("listed", b.listed, "times at one moment")
		}
		time.Sleep(time.Minute)
		b.instances = []mgmtclient.Instance{{ID: "i", PlanID: "q", SpaceGUID: "s"}}
		_, _ = work.Begin(t.Context(), member)
		if got := b.starts[1].PlanID; got != "q" {
			t.Error("upgraded to", got)
		}
		time.Sleep(time.Minute)
		b.list = &mgmtclient.Rejected{Status: 500}
		if got := outcome(work.Begin(t.Context(), member)); got != "unavailable" {
			t.Error(got)
		}
		b.list, b.instances = nil, nil
		if got := outcome(work.Begin(t.Context(), member)); got != "deleted" {
			t.Error(got)
		}
		if len(b.starts) != 2 {
			t.Error("started", b.starts)
		}
	})
}

func TestBeginInCloudFoundry(t *testing.T) {
	t.Parallel()
	busy := &cfclient.Rejected{Status: 409, Code: 60016}
	for name, c := range map[string]struct {
		deployed, plan string
		upgrade        func(*platform) (cfclient.UpgradeStarted, error)
		want           string
		upgrades       int
		starts         int // in the broker
	}{
		"behind": {"1", "2", func(*platform) (cfclient.UpgradeStarted, error) { return cfclient.UpgradeStarted{Job: "j"}, nil }, "accepted", 1, 0},
		"current by now": {"1", "2", func(*platform) (cfclient.UpgradeStarted, error) {
			return cfclient.UpgradeStarted{AlreadyCurrent: true}, nil
		}, "accepted", 1, 1},
		"current":                     {"2", "2", nil, "accepted", 0, 1},
		"without maintenance info":    {"", "", nil, "accepted", 0, 1},
		"had some, the plan has none": {"1", "", nil, "accepted", 0, 1},
		"busy":                        {"1", "2", func(*platform) (cfclient.UpgradeStarted, error) { return cfclient.UpgradeStarted{}, busy }, "busy", 1, 0},
		"gone": {"1", "2", func(*platform) (cfclient.UpgradeStarted, error) {
			return cfclient.UpgradeStarted{}, &cfclient.Rejected{Status: 404, Code: 10010}
		}, "deleted", 1, 0},
		"away": {"1", "2", func(*platform) (cfclient.UpgradeStarted, error) {
			return cfclient.UpgradeStarted{}, &cfclient.Unavailable{Status: 502, Cause: errors.New("away")}
		}, "unavailable", 1, 0},
		"refused": {"1", "2", func(*platform) (cfclient.UpgradeStarted, error) {
			return cfclient.UpgradeStarted{}, &cfclient.Rejected{Status: 422, Code: 10008}
		}, "error", 1, 0},
		"the plan has a newer version": {"1", "2", func(p *platform) (cfclient.UpgradeStarted, error) {
			if p.plan.MaintenanceVersion = "3"; p.upgrades[len(p.upgrades)-1] == "3" {
				return cfclient.UpgradeStarted{Job: "j"}, nil
			}
			return cfclient.UpgradeStarted{}, &cfclient.Rejected{Status: 422, Code: 10008}
		}, "accepted", 2, 0},
		"the instance has another plan": {"1", "2", func(p *platform) (cfclient.UpgradeStarted, error) {
			p.plan.GUID, p.plan.MaintenanceVersion, p.instance.PlanGUID = "Q", "1", "Q"
			return cfclient.UpgradeStarted{}, &cfclient.Rejected{Status: 422, Code: 10008}
		}, "accepted", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := newBroker(), newPlatform(c.deployed, c.plan)
			p.upgrade = func(string) (cfclient.UpgradeStarted, error) { return c.upgrade(p) }
			if got := outcome(companions.NewUpgrade(list(t, b, p), false).Begin(t.Context(), member)); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
			if len(p.upgrades) != c.upgrades || len(b.starts) != c.starts {
				t.Errorf("Cloud Foundry was asked %d times, the broker %d times", len(p.upgrades), len(b.starts))
			}
			if c.starts > 0 && b.starts[0].SpaceGUID != "t" {
				t.Error("the space isn't Cloud Foundry's")
			}
		})
	}
}

func TestPollCloudFoundry(t *testing.T) {
	t.Parallel()
	failed := func(problems ...cfclient.Problem) (cfclient.Job, error) {
		return cfclient.Job{State: cfclient.JobStateFailed, Errors: problems}, nil
	}
	for name, c := range map[string]struct {
		job    func() (cfclient.Job, error)
		last   cfclient.LastOperation
		has    string // the instance's version
		want   string
		reason string
	}{
		"it runs": {job: func() (cfclient.Job, error) { return cfclient.Job{State: cfclient.JobStatePolling}, nil }, want: "accepted"},
		"well":    {job: func() (cfclient.Job, error) { return cfclient.Job{State: cfclient.JobStateComplete}, nil }, want: "succeeded"},
		"refused by the broker": {job: func() (cfclient.Job, error) {
			return failed(cfclient.Problem{Code: 10009, Title: "CF-UnableToPerform", Detail: "no disks"})
		}, want: "error"},
		"failed later": {job: func() (cfclient.Job, error) { return failed(cfclient.Problem{Code: 10001, Title: "UnknownError"}) },
			last: cfclient.LastOperation{State: "failed", Description: "no disks"}, want: "failed", reason: "no disks"},
		"the instance went": {job: func() (cfclient.Job, error) {
			return failed(cfclient.Problem{Code: 10010, Title: "CF-ResourceNotFound"})
		}, want: "deleted"},
		"away": {job: func() (cfclient.Job, error) {
			return cfclient.Job{}, &cfclient.Unavailable{Status: 503, Cause: errors.New("away")}
		}, want: "unavailable"},
		"forgotten, and well":   {job: forgotten, has: "2", last: cfclient.LastOperation{State: "succeeded"}, want: "succeeded"},
		"forgotten, it runs":    {job: forgotten, has: "1", last: cfclient.LastOperation{State: "in progress", Description: "stage"}, want: "accepted"},
		"forgotten, and badly":  {job: forgotten, has: "1", last: cfclient.LastOperation{State: "failed", Description: "no disks"}, want: "failed", reason: "no disks"},
		"forgotten, and undone": {job: forgotten, has: "1", last: cfclient.LastOperation{State: "succeeded"}, want: "failed", reason: "Cloud Foundry ended the operation, and the instance still has maintenance version 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := newBroker(), newPlatform("1", "2")
			work := companions.NewUpgrade(list(t, b, p), false)
			begun, err := work.Begin(t.Context(), member)
			if err != nil {
				t.Fatal(err)
			}
			p.job, p.instance.LastOperation, p.instance.MaintenanceVersion = c.job, c.last, c.has
			polled, err := work.Poll(t.Context(), member, begun.Handle)
			if got := outcome(polled, err); got != c.want || polled.Description != c.reason {
				t.Errorf("%s (%s), not %s", got, polled.Description, c.want)
			}
		})
	}
}

func forgotten() (cfclient.Job, error) {
	return cfclient.Job{}, &cfclient.Rejected{Status: 404, Code: 10010}
}

// An upgrade that Cloud Foundry took on without an answer that arrived is ours, not somebody else's that is in our way.
func TestAnUpgradeInCloudFoundryWhoseAnswerGotLostIsTakenUp(t *testing.T) {
	t.Parallel()
	b, p := newBroker(), newPlatform("1", "2")
	answers := []error{&cfclient.Unavailable{Status: 502, Cause: errors.New("away")}, &cfclient.Rejected{Status: 409, Code: 60016}}
	p.upgrade = func(string) (cfclient.UpgradeStarted, error) {
		err := answers[0]
		answers = answers[1:]
		return cfclient.UpgradeStarted{}, err
	}
	work := companions.NewUpgrade(list(t, b, p), false)
	if got := outcome(work.Begin(t.Context(), member)); got != "unavailable" {
		t.Fatal(got)
	}
	p.instance.LastOperation = cfclient.LastOperation{Type: "update", State: "in progress"}
	begun, err := work.Begin(t.Context(), member)
	if outcome(begun, err) != "accepted" {
		t.Fatal(begun, err)
	}
	p.instance.LastOperation.State, p.instance.MaintenanceVersion = "succeeded", "2"
	if got := outcome(work.Poll(t.Context(), member, begun.Handle)); got != "succeeded" {
		t.Error(got)
	}
}

func TestRoster(t *testing.T) {
	t.Parallel()
	b, p := newBroker(), newPlatform("1", "1")
	b.instances = []mgmtclient.Instance{{ID: "only-in-the-broker", PlanID: "q"}}
	roster := list(t, b, p)
	want := []fleet.Member{
		{ID: "only-in-the-broker", PlanID: "q", Plan: "large"},
		{ID: "i", Name: "cache", PlanID: "p", Plan: "small", Org: "acme", Space: "prod"},
	}
	for i, m := range want {
		if i >= len(roster.Members) || roster.Members[i] != m {
			t.Fatalf("%+v", roster.Members)
		}
	}
	if len(roster.Outdated) != 1 {
		t.Error(roster.Outdated)
	}
}

// A broker that restarts isn't there for Cloud Foundry either, which then gives an upgrade up.
func TestAnUpgradeThatNeverCameToTheBrokerIsBegunAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, p := newBroker(), newPlatform("1", "2")
		work := companions.NewUpgrade(list(t, b, p), false)
		poll := func() string {
			p.job = func() (cfclient.Job, error) {
				problem := cfclient.Problem{Code: 10009, Title: "CF-UnableToPerform", Detail: "update could not be completed: The service broker could not be reached"}
				return cfclient.Job{State: cfclient.JobStateFailed, Errors: []cfclient.Problem{problem}}, nil
			}
			return outcome(work.Poll(t.Context(), member, "job j"))
		}
		b.away = &mgmtclient.Unavailable{Cause: errors.New("away")}
		if got := poll(); got != "unavailable" || len(p.upgrades) != 0 {
			t.Errorf("while the broker is away: %s, and %d upgrades", got, len(p.upgrades))
		}
		time.Sleep(time.Hour)
		b.away = nil
		for range 2 {
			if got := poll(); got != "accepted" {
				t.Errorf("when the broker is back: %s", got)
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(time.Second)
		if got := poll(); got != "error" || len(p.upgrades) != 2 {
			t.Errorf("if Cloud Foundry alone doesn't reach it: %s after %d upgrades", got, len(p.upgrades))
		}
	})
}

func TestOutlooks(t *testing.T) {
	t.Parallel()
	b := newBroker()
	b.pending = func(id string) (mgmtclient.PendingChanges, error) {
		answers := map[string]error{"busy": &mgmtclient.Rejected{Status: 409}, "none": &mgmtclient.Rejected{Status: 404}, "fails": errors.New("no disks")}
		return mgmtclient.PendingChanges{Pending: id == "due"}, answers[id]
	}
	members := []fleet.Member{{ID: "due"}, {ID: "busy"}, {ID: "none"}, {ID: "fails"}, {ID: "current"}}
	var told []companions.Outlook
	err := companions.NewUpgrade(list(t, b, nil), false).Outlooks(t.Context(), members, 2, func(o companions.Outlook) error {
		told = append(told, o)
		return nil
	})
	if err != nil || len(told) != len(members) {
		t.Fatal(err, told)
	}
	for i, o := range told {
		if o.Member != members[i] || o.Due != (o.Member.ID == "due") || (o.Changes == nil) != (o.Unknown != "") {
			t.Errorf("%+v", o)
		}
	}
	enough := errors.New("enough")
	if err := companions.NewRecreation(list(t, b, nil)).Outlooks(t.Context(), members, 2, func(companions.Outlook) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
}

func TestCheckRecreation(t *testing.T) {
	t.Parallel()
	for version, able := range map[string]bool{
		"266.14.0 (00000000)": false, "266.15.0 (00000000)": true, "267.8": false, "267.9.0": true, "268.2.1": false, "268.2.2 (e374eb2b)": true, "268.2": false,
		"268.3.0": false, "268.3.9": false, "268.4.0": true, "269.0.0": true, "282.1.17 (e374eb2b)": true, "265.99.0": false, "1.3262.0.0 (00000000)": false, "": false, "newest": false,
	} {
		if err := companions.CheckRecreation(version); (err == nil) != able {
			t.Errorf("%s: %v", version, err)
		}
	}
}
