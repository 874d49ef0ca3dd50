package uaatest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Client is a client as UAA keeps it.
type Client struct {
	ID          string   `json:"client_id"`
	Secret      string   `json:"client_secret,omitempty"` // never in an answer
	Name        string   `json:"name,omitempty"`
	GrantTypes  []string `json:"authorized_grant_types"`
	Scopes      []string `json:"scope"`
	Authorities []string `json:"authorities"`
	ResourceIDs []string `json:"resource_ids"`
	RedirectURI []string `json:"redirect_uri,omitempty"`
	AllowPublic bool     `json:"allowpublic,omitempty"`
	CreatedWith string   `json:"createdwith,omitempty"`
}

// Client returns a client with its secret; false if there is none.
func (s *Server) Client(id string) (Client, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	client, found := s.clients[id]
	return client, found
}

// ClientIDs are the ids of all clients.
func (s *Server) ClientIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := []string{}
	for id := range s.clients {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Put gives UAA a client, unread.
func (s *Server) Put(client Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[client.ID] = client
}

// Remove takes a client from UAA, as another one than the broker would.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, id)
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	client, found := s.clients[r.PathValue("id")]
	if !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	answer(w, http.StatusOK, client.withoutSecret())
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var client Client
	if err := json.NewDecoder(r.Body).Decode(&client); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_client", "The body is not a client")
		return
	}
	if _, exists := s.clients[client.ID]; exists {
		refuse(w, http.StatusConflict, "invalid_client", "Client already exists: "+client.ID)
		return
	}
	client.complete()
	if problem := client.problem(); problem != "" {
		refuse(w, http.StatusBadRequest, "invalid_client", problem)
		return
	}
	if problem := client.secretProblem(); problem != "" {
		refuse(w, http.StatusBadRequest, "invalid_client", problem)
		return
	}
	s.clients[client.ID] = client
	answer(w, http.StatusCreated, client.withoutSecret())
}

// update keeps what the body leaves out, and lists that it leaves empty. A secret in it counts for nothing.
func (s *Server) update(w http.ResponseWriter, r *http.Request) {
	existing, found := s.clients[r.PathValue("id")]
	if !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	client := existing
	// Decoding writes into slices that are there: these must not be the existing client's.
	client.GrantTypes, client.Scopes, client.Authorities, client.ResourceIDs, client.RedirectURI = nil, nil, nil, nil, nil
	if err := json.NewDecoder(r.Body).Decode(&client); err != nil || client.ID != existing.ID {
		refuse(w, http.StatusBadRequest, "invalid_client", "The client id in the body doesn't match the one in the path")
		return
	}
	client.Secret = existing.Secret
	client.GrantTypes = orElse(client.GrantTypes, existing.GrantTypes)
	client.Scopes = orElse(client.Scopes, existing.Scopes)
	client.Authorities = orElse(client.Authorities, existing.Authorities)
	client.ResourceIDs = orElse(client.ResourceIDs, existing.ResourceIDs)
	client.RedirectURI = orElse(client.RedirectURI, existing.RedirectURI)
	client.complete()
	if problem := client.problem(); problem != "" {
		refuse(w, http.StatusBadRequest, "invalid_client", problem)
		return
	}
	s.clients[client.ID] = client
	answer(w, http.StatusOK, client.withoutSecret())
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request) {
	client, found := s.clients[r.PathValue("id")]
	if !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	delete(s.clients, client.ID)
	answer(w, http.StatusOK, client.withoutSecret())
}

func (c Client) withoutSecret() Client {
	c.Secret = ""
	return c
}

// complete fills in what UAA fills in.
func (c *Client) complete() {
	c.Scopes = orElse(c.Scopes, []string{"uaa.none"})
	c.Authorities = orElse(c.Authorities, []string{"uaa.none"})
	c.ResourceIDs = orElse(c.ResourceIDs, []string{"none"})
	if (c.grants("authorization_code") || c.grants("password")) && !c.grants("refresh_token") {
		c.GrantTypes = append(slices.Clone(c.GrantTypes), "refresh_token")
	}
}

func (c *Client) problem() string {
	switch {
	case len(c.GrantTypes) == 0:
		return "An authorized grant type must be provided"
	case (c.grants("implicit") || c.grants("authorization_code")) && len(c.RedirectURI) == 0:
		return "The grant types need at least one redirect URL"
	}
	return ""
}

// secretProblem is looked for at creation only.
func (c *Client) secretProblem() string {
	switch {
	case c.grants("implicit") && c.Secret != "":
		return "Implicit grant should not have a client_secret"
	case !c.grants("implicit") && c.Secret == "":
		return "Client secret is required for the grant types"
	}
	return ""
}

func (c *Client) grants(kind string) bool { return slices.Contains(c.GrantTypes, kind) }

func orElse(items, otherwise []string) []string {
	if len(items) == 0 {
		return otherwise
	}
	return items
}
