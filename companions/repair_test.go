package companions_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/fleet"
	"github.com/on-demand-broker/odb/mgmtclient"
)

// cleaner is a broker that removes and repairs as the fields say.
type cleaner struct {
	removed  error
	findings mgmtclient.Findings
	repaired mgmtclient.Repaired
	polls    []mgmtclient.LastOperation // one after another; the last one stays
	asked    []mgmtclient.Removal
}

func (c *cleaner) RemoveOrphan(_ context.Context, _ string, r mgmtclient.Removal) (mgmtclient.Started, error) {
	c.asked = append(c.asked, r)
	return mgmtclient.Started{OperationData: "{}", TaskID: 7}, c.removed
}

func (c *cleaner) Findings(context.Context, string, string) (mgmtclient.Findings, error) {
	return c.findings, nil
}

func (c *cleaner) Repair(_ context.Context, r mgmtclient.Repair) (mgmtclient.Repaired, error) {
	c.asked = append(c.asked, r.Removal)
	return c.repaired, nil
}

func (c *cleaner) LastOperation(context.Context, string, string) (mgmtclient.LastOperation, error) {
	if len(c.polls) == 0 {
		return mgmtclient.LastOperation{}, &mgmtclient.Rejected{Status: 410}
	}
	poll := c.polls[0]
	if len(c.polls) > 1 {
		c.polls = c.polls[1:]
	}
	return poll, nil
}

// foundry is a Cloud Foundry with one instance, or an error.
type foundry struct {
	instance cfclient.Instance
	err      error
	purged   bool
}

func (f *foundry) Instance(context.Context, string) (cfclient.Instance, error) {
	return f.instance, f.err
}

func (f *foundry) PurgeInstance(context.Context, string) error {
	f.purged = true
	return nil
}

func TestBeginARemoval(t *testing.T) {
	t.Parallel()
	missing := &cfclient.Rejected{Status: 404, Code: 10010}
	for name, c := range map[string]struct {
		removed  error
		platform companions.InstanceFinder
		want     string
		said     string
	}{
		"it runs":                   {want: "accepted"},
		"Cloud Foundry has it not":  {platform: &foundry{err: missing}, want: "accepted", said: "unknown"},
		"Cloud Foundry has it":      {platform: &foundry{}, want: "failed"},
		"Cloud Foundry isn't there": {platform: &foundry{err: &cfclient.Unavailable{Cause: errors.New("away")}}, want: "unavailable"},
		"Cloud Foundry won't tell":  {platform: &foundry{err: &cfclient.Rejected{Status: 403}}, want: "error"},
		"no deployment any more":    {removed: &mgmtclient.Rejected{Status: 410}, want: "succeeded"},
		"worked on":                 {removed: &mgmtclient.Rejected{Status: 409}, want: "busy"},
		"the platform knows it":     {removed: &mgmtclient.Rejected{Status: 422, Description: "delete it there"}, want: "error"},
		"the broker isn't there":    {removed: &mgmtclient.Unavailable{Cause: errors.New("away")}, want: "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &cleaner{removed: c.removed}
			work := &companions.Removals{Broker: b, Platform: c.platform}
			if got := outcome(work.Begin(t.Context(), fleet.Member{ID: "i"})); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
			if len(b.asked) > 0 && b.asked[0].Platform != c.said {
				t.Errorf("it said that the platform has it %q", b.asked[0].Platform)
			}
		})
	}
}

func TestPollARemoval(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]string{"in progress": "accepted", "succeeded": "succeeded", "failed": "failed", "": "succeeded"} {
		b := &cleaner{}
		if state != "" {
			b.polls = []mgmtclient.LastOperation{{State: state}}
		}
		work := &companions.Removals{Broker: b}
		if got := outcome(work.Poll(t.Context(), fleet.Member{ID: "i"}, "{}")); got != want {
			t.Errorf("%q is %s, not %s", state, got, want)
		}
	}
}

func TestCloudFoundryThatWaitsInVainIsFound(t *testing.T) {
	t.Parallel()
	running := func(age time.Duration) cfclient.LastOperation {
		return cfclient.LastOperation{Type: "update", State: "in progress", UpdatedAt: time.Now().Add(-age)}
	}
	for name, c := range map[string]struct {
		last     cfclient.LastOperation
		findings mgmtclient.Findings
		want     bool
	}{
		"for an hour":           {last: running(time.Hour), want: true},
		"not for long":          {last: running(time.Minute)},
		"it has ended":          {last: cfclient.LastOperation{Type: "update", State: "failed"}},
		"a task runs":           {last: running(time.Hour), findings: mgmtclient.Findings{Director: mgmtclient.DirectorFindings{Tasks: []mgmtclient.Task{{ID: 1}}}}},
		"errands are to follow": {last: running(time.Hour), findings: mgmtclient.Findings{Findings: []mgmtclient.Finding{{Code: "operation_running"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patient := companions.Patient{ID: "i", Broker: &cleaner{findings: c.findings}, Platform: &foundry{instance: cfclient.Instance{LastOperation: c.last}}}
			d, err := patient.Diagnose(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := false
			for _, f := range d.Findings.Findings {
				got = got || f.Code == companions.PlatformWaits
			}
			if got != c.want {
				t.Error(d.Findings.Findings)
			}
		})
	}
}

func TestARepairWaitsForItsDeletion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &cleaner{repaired: mgmtclient.Repaired{Operation: json.RawMessage("{}")}, polls: []mgmtclient.LastOperation{{State: "in progress"}, {State: "in progress"}, {State: "succeeded"}}}
		began := time.Now()
		if _, err := (companions.Patient{ID: "i", Broker: b}).Treat(t.Context(), companions.Treatment{Every: time.Second}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Error("it took", took)
		}
		b.polls = []mgmtclient.LastOperation{{State: "failed", Description: "no luck"}}
		if _, err := (companions.Patient{ID: "i", Broker: b}).Treat(t.Context(), companions.Treatment{Every: time.Second}); err == nil {
			t.Error("a deletion that failed is no success")
		}
		b.polls = []mgmtclient.LastOperation{{State: "in progress"}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := (companions.Patient{ID: "i", Broker: b}).Treat(ctx, companions.Treatment{Every: time.Second}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestOnlyWhatNobodyCanUseIsPurged(t *testing.T) {
	t.Parallel()
	for code, purged := range map[string]bool{"create_failed": true, "deployment_missing": true, "operation_stuck": false, "record_missing": false, "": false} {
		b, f := &cleaner{}, &foundry{}
		if code != "" {
			b.findings.Findings = []mgmtclient.Finding{{Code: code}}
		}
		done, err := (companions.Patient{ID: "i", Broker: b, Platform: f}).Treat(t.Context(), companions.Treatment{Purge: true})
		if f.purged != purged || done.Purged != purged || errors.Is(err, companions.ErrUsable) == purged {
			t.Errorf("%q: purged %v, %v", code, f.purged, err)
		}
		if purged && b.asked[0].Platform != mgmtclient.PlatformDoesNot {
			t.Error("the broker was told", b.asked[0].Platform)
		}
	}
}
