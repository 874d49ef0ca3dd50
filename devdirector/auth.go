package devdirector

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
)

// identity is who sends a request, and what that one may do.
type identity struct {
	name, password string
	admin, read    bool
	adminOf        []string // teams
	readerOf       []string
}

func newIdentity(name, password string, scopes []string, uuid string) *identity {
	id := &identity{name: name, password: password}
	for _, scope := range scopes {
		switch scope {
		case "bosh.admin", "bosh." + uuid + ".admin":
			id.admin, id.read = true, true
		case "bosh.read", "bosh." + uuid + ".read":
			id.read = true
		default:
			id.addTeam(scope)
		}
	}
	return id
}

func (id *identity) addTeam(scope string) {
	rest, isTeam := strings.CutPrefix(scope, "bosh.teams.")
	if !isTeam {
		return
	}
	if team, is := strings.CutSuffix(rest, ".admin"); is {
		id.adminOf = append(id.adminOf, team)
	} else if team, is := strings.CutSuffix(rest, ".read"); is {
		id.readerOf = append(id.readerOf, team)
	}
}

func (id *identity) mayAdmin(teams []string) bool {
	return id.admin || slices.ContainsFunc(teams, func(t string) bool { return slices.Contains(id.adminOf, t) })
}

func (id *identity) mayRead(teams []string) bool {
	return id.read || id.mayAdmin(teams) ||
		slices.ContainsFunc(teams, func(t string) bool { return slices.Contains(id.readerOf, t) })
}

// owners are the teams that what the user makes belongs to; what an admin makes belongs to none.
func (id *identity) owners() []string {
	if id.admin {
		return nil
	}
	return id.adminOf
}

// authenticate returns who sends the request, nil for nobody (the Director doesn't tell why).
func (d *Director) authenticate(r *http.Request) *identity {
	if d.options.UAA != nil {
		return d.tokens.identity(r.Header.Get("Authorization"), d.options.Clock.Now())
	}
	name, password, given := r.BasicAuth()
	if !given {
		return nil
	}
	id, known := d.identities[name]
	if !known || subtle.ConstantTimeCompare([]byte(password), []byte(id.password)) != 1 {
		return nil
	}
	return id
}

// permit refuses a user who lacks the scope: with 401, not 403, as the Director does.
func (d *Director) permit(user *identity, wanted access, teams []string) *response {
	var allowed bool
	scopes := d.readScopes()
	switch wanted {
	case openAccess:
		allowed = true
	case readAccess:
		allowed = user.mayRead(teams)
	case listAccess:
		allowed = user.read || len(user.adminOf) > 0 || len(user.readerOf) > 0
	case makeAccess:
		allowed = user.admin || len(user.adminOf) > 0
		scopes = d.adminScopes()
	case adminAccess:
		allowed = user.mayAdmin(teams)
		scopes = d.adminScopes()
	}
	if allowed {
		return nil
	}
	for _, team := range teams {
		scopes += ", bosh.teams." + team + ".admin"
	}
	refusal := refuse(http.StatusUnauthorized, 600000, "Require one of the scopes: "+scopes)
	return &refusal
}

func (d *Director) adminScopes() string {
	return "bosh.admin, bosh." + d.options.UUID + ".admin"
}

func (d *Director) readScopes() string {
	return d.adminScopes() + ", bosh.read, bosh." + d.options.UUID + ".read"
}
