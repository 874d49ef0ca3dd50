package credhubtest

import (
	"encoding/json"
	"slices"
)

// Put stores a value behind the API's back, of any type, and tells the version's id.
func (c *CredHub) Put(name, kind, value string) (id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.add(name, kind, json.RawMessage(value)).ID
}

// Names lists the credentials.
func (c *CredHub) Names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := []string{}
	for _, each := range c.credentials {
		names = append(names, each.name)
	}
	slices.Sort(names)
	return names
}

// Value is a credential's latest value as JSON, and its type; "" if there is no such credential.
func (c *CredHub) Value(name string) (kind, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.find(name); known != nil {
		return known.kind, string(known.versions[0].Value)
	}
	return "", ""
}

// Versions counts a credential's versions.
func (c *CredHub) Versions(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.find(name); known != nil {
		return len(known.versions)
	}
	return 0
}

// MayRead tells whether an actor may read a credential.
func (c *CredHub) MayRead(actor, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.allowed(actor, name, "read")
}

// Permit gives a permission behind the API's back.
func (c *CredHub) Permit(path, actor string, operations ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.permit(path, actor, operations)
}
