package config_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

func TestPropertiesOfAPlanLieOverTheGlobalOnes(t *testing.T) {
	t.Parallel()
	catalog := config.ServiceCatalog{GlobalProperties: map[string]any{"a": 1, "b": map[string]any{"x": 1}}}
	plan := config.Plan{Properties: map[string]any{"b": map[string]any{"y": 2}, "c": 3}}
	got := catalog.PropertiesOf(plan)
	want := map[string]any{"a": 1, "b": map[string]any{"y": 2}, "c": 3}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	got["d"] = 4
	if len(catalog.GlobalProperties) != 2 || len(plan.Properties) != 2 {
		t.Error("the result shares a map with the configuration")
	}
	if (config.ServiceCatalog{}).PropertiesOf(config.Plan{}) == nil {
		t.Error("no properties are an empty map, which adapters get as {}")
	}
}

// OSB 2.17 compares names case-sensitively (row B8 of the checks).
func TestNamesThatDifferInCaseAreTwo(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/bad/plan_name_twice.yml")
	if err != nil {
		t.Fatal(err)
	}
	lower, upper, found := strings.Cut(string(text), "      name: small\n")
	if !found {
		t.Fatal("the file has no plan small")
	}
	different := lower + "      name: Small\n" + upper
	c, rest, err := config.Parse("broker.yml", []byte(different))
	if err != nil || len(rest) > 0 {
		t.Fatal(rest, err)
	}
	if first, second := c.ServiceCatalog.Plans[0].Name, c.ServiceCatalog.Plans[1].Name; first != "Small" || second != "small" {
		t.Errorf("%q and %q", first, second)
	}
}

func TestPlanIsBindableLikeTheOffering(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for _, c := range []struct {
		offering bool
		plan     *bool
		want     bool
	}{{true, nil, true}, {false, nil, false}, {true, &no, false}, {false, &yes, true}} {
		if got := (config.ServiceCatalog{Bindable: c.offering}).IsBindable(config.Plan{Bindable: c.plan}); got != c.want {
			t.Errorf("%v %v: %v", c.offering, c.plan, got)
		}
	}
}

func TestPlanCanChangeLikeTheOffering(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for _, c := range []struct {
		offering bool
		plan     *bool
		want     bool
	}{{true, nil, true}, {false, nil, false}, {true, &no, false}, {false, &yes, true}} {
		if got := (config.ServiceCatalog{PlanUpdatable: c.offering}).CanChange(config.Plan{PlanUpdatable: c.plan}); got != c.want {
			t.Errorf("%v %v: %v", c.offering, c.plan, got)
		}
	}
}

func TestCatalogPromisesNothingThatIsNotKept(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"instances_retrievable_without_configs", "allow_context_updates_without_configs"} {
		c, _, err := parseFile(t, "testdata/bad/"+file+".yml")
		if err != nil || c.ServiceCatalog.InstancesRetrievable || c.ServiceCatalog.AllowContextUpdates {
			t.Errorf("%s: %v", file, err)
		}
	}
}
