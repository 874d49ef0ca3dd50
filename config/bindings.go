package config

// Where bindings are kept (service_catalog.keep_bindings).
const (
	KeepInCredHub = "credhub" // the platform's
	KeepInMemory  = "memory"  // sealed, until they are fetched
)

// PlanBinding is how a plan's bindings are made.
type PlanBinding struct {
	// Async lets the adapter's create-binding and delete-binding run on after the request, for platforms that accept it.
	Async bool `yaml:"async"`
	// Rotatable lets a binding follow another one with what that was asked for, while both are valid (OSB 2.17, Binding Rotation).
	Rotatable bool `yaml:"rotatable"`
}

// checkBindings holds what is kept of bindings against where that can be.
func (c *Config) checkBindings(catalog section) {
	at := catalog.key("keep_bindings")
	switch c.ServiceCatalog.KeepBindings {
	case "":
	case KeepInCredHub:
		if !c.CredHub.Enabled() {
			at.refuse("needs the platform's CredHub", "give the section credhub, or use memory")
		}
	case KeepInMemory:
		if c.Broker.SideBySide {
			at.refuse("can't be memory with broker.side_by_side: what one broker keeps another doesn't know", "use credhub")
		}
	default:
		at.refuse("is no place to keep bindings", "use credhub or memory, or leave it out")
	}
	for i, plan := range c.ServiceCatalog.Plans {
		at := catalog.key("plans").item(i).key("binding")
		if plan.Binding.Rotatable && c.keepsBindings() != KeepInCredHub {
			at.key("rotatable").refuse("needs the platform's CredHub, where the parameters of bindings are kept for those that follow",
				"give the section credhub, with service_catalog.keep_bindings: credhub or without it")
		}
		if plan.Binding.Async && c.keepsBindings() == "" {
			at.key("async").refuse("needs a place where the platform can fetch the binding from",
				"give service_catalog.keep_bindings: memory, or the platform's CredHub in the section credhub")
		}
	}
}

// keepsBindings is where bindings are kept: where their credentials are, unless the operator says otherwise.
func (c *Config) keepsBindings() string {
	if c.ServiceCatalog.KeepBindings == "" && c.CredHub.Enabled() {
		return KeepInCredHub
	}
	return c.ServiceCatalog.KeepBindings
}
