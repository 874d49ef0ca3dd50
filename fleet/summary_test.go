package fleet_test

import (
	"testing"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

func TestKindsOfEnds(t *testing.T) {
	failed := []Failure{{ID: "a", Task: 3, Reason: "disk is full"}}
	for name, c := range map[string]struct {
		summary Summary
		end     End
		err     string
	}{
		"nobody is there":         {Summary{}, EndWell, ""},
		"everything went well":    {Summary{Total: 3, Successful: 2, Skipped: 1}, EndWell, ""},
		"deleted ones, orphans":   {Summary{Total: 2, Deleted: 1, Orphans: 1}, EndWell, ""},
		"one failed":              {Summary{Total: 2, Successful: 1, Failed: failed}, EndSomeFailed, "[a] operation failed: bosh task id 3: disk is full"},
		"one stayed busy":         {Summary{Total: 2, Successful: 1, Busy: []string{"b"}}, EndSomeBusy, "other operations were in progress on these service instances at each attempt: b"},
		"one failed, one is busy": {Summary{Total: 2, Failed: failed, Busy: []string{"b"}}, EndSomeFailed, "2 errors occurred:\n* [a] operation failed: bosh task id 3: disk is full\n* other operations were in progress on these service instances at each attempt: b"},
		"canaries stayed busy": {Summary{Total: 2, Busy: []string{"b"}, NotBegun: 1, Stopped: StopCanaries}, EndSomeBusy,
			"2 errors occurred:\n* other operations were in progress on these service instances at each attempt: b\n* not all canaries were processed successfully; 1 of 2 service instances were not begun"},
		"drained":             {Summary{Total: 2, Successful: 1, NotBegun: 1, Stopped: StopDrained}, EndFailure, "the run was stopped; 1 of 2 service instances were not begun"},
		"drained, one failed": {Summary{Total: 2, Failed: failed, NotBegun: 1, Stopped: StopDrained}, EndSomeFailed, "2 errors occurred:\n* [a] operation failed: bosh task id 3: disk is full\n* the run was stopped; 1 of 2 service instances were not begun"},
		"left": {Summary{Total: 1, Running: []string{"a"}, Stopped: StopLeft}, EndFailure,
			"2 errors occurred:\n* operations may still run on these service instances: a\n* the run was broken off; 0 of 1 service instances were not begun"},
		"nobody answered":   {Summary{Total: 2, Failed: failed, NotBegun: 1, Stopped: StopUnreachable}, EndFailure, "2 errors occurred:\n* [a] operation failed: bosh task id 3: disk is full\n* the run was stopped since nobody answered any more; 1 of 2 service instances were not begun"},
		"too many failures": {Summary{Total: 2, Failed: failed, NotBegun: 1, Stopped: StopFailures}, EndSomeFailed, "2 errors occurred:\n* [a] operation failed: bosh task id 3: disk is full\n* the run was stopped because of the failures; 1 of 2 service instances were not begun"},
		"no task":           {Summary{Total: 1, Failed: []Failure{{ID: "a", Reason: "refused"}}}, EndSomeFailed, "[a] operation failed: refused"},
		"a reason of two lines, that steers terminals": {Summary{Total: 1, Failed: []Failure{{ID: "a", Reason: "refused:\n\x1b[2Jno"}}}, EndSomeFailed,
			"[a] operation failed: refused: [2Jno"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(c.summary.End()).To(Equal(c.end), c.summary.End().String())
			if c.err == "" {
				g.Expect(c.summary.Err()).NotTo(HaveOccurred())
				return
			}
			g.Expect(c.summary.Err()).To(MatchError(c.err))
		})
	}
}
