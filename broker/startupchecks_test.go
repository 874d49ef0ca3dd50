package broker

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/config"
)

func TestCheckDirector(t *testing.T) {
	plain := config.Plan{ID: "a", Name: "a"}
	errands := config.Plan{ID: "b", Name: "b", LifecycleErrands: &config.LifecycleErrands{}}
	dns := config.Plan{ID: "c", Name: "c", BindingWithDNS: []config.BindingDNS{{Name: "x"}}}
	for _, c := range []struct {
		version string
		plan    config.Plan
		says    string
	}{
		{"282.1.17 (e374eb2b)", dns, ""},
		{"282.1.17", errands, ""},
		{"257.0.0", plain, ""},
		{"256.9", plain, "at least 257"},
		{"1.3262.0.0 (00000000)", plain, ""},
		{"3262.1 (stemcell)", plain, ""},
		{"3261", plain, "at least 257"},
		{"260.1", errands, "lifecycle errands"},
		{"3421.9", errands, "lifecycle errands"},
		{"266.11", dns, "binding_with_dns"},
		{"266.12", dns, ""},
		{"267.5", dns, "binding_with_dns"},
		{"267.6", dns, ""},
		{"260", dns, "binding_with_dns"},
		{"main", plain, "can't be read"},
	} {
		t.Run(c.version+" "+c.plan.Name, func(t *testing.T) {
			g := NewWithT(t)
			b := &Broker{offering: offering{ServiceCatalog: config.ServiceCatalog{Plans: []config.Plan{c.plan}}}}
			problems := b.checkDirector(boshclient.Info{User: "odb", Version: c.version})
			if c.says == "" {
				g.Expect(problems).To(BeEmpty())
			} else {
				g.Expect(problems).To(ConsistOf(ContainSubstring(c.says)))
			}
			g.Expect(b.checkDirector(boshclient.Info{Version: c.version})).To(ContainElement(ContainSubstring("credentials")))
		})
	}
}
