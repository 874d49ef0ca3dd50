package config

// Where bindings are kept (service_catalog.keep_bindings).
const (
	KeepInCredHub = "credhub" // the platform's
	KeepInMemory  = "memory"  // sealed, until they are fetched
)

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
}

// settleBindings keeps bindings where their credentials are, unless the operator says otherwise.
func (c *Config) settleBindings() {
	if c.ServiceCatalog.KeepBindings == "" && c.CredHub.Enabled() {
		c.ServiceCatalog.KeepBindings = KeepInCredHub
	}
}
