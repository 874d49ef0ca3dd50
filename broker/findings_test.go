package broker

import (
	"errors"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/secrets"
)

var findingsNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// rememberedFacts are what is there of an instance of service s, an hour after its last change.
func rememberedFacts(operation recordedOperation) facts {
	hourAgo := findingsNow.Add(-time.Hour)
	operation.StartedAt = hourAgo
	return facts{
		instanceID: "i", deployment: Deployed, configs: instanceConfigs{text: "{}", record: &record{ServiceID: "s", UpdatedAt: hourAgo, Operation: operation}, storedAt: hourAgo},
		standing: &RecordedOperation{Type: OperationUpdate, State: stateSucceeded, StartedAt: hourAgo},
	}
}

// Each row changes an instance that fits together. Findings that Repair would mend are marked with a +.
func TestFindings(t *testing.T) {
	withErrand := recordedOperation{Type: OperationUpdate, ContextID: "c", Errands: []Errand{{Name: "smoke"}}}
	binding := []secrets.Kept{{Name: "/c/s/i/b/credentials"}}
	for name, row := range map[string]struct {
		change func(*facts)
		want   []string
	}{
		"fits together":     {func(*facts) {}, nil},
		"platform knows it": {func(f *facts) { f.platform = PlatformKnows }, nil},
		"orphan":            {func(f *facts) { f.platform = PlatformDoesNot }, []string{"orphan+"}},
		"orphan by the list alone, and nothing says whose":  {func(f *facts) { f.platform, f.configs = PlatformDoesNot, instanceConfigs{} }, []string{"orphan"}},
		"orphan as the caller says, and nothing says whose": {func(f *facts) { f.platform, f.said, f.configs = PlatformDoesNot, PlatformDoesNot, instanceConfigs{} }, []string{"orphan+"}},
		"never deployed orphan":                             {func(f *facts) { f.platform, f.deployment = PlatformDoesNot, NeverDeployed }, []string{"orphan+"}},
		"never deployed":                                    {func(f *facts) { f.deployment = NeverDeployed }, []string{"create_failed"}},
		"gone":                                              {func(f *facts) { f.platform, f.deployment = PlatformKnows, Missing }, []string{"deployment_missing"}},
		"left":                                              {func(f *facts) { f.platform, f.deployment = PlatformDoesNot, Missing }, []string{"leftover_configs+"}},
		"left, unasked":                                     {func(f *facts) { f.deployment, f.credentials.bindings = Missing, binding }, []string{"leftover_binding_credentials", "leftover_configs"}},
		"only credentials of bindings left": {func(f *facts) {
			*f = facts{instanceID: "i", platform: PlatformDoesNot, deployment: Missing, credentials: credentialFacts{bindings: binding}}
		}, []string{"leftover_binding_credentials+"}},
		"only BOSH's variables left, of whoever": {func(f *facts) {
			*f = facts{instanceID: "i", platform: PlatformDoesNot, deployment: Missing, credentials: credentialFacts{secrets: []secrets.Kept{{Name: "/director/service-instance_i/ca"}}}}
		}, []string{"leftover_secrets"}},
		"nothing anywhere": {func(f *facts) { *f = facts{instanceID: "i", platform: PlatformDoesNot, deployment: Missing} }, nil},
		"a task runs":      {func(f *facts) { f.platform, f.tasks = PlatformDoesNot, []boshclient.Task{{ID: 7}} }, []string{"operation_running"}},
		"a step is due":    {func(f *facts) { f.platform, f.standing.State = PlatformDoesNot, "in progress" }, []string{"operation_running"}},
		"stuck": {func(f *facts) {
			f.configs.record.Operation, f.standing.State = withErrand, stateUnknown
			f.configs.record.Operation.StartedAt = findingsNow.Add(-time.Hour)
		}, []string{"operation_stuck+"}},
		"stuck orphan": {func(f *facts) {
			f.platform, f.configs.record.Operation, f.standing.State = PlatformDoesNot, withErrand, stateUnknown
		}, []string{"operation_stuck+", "orphan+"}},
		"its first task may be on its way": {func(f *facts) {
			f.configs.record.Operation, f.standing.State = withErrand, stateUnknown
			f.configs.record.Operation.StartedAt = findingsNow.Add(-time.Second)
		}, nil},
		"forgotten tasks of an operation that has no more steps": {func(f *facts) { f.standing.State = stateUnknown }, nil},
		"not remembered":     {func(f *facts) { f.configs = instanceConfigs{} }, []string{"record_missing"}},
		"unreadable":         {func(f *facts) { f.configs.record = nil }, []string{"record_unreadable"}},
		"unreadable orphan":  {func(f *facts) { f.platform, f.said, f.configs.record = PlatformDoesNot, PlatformDoesNot, nil }, []string{"other_service"}},
		"another's":          {func(f *facts) { f.platform, f.said, f.configs.record.ServiceID = PlatformDoesNot, PlatformDoesNot, "t" }, []string{"other_service"}},
		"another's, running": {func(f *facts) { f.configs.record.ServiceID, f.tasks = "t", []boshclient.Task{{ID: 7}} }, []string{"other_service"}},
		"its client is gone": {func(f *facts) { f.configs.record.UAAClient, f.client.asked = true, true }, []string{"uaa_client_missing"}},
		"whether its client is gone can't be told": {func(f *facts) { f.configs.record.UAAClient, f.client.err = true, errors.New("away") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := rememberedFacts(recordedOperation{Type: OperationUpdate, ContextID: "c"})
			row.change(&f)
			var got []string
			for _, finding := range f.findings("s", true, findingsNow) {
				code := finding.Code
				if NewWithT(t).Expect(FindingCodes()).To(ContainElement(code)); finding.Mendable {
					code += "+"
				}
				got = append(got, code)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
	t.Run("not remembered, where nothing is", func(t *testing.T) {
		NewWithT(t).Expect(facts{deployment: Deployed}.findings("s", false, findingsNow)).To(BeEmpty())
	})
}

// What may be removed, and otherwise why not.
func TestMayRemove(t *testing.T) {
	const grace = 15 * time.Minute
	for name, row := range map[string]struct {
		change func(*facts)
		want   Kind
		about  string
	}{
		"the platform knows it":    {func(f *facts) { f.platform = PlatformKnows }, Unsafe, "the platform knows"},
		"nobody asked":             {func(f *facts) { f.platform = PlatformUnasked }, Unsafe, "platform=unknown"},
		"a task runs":              {func(f *facts) { f.tasks = []boshclient.Task{{ID: 7, Description: "create deployment"}} }, Concurrency, "task 7 runs: create deployment"},
		"a step is due":            {func(f *facts) { f.standing.State = "in progress" }, Concurrency, "steps left"},
		"another's":                {func(f *facts) { f.configs.record.ServiceID = "t" }, Unsafe, `"t"`},
		"unreadable":               {func(f *facts) { f.configs.record = nil }, Unsafe, "can't be read"},
		"nothing says whose":       {func(f *facts) { f.configs = instanceConfigs{} }, Unsafe, "nothing shows"},
		"its record is young":      {func(f *facts) { f.configs.record.UpdatedAt = findingsNow.Add(-time.Minute) }, Unsafe, "1m0s ago"},
		"its last task is young":   {func(f *facts) { f.lastTask = &boshclient.Task{UpdatedAt: findingsNow.Add(-time.Minute)} }, Unsafe, "1m0s ago"},
		"its last task just began": {func(f *facts) { f.lastTask = &boshclient.Task{StartedAt: findingsNow.Add(-time.Minute)} }, Unsafe, "1m0s ago"},
		"its configs are young":    {func(f *facts) { f.configs.storedAt = findingsNow.Add(-time.Minute) }, Unsafe, "1m0s ago"},
		"its secrets are young": {func(f *facts) {
			f.credentials.secrets = []secrets.Kept{{WrittenAt: findingsNow.Add(-time.Minute)}}
		}, Unsafe, "1m0s ago"},
		"it changed in a Director's future": {func(f *facts) { f.configs.storedAt = findingsNow.Add(time.Hour) }, Unsafe, "0s ago"},
	} {
		t.Run(name, func(t *testing.T) {
			f := rememberedFacts(recordedOperation{Type: OperationUpdate, ContextID: "c"})
			f.platform = PlatformDoesNot
			NewWithT(t).Expect(f.mayRemove("s", grace, findingsNow)).To(BeNil())
			row.change(&f)
			refusal := f.mayRemove("s", grace, findingsNow)
			NewWithT(t).Expect(refusal).To(And(HaveField("Kind", row.want), HaveField("Message", ContainSubstring(row.about))))
		})
	}
	t.Run("a Director's future is no reason where there is no grace", func(t *testing.T) {
		f := rememberedFacts(recordedOperation{})
		f.platform, f.configs.storedAt = PlatformDoesNot, findingsNow.Add(time.Hour)
		NewWithT(t).Expect(f.mayRemove("s", 0, findingsNow)).To(BeNil())
	})
}
