package config_test

import (
	"reflect"
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
