package config_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/config"
)

func parseFile(t *testing.T, path string) (*config.Config, []config.Problem, error) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return config.Parse(filepath.Base(path), text)
}

func mustParse(t *testing.T, path string) (*config.Config, []config.Problem) {
	t.Helper()
	c, rest, err := parseFile(t, path)
	if err != nil {
		t.Fatalf("%s is refused:\n%v", path, err)
	}
	return c, rest
}

// everything gives all problems, whether Parse refused because of them or not.
func everything(rest []config.Problem, err error) []config.Problem {
	var refused *config.Problems
	if errors.As(err, &refused) {
		rest = append(rest, refused.All...)
	}
	config.SortByLine(rest)
	return rest
}

func lines(problems []config.Problem) string {
	var text strings.Builder
	for _, p := range problems {
		text.WriteString(string(p.Severity) + " " + p.String() + "\n")
	}
	return text.String()
}

// Each file of testdata/bad has the one fault that it is named after, and what is to be said about it beside it.
func TestFaults(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".yml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(name + ".want")
			if err != nil || len(want) == 0 {
				t.Fatal("a file of faults needs a .want beside it:", err)
			}
			c, rest, err := parseFile(t, file)
			if got := lines(everything(rest, err)); got != string(want) {
				t.Errorf("it says\n%s\nand not\n%s", got, want)
			}
			if (c == nil) != (err != nil) || (err != nil) != strings.Contains("\n"+string(want), "\nerror ") {
				t.Errorf("refused: %v", err)
			}
			if strings.Contains(string(want), "hunter2") {
				t.Error("it tells a secret")
			}
		})
	}
}

func TestGoodFilesHaveNothingToSayAbout(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"plain.yml", "rendered_with_nothing_set.yml"} {
		_, rest := mustParse(t, "testdata/good/"+file)
		for _, p := range rest {
			t.Error(p)
		}
	}
}

func TestWorkedExample(t *testing.T) {
	t.Parallel()
	c, rest := mustParse(t, "testdata/good/worked_example.yml")
	for _, p := range rest {
		if p.Severity == config.Warning && !strings.HasSuffix(p.Path, "ca_cert") { // its certificates are placeholders
			t.Error(p)
		}
	}
	if c.Broker.ShutdownTimeout != 45*time.Second || !c.Broker.TLS.Enabled() || c.Broker.Password.Reveal() != "s3cr3t-basic" {
		t.Errorf("broker: %+v", c.Broker)
	}
	if got := c.BOSH.Authentication.UAA.ClientCredentials; got.ClientID != "cachedb-team" || got.ClientSecret.Reveal() != "director-team-secret" {
		t.Errorf("bosh: %+v", c.BOSH)
	}
	if c.BOSH.Timeout != 30*time.Second || c.ServiceAdapter.Timeout != 5*time.Minute || c.ServiceAdapter.Env != nil {
		t.Errorf("defaults: %v %v %v", c.BOSH.Timeout, c.ServiceAdapter.Timeout, c.ServiceAdapter.Env)
	}
	if !c.CF.UAA.ClientDefinition.Given() || !c.CredHub.Enabled() || c.BOSHCredHub.Authentication.UAA.ClientCredentials.ClientID == "" {
		t.Errorf("clients: %+v %+v %+v", c.CF, c.CredHub, c.BOSHCredHub)
	}
	if want := map[string]any{"tier": "gold"}; !reflect.DeepEqual(c.ServiceCatalog.Metadata.Extra, want) {
		t.Errorf("metadata: %v", c.ServiceCatalog.Metadata.Extra)
	}
	if *c.ServiceCatalog.GlobalQuotas.ServiceInstanceLimit != 100 || c.ServiceCatalog.GlobalQuotas.Resources["memory_gb"].Limit != 2000 {
		t.Errorf("quotas: %+v", c.ServiceCatalog.GlobalQuotas)
	}
	small := c.ServiceCatalog.Plans[0]
	serial := false
	wantUpdate := &config.Update{
		Canaries: 1, MaxInFlight: "50%", CanaryWatchTime: "3000-180000", UpdateWatchTime: "3000-180000",
		Serial: &serial, InitialDeployAZUpdateStrategy: "parallel",
	}
	if !reflect.DeepEqual(small.Update, wantUpdate) {
		t.Errorf("update: %+v", small.Update)
	}
	wantErrands := &config.LifecycleErrands{
		PostDeploy: []config.Errand{{Name: "cachedb-check"}, {Name: "cachedb-warmup", Instances: []string{"cachedb-server/0"}}},
		PreDelete:  []config.Errand{{Name: "cachedb-wipe", Instances: []string{"cachedb-server"}}},
	}
	if !reflect.DeepEqual(small.LifecycleErrands, wantErrands) {
		t.Errorf("errands: %+v", small.LifecycleErrands)
	}
	if dns := small.BindingWithDNS[0]; dns.LinkProvider != "cachedb-link" || dns.Status != "healthy" || !reflect.DeepEqual(dns.AZs, []string{"z1"}) {
		t.Errorf("binding_with_dns: %+v", dns)
	}
	if info := small.MaintenanceInfo; info.Public["engine"] != "4.2" || c.ServiceCatalog.MaintenanceInfo.Private["template_rev"].Reveal() != "17" {
		t.Errorf("maintenance_info: %+v", info)
	}
}

func TestNullAndEmptyMeanNotConfigured(t *testing.T) {
	t.Parallel()
	c, _ := mustParse(t, "testdata/good/rendered_with_nothing_set.yml")
	if c.Broker.TLS.Enabled() || c.CredHub.Enabled() || c.CF.UAA.ClientDefinition.Given() || c.BOSH.Timeout == 0 || c.ServiceAdapter.Timeout == 0 {
		t.Errorf("%+v", c)
	}
	catalog := c.ServiceCatalog
	if catalog.DashboardClient != nil || catalog.MaintenanceInfo != nil || catalog.GlobalQuotas.ServiceInstanceLimit != nil || len(catalog.GlobalQuotas.Resources) != 0 {
		t.Errorf("%+v", catalog)
	}
	if len(catalog.Plans) != 1 {
		t.Fatalf("plans that are null stay: %+v", catalog.Plans)
	}
	plan := catalog.Plans[0]
	if plan.Free != nil || plan.Bindable != nil || plan.Update != nil || plan.LifecycleErrands != nil || plan.MaintenanceInfo != nil {
		t.Errorf("%+v", plan)
	}
	if got := plan.InstanceGroups[0].VMExtensions; !reflect.DeepEqual(got, []string{"public-ip"}) {
		t.Errorf("vm_extensions: %q", got)
	}
}

func TestLeastThatTheExistingBrokerTakes(t *testing.T) {
	t.Parallel()
	c, rest := mustParse(t, "testdata/good/least_that_the_existing_broker_takes.yml")
	if c.Broker.Username != "yes" || c.Broker.Password.Reveal() != "12345" || c.BOSH.Authentication.Basic.Password.Reveal() != "0777" || c.ServiceCatalog.Plans[0].ID != "1.10" {
		t.Errorf("text is not as it was written: %+v", c)
	}
	if len(rest) == 0 {
		t.Error("there should be warnings")
	}
}

func TestLooseFileMeansWhatItAlwaysMeant(t *testing.T) {
	t.Parallel()
	c, rest := mustParse(t, "testdata/good/loosely_written.yml")
	for _, p := range rest {
		if p.Path != "defaults" && p.Path != "broker.port" {
			t.Error(p)
		}
	}
	if b := c.Broker; b.Port != 8080 || b.Username != "123" || b.Password.Reveal() != "~x" || !b.UseStdin || b.StartupBanner || !b.DisableCFStartupChecks {
		t.Errorf("broker: %+v", b)
	}
	if client := c.BOSH.Authentication.UAA.ClientCredentials; client.ClientID != "1.10" || client.ClientSecret.Reveal() != "2001-01-01" {
		t.Errorf("bosh: %q %q", client.ClientID, client.ClientSecret.Reveal())
	}
	if d := c.ServiceDeployment; d.Releases[0].Version != "1.10" || !reflect.DeepEqual(d.Releases[0].Jobs, []string{"true", "5"}) || d.Stemcells[0].Version != "1.350" {
		t.Errorf("deployment: %+v", d)
	}
	plan := c.ServiceCatalog.Plans[0]
	if c.ServiceCatalog.Bindable != true || *plan.Free || *plan.Quotas.ServiceInstanceLimit != 5 || plan.Quotas.Resources["ips"].Cost != 1 {
		t.Errorf("plan: %+v", plan)
	}
	wantMetadata := map[string]any{"tier": "gold", "displayName": "Cache", "since": "2001-01-01", "reviewed": false}
	if !reflect.DeepEqual(c.ServiceCatalog.Metadata.Extra, wantMetadata) {
		t.Errorf("metadata: %v", c.ServiceCatalog.Metadata.Extra)
	}
	wantProperties := map[string]any{"b": map[string]any{"c": 3}, "flag": true, "ratio": 1.1, "none": nil, "list": []any{true, "on", 1000}}
	if !reflect.DeepEqual(plan.Properties, wantProperties) {
		t.Errorf("properties: %#v", plan.Properties)
	}
	wantGroups := []config.InstanceGroup{
		{
			Name: "server", VMType: "small", Networks: []string{"services"}, AZs: []string{"z1"}, Instances: 3,
			Extra: map[string]any{"env": map[string]any{"bosh": map[string]any{"password": "x"}}},
		},
		{Name: "check", VMType: "small", Networks: []string{"services"}, AZs: []string{"z1"}, Instances: 2, Lifecycle: "errand"},
	}
	if !reflect.DeepEqual(plan.InstanceGroups, wantGroups) {
		t.Errorf("instance groups: %+v", plan.InstanceGroups)
	}
	if update := plan.Update; update.MaxInFlight != "10%" || update.CanaryWatchTime != "30000" {
		t.Errorf("update: %+v", update)
	}
	if len(plan.LifecycleErrands.PostDeploy) != 1 {
		t.Errorf("errands: %+v", plan.LifecycleErrands)
	}
}

func TestCredentialsThatATemplateLeftOutAreGone(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/good/plain.yml")
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Parse("broker.yml", []byte(strings.Replace(string(text), "port: 8080", "port: 8080\n  credentials: [null, {username: next, password: hunter3}]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Broker.Credentials; len(got) != 1 || got[0].Username != "next" || got[0].Password.Reveal() != "hunter3" {
		t.Errorf("%+v", got)
	}
}

func TestProblemIsJSON(t *testing.T) {
	t.Parallel()
	p := config.Problem{File: "broker.yml", Line: 3, Path: "broker.port", What: "is missing", Want: "give one", Severity: config.Error}
	got, err := json.Marshal(p)
	want := `{"file":"broker.yml","line":3,"path":"broker.port","problem":"is missing","want":"give one","severity":"error"}`
	if err != nil || string(got) != want {
		t.Errorf("%s %v", got, err)
	}
	if got := p.String(); got != "broker.yml:3: broker.port: is missing, give one" {
		t.Error(got)
	}
}
