package credhubtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

var everything = []string{"read", "write", "delete", "read_acl", "write_acl"}

type permission struct {
	UUID       string   `json:"uuid"`
	Path       string   `json:"path"`
	Actor      string   `json:"actor"`
	Operations []string `json:"operations"`
}

// permit is for holders of the lock, and for Start.
func (c *CredHub) permit(path, actor string, operations []string) permission {
	added := permission{UUID: c.uuid(), Path: path, Actor: actor, Operations: operations}
	c.permissions = append(c.permissions, added)
	return added
}

// allowed is for holders of the lock. A permission is for one credential, or for all below PATH/*.
func (c *CredHub) allowed(actor, name, operation string) bool {
	return slices.ContainsFunc(c.permissions, func(p permission) bool {
		below, isTree := strings.CutSuffix(p.Path, "*")
		return p.Actor == actor && slices.Contains(p.Operations, operation) && (p.Path == name || isTree && strings.HasPrefix(name, below))
	})
}

func (c *CredHub) permission(path, actor string) (permission, bool) {
	i := slices.IndexFunc(c.permissions, func(p permission) bool { return p.Path == path && p.Actor == actor })
	if i < 0 {
		return permission{}, false
	}
	return c.permissions[i], true
}

func (c *CredHub) addPermission(w http.ResponseWriter, r *http.Request, actor string) {
	var request permission
	if json.NewDecoder(r.Body).Decode(&request) != nil {
		refuse(w, 400, badBody)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	named(r, request.Path)
	_, known := c.permission(request.Path, request.Actor)
	switch {
	case c.isFirst():
		refuse(w, 404, "not an API of this version")
	case !c.allowed(actor, request.Path, "write_acl"):
		refuse(w, 404, notThere)
	case known:
		refuse(w, 409, "A permission entry for this actor and path already exists.")
	default:
		answer(w, 201, c.permit(request.Path, request.Actor, request.Operations))
	}
}

func (c *CredHub) findPermission(w http.ResponseWriter, r *http.Request, actor string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := r.URL.Query().Get("path")
	named(r, path)
	known, ok := c.permission(path, r.URL.Query().Get("actor"))
	if !ok || !c.allowed(actor, path, "read_acl") {
		refuse(w, 404, "The request could not be completed because the permission does not exist or you do not have sufficient authorization.")
		return
	}
	answer(w, 200, known)
}

// addFirstPermissions is the API of CredHub 1, where a permission belongs to a credential that is there.
func (c *CredHub) addFirstPermissions(w http.ResponseWriter, r *http.Request, actor string) {
	var request struct {
		Name        string       `json:"credential_name"`
		Permissions []permission `json:"permissions"`
	}
	if json.NewDecoder(r.Body).Decode(&request) != nil {
		refuse(w, 400, badBody)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	named(r, request.Name)
	if c.find(request.Name) == nil || !c.allowed(actor, request.Name, "write_acl") {
		refuse(w, 404, notThere)
		return
	}
	for _, each := range request.Permissions {
		c.permit(request.Name, each.Actor, each.Operations)
	}
	answer(w, 201, map[string]any{"credential_name": request.Name, "permissions": request.Permissions})
}
