package companions

import (
	"testing"

	"github.com/on-demand-broker/odb/cfclient"
)

func TestDecideAccess(t *testing.T) {
	t.Parallel()
	a, b := cfclient.Organization{GUID: "1", Name: "a"}, cfclient.Organization{GUID: "2", Name: "b"}
	only := func(organizations ...cfclient.Organization) cfclient.Visibility {
		return cfclient.Visibility{Type: cfclient.VisibilityOrganization, Organizations: organizations}
	}
	public, admin := cfclient.Visibility{Type: cfclient.VisibilityPublic}, cfclient.Visibility{Type: cfclient.VisibilityAdmin}
	for _, c := range []struct {
		now    cfclient.Visibility
		access string
		orgs   []cfclient.Organization
		prune  bool
		want   string // how, who has access then, and who keeps it unasked
	}{
		{public, AccessEnable, nil, false, "nothing: everybody"},
		{admin, AccessEnable, nil, false, "set: everybody"},
		{only(a), AccessEnable, nil, false, "set: everybody"},
		{public, AccessDisable, nil, false, "set: nobody"},
		{admin, AccessDisable, nil, false, "nothing: nobody"},
		{only(a), AccessDisable, nil, false, "set: nobody"},
		{public, "", nil, false, "set: nobody"},
		{public, AccessOrgRestricted, []cfclient.Organization{a}, false, "set: organization a"},
		{admin, AccessOrgRestricted, []cfclient.Organization{b, a}, false, "set: organizations a, b"},
		{only(a), AccessOrgRestricted, []cfclient.Organization{a}, false, "nothing: organization a"},
		{only(b), AccessOrgRestricted, []cfclient.Organization{a}, false, "add: organizations a, b; kept organization b"},
		{only(a, b), AccessOrgRestricted, []cfclient.Organization{a}, false, "nothing: organizations a, b; kept organization b"},
		{only(a, b), AccessOrgRestricted, []cfclient.Organization{a}, true, "set: organization a"},
		{only(b), AccessOrgRestricted, []cfclient.Organization{a}, true, "set: organization a"},
		{only(a), AccessOrgRestricted, []cfclient.Organization{a, b}, true, "add: organizations a, b"},
		{cfclient.Visibility{Type: cfclient.VisibilitySpace}, AccessEnable, nil, false, "set: everybody"},
	} {
		change := decideAccess(c.now, c.access, c.orgs, c.prune)
		how := "nothing"
		switch {
		case change.set != nil && len(change.add) > 0:
			how = "twice"
		case change.set != nil:
			how = "set"
		case len(change.add) > 0:
			how = "add"
		}
		got := how + ": " + whoHas(change.result())
		if len(change.kept) > 0 {
			got += "; kept " + orgNames(change.kept)
		}
		if got != c.want || change.due() != (how != "nothing") {
			t.Errorf("%s, to be %q %v, prune %t: got %q, want %q", whoHas(c.now), c.access, c.orgs, c.prune, got, c.want)
		}
	}
}

func TestShortLists(t *testing.T) {
	t.Parallel()
	many := make([]string, mostNamed+2)
	for i := range many {
		many[i] = "x"
	}
	for _, c := range []struct {
		names []string
		tail  string
	}{{nil, "none"}, {[]string{"a", "b"}, "a, b"}, {many[:mostNamed], "x, x"}, {many, "x and 2 more"}} {
		if got := shortList(c.names); len(got) < len(c.tail) || got[len(got)-len(c.tail):] != c.tail {
			t.Errorf("%d names: got %q, want %q at its end", len(c.names), got, c.tail)
		}
	}
}
