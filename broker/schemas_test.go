package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/schemas"
)

const anything = `{"$schema":"http://json-schema.org/draft-04/schema#"}`

// generator answers for a plan by its property "answer".
type generator func(answer string) (adapterclient.PlanSchemas, error)

func (g generator) GeneratePlanSchemas(_ context.Context, plan adapterclient.Plan) (adapterclient.PlanSchemas, error) {
	return g(plan.Properties["answer"].(string))
}

func alike(text string) adapterclient.PlanSchemas {
	return adapterclient.PlanSchemas{InstanceCreate: []byte(text), InstanceUpdate: []byte(text), BindingCreate: []byte(text)}
}

func plans(names ...string) config.ServiceCatalog {
	catalog := config.ServiceCatalog{ID: "service"}
	for _, name := range names {
		catalog.Plans = append(catalog.Plans, config.Plan{ID: name + "-id", Name: name, Properties: map[string]any{"answer": name}})
	}
	return catalog
}

func TestSchemasOfAllPlansAreAskedForOnceAndSideBySideWithinBounds(t *testing.T) {
	g := NewWithT(t)
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("plan-%d", i))
	}
	var asked, running, most atomic.Int32
	together := make(chan struct{})
	generated, err := GenerateSchemas(t.Context(), generator(func(string) (adapterclient.PlanSchemas, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		if asked.Add(1) == maxGenerations { // the first ones wait for one another
			close(together)
		}
		<-together
		return alike(anything), nil
	}), plans(names...))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(generated).To(HaveLen(20))
	g.Expect(asked.Load()).To(BeEquivalentTo(20))
	g.Expect(most.Load()).To(BeEquivalentTo(maxGenerations))
}

func TestSchemaProblemsOfAllPlansAreToldAtOnce(t *testing.T) {
	g := NewWithT(t)
	_, err := GenerateSchemas(t.Context(), generator(func(answer string) (adapterclient.PlanSchemas, error) {
		switch answer {
		case "good":
			return alike(anything), nil
		case "odd":
			odd := alike(anything)
			odd.InstanceUpdate = []byte(`{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"minimum":"x"},"b":{"type":"text"}}}`)
			odd.BindingCreate = nil
			return odd, nil
		default:
			return adapterclient.PlanSchemas{}, &adapterclient.ExitError{Verb: adapterclient.VerbGeneratePlanSchemas, Code: 1}
		}
	}), plans("good", "odd", "silent"))
	g.Expect(err).To(MatchError(And(
		ContainSubstring(`plan "odd": the service adapter's schema service_instance.update.parameters can't be used: /properties/a/minimum: must be number, not string; /properties/b/type: must`),
		ContainSubstring(`plan "odd": the service adapter's schema service_binding.create.parameters can't be used: (root): is missing`),
		ContainSubstring(`plan "silent": asking the service adapter for its schemas: service adapter: generate-plan-schemas exited with code 1`),
		Not(ContainSubstring(`plan "good"`)),
	)))
	var unusable *SchemaError
	g.Expect(errors.As(err, &unusable)).To(BeTrue())
	g.Expect(unusable.Plan).To(Equal("odd"))
	var problems *schemas.Unusable
	g.Expect(errors.As(err, &problems)).To(BeTrue())
	g.Expect(problems.Problems).To(HaveLen(2))
	var exit *adapterclient.ExitError
	g.Expect(errors.As(err, &exit)).To(BeTrue())
}

func TestAnAdapterWithoutSchemasIsToldOfOnce(t *testing.T) {
	g := NewWithT(t)
	_, err := GenerateSchemas(t.Context(), generator(func(string) (adapterclient.PlanSchemas, error) {
		return adapterclient.PlanSchemas{}, &adapterclient.ExitError{Verb: adapterclient.VerbGeneratePlanSchemas, Code: 10}
	}), plans("one", "two"))
	g.Expect(err).To(MatchError(adapterclient.ErrNotImplemented))
	g.Expect(strings.Count(err.Error(), "generate-plan-schemas")).To(Equal(1))
	g.Expect(err.Error()).To(HavePrefix("broker.enable_plan_schemas is true, but"))
}

func TestWithoutSchemasEverythingIsAllowedAndTheCatalogTellsNone(t *testing.T) {
	g := NewWithT(t)
	var off Schemas
	g.Expect(off.check(&plan{Plan: config.Plan{ID: "p"}}, OperationCreate, json.RawMessage(`{"a":1}`))).To(BeNil())
	g.Expect(off.osb("p")).To(BeNil())
}

func TestEachOperationHasItsOwnSchemaAndAnUpgradeHasNone(t *testing.T) {
	g := NewWithT(t)
	only := func(name string) json.RawMessage {
		return json.RawMessage(`{"$schema":"http://json-schema.org/draft-04/schema#","additionalProperties":false,"properties":{"` + name + `":{}}}`)
	}
	generated, err := GenerateSchemas(t.Context(), generator(func(string) (adapterclient.PlanSchemas, error) {
		return adapterclient.PlanSchemas{InstanceCreate: only("create"), InstanceUpdate: only("update"), BindingCreate: only("bind")}, nil
	}), plans("p"))
	g.Expect(err).NotTo(HaveOccurred())
	p := &plan{Plan: config.Plan{ID: "p-id"}}
	for _, operation := range []OperationType{OperationCreate, OperationUpdate, OperationBind} {
		g.Expect(generated.check(p, operation, json.RawMessage(`{"`+operation+`":1}`))).To(BeNil())
		refusal := generated.check(p, operation, json.RawMessage(`{"other":1}`))
		g.Expect(refusal).NotTo(BeNil())
		g.Expect(refusal.Kind).To(Equal(BadRequest))
		g.Expect(refusal.Message).To(Equal("parameters are not valid: /other: is not allowed"))
	}
	g.Expect(generated.check(p, OperationUpgrade, json.RawMessage(`{"other":1}`))).To(BeNil())
	g.Expect(generated.osb("p-id").Instance.Update.Parameters).To(HaveKey("properties"))
	g.Expect(generated.osb("other")).To(BeNil())
}
