package uaaclients

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	uaa "github.com/cloudfoundry-community/go-uaa"
)

const (
	spacePlaceholder = "ODB_SPACE_GUID"
	// placeholderRedirect stands in where UAA demands a redirect URI and the dashboard's address is not known yet.
	placeholderRedirect = "https://placeholder.example.com"
	// publicSecret is what a public client has for a secret: it shows a reader of the manifest that there is none to keep.
	publicSecret = "-"

	// createdWith marks the clients made here, in the field that UAA's own creators of clients mark theirs in.
	createdWith = "on-demand-broker"

	grantImplicit          = "implicit"
	grantAuthorizationCode = "authorization_code"
)

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// ours tells whether a client is some instance's. The platform chooses the instances' ids, and the broker's rights reach
// every client of the UAA: an instance called "cf" must not bring down Cloud Foundry's login. Clients that the existing
// broker made have no mark, but GUIDs, as Cloud Foundry's instances do and its own clients don't.
func ours(client *uaa.Client) bool {
	return client.CreatedWith == createdWith || guid.MatchString(client.ClientID)
}

// Definition is the operator's template of a client (cf.uaa.client_definition). The lists are comma-separated;
// ODB_SPACE_GUID in scopes, authorities and resource ids stands for the instance's space.
type Definition struct {
	Scopes, Authorities, AuthorizedGrantTypes, ResourceIDs string

	Name        string // the display name; if empty, the instance's
	AllowPublic bool
}

// Given tells whether clients are wanted at all. A name alone, or that they be public, asks for none.
func (d Definition) Given() bool {
	return d.Scopes != "" || d.Authorities != "" || d.AuthorizedGrantTypes != "" || d.ResourceIDs != ""
}

// Instance is whose client it is, as the platform's context tells it.
type Instance struct {
	ID        string
	Name      string // may be empty
	SpaceGUID string // may be empty, unless the definition speaks of the space
}

// created is the client to be made.
func (d Definition) created(instance Instance) (uaa.Client, error) {
	if instance.SpaceGUID == "" && strings.Contains(d.Scopes+","+d.Authorities+","+d.ResourceIDs, spacePlaceholder) {
		return uaa.Client{}, ErrSpaceUnknown
	}
	client := d.updated(instance, "")
	client.ClientSecret = d.secret()
	if d.redirects() {
		client.RedirectURI = []string{placeholderRedirect}
	}
	if client.DisplayName == "" {
		client.DisplayName = instance.Name
	}
	if client.DisplayName == "" {
		client.DisplayName = instance.ID
	}
	return client, nil
}

// updated is what an existing client shall become. UAA keeps what is left out of an update: here the secret, the name if
// none is configured, the redirect URI if there is no new one, and what depends on a space that nobody named. A client
// that was made public stays so, since its secret is known to everybody and an update gives no new one.
func (d Definition) updated(instance Instance, redirectURI string) uaa.Client {
	client := uaa.Client{
		ClientID:             instance.ID,
		DisplayName:          d.Name,
		AuthorizedGrantTypes: list(d.AuthorizedGrantTypes),
		// UAA's own words for an empty list. They are said aloud, because UAA takes a list that is empty in an update
		// for one that is left out, and what the operator took from the definition would stay granted.
		Scope:       orElse(interpolated(d.Scopes, instance.SpaceGUID), "uaa.none"),
		Authorities: orElse(interpolated(d.Authorities, instance.SpaceGUID), "uaa.none"),
		ResourceIDs: orElse(interpolated(d.ResourceIDs, instance.SpaceGUID), "none"),
		AllowPublic: d.AllowPublic,
		CreatedWith: createdWith,
	}
	if redirectURI != "" {
		client.RedirectURI = []string{redirectURI}
	}
	return client
}

// secret is a new client's. UAA refuses implicit clients that have one.
func (d Definition) secret() string {
	switch {
	case d.grants(grantImplicit):
		return ""
	case d.AllowPublic:
		return publicSecret
	default:
		return newSecret()
	}
}

// redirects tells whether UAA demands a redirect URI.
func (d Definition) redirects() bool {
	return d.grants(grantImplicit) || d.grants(grantAuthorizationCode)
}

func (d Definition) grants(kind string) bool {
	return slices.Contains(list(d.AuthorizedGrantTypes), kind)
}

// interpolated is the list with the space in it; nil, and not empty, if it needs a space that is not known.
func interpolated(text, spaceGUID string) []string {
	if spaceGUID == "" && strings.Contains(text, spacePlaceholder) {
		return nil
	}
	return list(strings.ReplaceAll(text, spacePlaceholder, spaceGUID))
}

func orElse(items []string, otherwise string) []string {
	if items != nil && len(items) == 0 {
		return []string{otherwise}
	}
	return items
}

// list is never nil.
func list(text string) []string {
	items := []string{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// shown is the client as an adapter sees it (adapter protocol: uaa client). UAA never tells a secret: it is the one just
// given to the client, or "".
func shown(client *uaa.Client, secret string) map[string]string {
	return map[string]string{
		"client_id":              client.ClientID,
		"client_secret":          secret,
		"name":                   client.DisplayName,
		"scopes":                 strings.Join(client.Scope, ","),
		"resource_ids":           strings.Join(client.ResourceIDs, ","),
		"authorities":            strings.Join(client.Authorities, ","),
		"authorized_grant_types": strings.Join(client.AuthorizedGrantTypes, ","),
		"redirect_uri":           strings.Join(client.RedirectURI, ","),
		"allowpublic":            strconv.FormatBool(client.AllowPublic),
	}
}
