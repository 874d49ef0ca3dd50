package broker

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/config"
)

func info(version string) *domain.MaintenanceInfo { return &domain.MaintenanceInfo{Version: version} }

func TestDecide(t *testing.T) {
	versioned := &plan{Plan: config.Plan{ID: "versioned", Name: "versioned", MaintenanceInfo: &config.MaintenanceInfo{Version: "2.0.0"}}}
	other := &plan{Plan: config.Plan{ID: "other", Name: "other", MaintenanceInfo: &config.MaintenanceInfo{Version: "5.0.0"}}}
	plain := &plan{Plan: config.Plan{ID: "plain", Name: "plain"}}
	const refusedAs = "refused"

	for name, c := range map[string]struct {
		change change
		want   OperationType
		kind   Kind
	}{
		"nothing about maintenance":                       {change{target: plain, previous: plain}, OperationUpdate, 0},
		"the catalog has a version, the platform none":    {change{target: versioned, previous: versioned}, OperationUpdate, 0},
		"the catalog's version, the instance is older":    {change{target: versioned, previous: versioned, requested: info("2.0.0"), before: info("1.0.0")}, OperationUpgrade, 0},
		"the catalog's version, the instance had none":    {change{target: versioned, previous: versioned, requested: info("2.0.0")}, OperationUpgrade, 0},
		"the catalog's version, the previous plan unsaid": {change{target: versioned, requested: info("2.0.0"), before: info("1.0.0")}, OperationUpgrade, 0},
		"the catalog's version, the instance is at it":    {change{target: versioned, previous: versioned, requested: info("2.0.0"), before: info("2.0.0")}, OperationUpdate, 0},
		"an upgrade with parameters":                      {change{target: versioned, previous: versioned, parameters: true, requested: info("2.0.0"), before: info("1.0.0")}, refusedAs, Refused},
		"parameters, the instance is current":             {change{target: versioned, previous: versioned, parameters: true, requested: info("2.0.0"), before: info("2.0.0")}, OperationUpdate, 0},
		"another plan, the instance is current":           {change{target: other, previous: versioned, requested: info("5.0.0"), before: info("2.0.0")}, OperationUpdate, 0},
		"another plan, the instance is not current":       {change{target: other, previous: versioned, before: info("1.0.0")}, refusedAs, Refused},
		"a version that isn't the catalog's":              {change{target: versioned, previous: versioned, requested: info("3.0.0")}, refusedAs, MaintenanceInfoConflict},
		"a version where the catalog has none":            {change{target: plain, previous: plain, requested: info("1.0.0")}, refusedAs, MaintenanceInfoConflict},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got, refusal := offering{}.decide(c.change)
			if c.want == refusedAs {
				g.Expect(refusal).NotTo(BeNil())
				g.Expect(refusal.Kind).To(Equal(c.kind))
				return
			}
			g.Expect(refusal).To(BeNil())
			g.Expect(got).To(Equal(c.want))
		})
	}
}

func TestMaintenanceInfoOfThePlanGoesBeforeTheOfferings(t *testing.T) {
	g := NewWithT(t)
	global := &config.MaintenanceInfo{Version: "1.0.0", Description: "all"}
	g.Expect(maintenanceInfo(nil, nil, false)).To(BeNil())
	g.Expect(maintenanceInfo(global, nil, false)).To(Equal(&domain.MaintenanceInfo{Version: "1.0.0", Description: "all"}))
	g.Expect(maintenanceInfo(global, &config.MaintenanceInfo{Version: "2.0.0"}, false)).To(Equal(&domain.MaintenanceInfo{Version: "2.0.0", Description: "all"}))
	g.Expect(maintenanceInfo(&config.MaintenanceInfo{Description: "all"}, nil, false)).To(BeNil(), "OSB wants a version")
}

func TestPrivateDigestIsThatOfTheExistingBroker(t *testing.T) {
	g := NewWithT(t)
	private := map[string]config.Secret{"template_rev": config.NewSecret("17"), "a": config.NewSecret("b")}
	g.Expect(privateDigest(private)).To(Equal("8c7e3c5899039a1e6a6c402c2b2a49fbbe5ab070950dec80a3ebf87788bca6c2"))
	g.Expect(privateDigest(nil)).To(BeEmpty())
}

func TestFullMaintenanceInfoIsToldAndCompared(t *testing.T) {
	g := NewWithT(t)
	global := &config.MaintenanceInfo{Public: map[string]string{"stemcell": "1", "engine": "1"}, Private: map[string]config.Secret{"a": config.NewSecret("b")}}
	own := &config.MaintenanceInfo{Public: map[string]string{"engine": "2"}}
	g.Expect(maintenanceInfo(global, own, false)).To(BeNil(), "OSB knows neither")
	told := maintenanceInfo(global, own, true)
	g.Expect(told.Public).To(Equal(map[string]string{"stemcell": "1", "engine": "2"}))
	g.Expect(told.Private).To(HaveLen(64))

	o := offering{fullMaintenanceInfo: true}
	p := &plan{Plan: config.Plan{ID: "p", Name: "p", MaintenanceInfo: own}}
	o.MaintenanceInfo = global
	g.Expect(o.checkMaintenanceInfo(p, told)).To(BeNil())
	old := *told
	old.Private = "another"
	g.Expect(o.checkMaintenanceInfo(p, &old).Kind).To(Equal(MaintenanceInfoConflict))
	operation, refusal := o.decide(change{target: p, previous: p, requested: told, before: &old})
	g.Expect(refusal).To(BeNil())
	g.Expect(operation).To(Equal(OperationUpgrade))
}
