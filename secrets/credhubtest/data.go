package credhubtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	notThere  = "The request could not be completed because the credential does not exist or you do not have sufficient authorization."
	badValue  = "A non-empty value must be specified for the credential. Please validate your input and retry your request."
	badType   = "The request does not include a valid type. Valid values include 'value', 'json', 'password', 'user', 'certificate', 'ssh' and 'rsa'."
	otherType = "The credential type cannot be modified. Please delete the credential if you wish to create it with a different type."
	badName   = "A credential name cannot end with a '/' character or contain '//'. Credential names should be in the form of /[path]/[name] or [path]/[name]. Please update and retry your request."
	noName    = "The query parameter name is required for this request."
	badBody   = "The request could not be fulfilled because the request path or body did not meet expectation. Please check the documentation for required formatting and retry your request."
)

type credential struct {
	name, kind string
	versions   []version // the latest first
}

type version struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Type      string          `json:"type"`
	Value     json.RawMessage `json:"value"`
	Metadata  map[string]any  `json:"metadata"`
	CreatedAt string          `json:"version_created_at"`
}

func absolute(name string) string { return "/" + strings.TrimPrefix(name, "/") }

// find is for holders of the lock. CredHub's names know no upper case.
func (c *CredHub) find(name string) *credential {
	return c.credentials[strings.ToLower(absolute(name))]
}

func (c *CredHub) set(w http.ResponseWriter, r *http.Request, actor string) {
	var request struct {
		Name, Type string
		Value      json.RawMessage
		Mode       *string
		Metadata   map[string]any
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if decoder.Decode(&request) != nil {
		refuse(w, 400, badBody)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	named(r, request.Name)
	known := c.find(request.Name)
	switch {
	case request.Mode != nil && !c.isFirst():
		refuse(w, 400, "The request includes an unrecognized parameter 'mode'. Please update or remove this parameter and retry your request.")
	case request.Name == "" || strings.HasSuffix(request.Name, "/") || strings.Contains(request.Name, "//"):
		refuse(w, 400, badName)
	case request.Type != "value" && request.Type != "json" && request.Type != "password":
		refuse(w, 400, badType)
	case !c.takes(request.Type, request.Value):
		refuse(w, 400, badValue)
	case !c.allowed(actor, absolute(request.Name), "write"):
		refuse(w, 403, notThere)
	case known != nil && known.kind != request.Type:
		refuse(w, 400, otherType)
	case known != nil && c.isFirst() && (request.Mode == nil || *request.Mode != "overwrite"):
		answer(w, 200, known.versions[0])
	default:
		answer(w, 200, c.add(request.Name, request.Type, request.Value))
	}
}

// takes tells whether a type takes a value.
func (c *CredHub) takes(kind string, value json.RawMessage) bool {
	switch empty := string(value); {
	case empty == "" || empty == "null" || empty == `""`:
		return false
	case kind != "json":
		return value[0] == '"'
	}
	return !c.options.ObjectsOnly || value[0] == '{'
}

// add is for holders of the lock.
func (c *CredHub) add(name, kind string, value json.RawMessage) version {
	key := strings.ToLower(absolute(name))
	if c.credentials[key] == nil {
		c.credentials[key] = &credential{name: absolute(name), kind: kind}
	}
	known := c.credentials[key]
	added := version{
		ID: c.uuid(), Name: known.name, Type: kind, Value: bytes.Clone(value),
		CreatedAt: c.options.Now().UTC().Format(time.RFC3339),
	}
	known.versions = slices.Insert(known.versions, 0, added)
	return added
}

func (c *CredHub) uuid() string {
	c.serial++
	return fmt.Sprintf("c0ffee00-0000-4000-8000-%012d", c.serial)
}

func (c *CredHub) getOrFind(w http.ResponseWriter, r *http.Request, actor string) {
	query := r.URL.Query()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case query.Has("path"):
		named(r, query.Get("path"))
		c.findNames(w, actor, func(name string) bool {
			return likePrefix(name, strings.TrimSuffix(absolute(query.Get("path")), "/")+"/")
		})
	case query.Has("name-like"):
		c.findNames(w, actor, func(name string) bool {
			return strings.Contains(strings.ToLower(name), strings.ToLower(query.Get("name-like")))
		})
	case query.Get("name") == "":
		refuse(w, 400, noName)
	default:
		named(r, query.Get("name"))
		known := c.find(query.Get("name"))
		if known == nil || !c.allowed(actor, known.name, "read") {
			refuse(w, 404, notThere)
			return
		}
		count := len(known.versions)
		if wanted, err := strconv.Atoi(query.Get("versions")); err == nil {
			count = min(count, wanted)
		}
		if query.Get("current") == "true" {
			count = 1
		}
		answer(w, 200, map[string]any{"data": known.versions[:count]})
	}
}

// likePrefix is SQL's LIKE prefix%, as CredHub uses it: without upper case, and _ stands for any character.
func likePrefix(name, prefix string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if prefix[i] != '_' && !strings.EqualFold(name[i:i+1], prefix[i:i+1]) {
			return false
		}
	}
	return true
}

func (c *CredHub) findNames(w http.ResponseWriter, actor string, matches func(string) bool) {
	type found struct {
		Name      string `json:"name"`
		CreatedAt string `json:"version_created_at"`
	}
	list := []found{}
	for _, each := range c.credentials {
		if matches(each.name) && c.allowed(actor, each.name, "read") {
			list = append(list, found{each.name, each.versions[0].CreatedAt})
		}
	}
	answer(w, 200, map[string]any{"credentials": list})
}

func (c *CredHub) getVersion(w http.ResponseWriter, r *http.Request, actor string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, each := range c.credentials {
		for _, version := range each.versions {
			if version.ID == r.PathValue("id") && c.allowed(actor, each.name, "read") {
				named(r, each.name)
				answer(w, 200, version)
				return
			}
		}
	}
	refuse(w, 404, notThere)
}

func (c *CredHub) delete(w http.ResponseWriter, r *http.Request, actor string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	named(r, r.URL.Query().Get("name"))
	known := c.find(r.URL.Query().Get("name"))
	if known == nil || !c.allowed(actor, known.name, "delete") {
		refuse(w, 404, notThere)
		return
	}
	delete(c.credentials, strings.ToLower(known.name))
	w.WriteHeader(204)
}
