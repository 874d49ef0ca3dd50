package broker

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

// noon is when the histories of claims begin, by the Director's clock.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// claimed is a version of a claim, made some seconds after noon.
func claimed(id int, token string, after int) boshclient.Config {
	return boshclient.Config{
		ID: fmt.Sprint(id), Type: claimType, Name: deploymentName("i"), CreatedAt: noon.Add(time.Duration(after) * time.Second).Format("2006-01-02 15:04:05 MST"),
		Content: claim{Holder: "process of " + token, Token: token, Lease: 120}.encode(),
	}
}

// The claim that asks is always "mine", at the time of its latest version.
func TestAClaimIsGrantedOnlyIfItIsAlone(t *testing.T) {
	foreign := claimed(4, "", 100)
	foreign.Content = "somebody: else\n"
	for _, c := range []struct {
		name    string
		history []boshclient.Config
		want    verdict
		other   string // who stands in the way
	}{
		{"nothing", nil, claimRefused, ""},
		{"mine was deleted", []boshclient.Config{claimed(5, "other", 0)}, claimRefused, ""},
		{"mine alone", []boshclient.Config{claimed(5, "mine", 0)}, claimGranted, ""},
		{"mine alone, renewed", []boshclient.Config{claimed(7, "mine", 40), claimed(6, "mine", 20), claimed(5, "mine", 0)}, claimGranted, ""},
		{"another was first", []boshclient.Config{claimed(6, "mine", 0), claimed(5, "other", 0)}, claimRefused, "other"},
		{"mine was first", []boshclient.Config{claimed(6, "other", 0), claimed(5, "mine", 0)}, claimContested, "other"},
		{"first among three", []boshclient.Config{claimed(7, "third", 0), claimed(6, "other", 0), claimed(5, "mine", 0)}, claimContested, "third"},
		{"second among three", []boshclient.Config{claimed(7, "third", 0), claimed(6, "mine", 0), claimed(5, "other", 0)}, claimRefused, "other"},
		{"ids are numbers", []boshclient.Config{claimed(10, "mine", 0), claimed(9, "other", 0)}, claimRefused, "other"},
		{"another has not ended", []boshclient.Config{claimed(6, "mine", 119), claimed(5, "other", 0)}, claimRefused, "other"},
		{"another ends at this moment", []boshclient.Config{claimed(6, "mine", 122), claimed(5, "other", 0)}, claimRefused, "other"},
		{"another has ended", []boshclient.Config{claimed(6, "mine", 123), claimed(5, "other", 0)}, claimGranted, ""},
		{"another was renewed", []boshclient.Config{claimed(7, "mine", 123), claimed(6, "other", 20), claimed(5, "other", 0)}, claimRefused, "other"},
		{"another was renewed after mine was made", []boshclient.Config{claimed(7, "other", 21), claimed(6, "mine", 20), claimed(5, "other", 0)}, claimRefused, "other"},
		{"another was renewed too late", []boshclient.Config{claimed(7, "other", 200), claimed(6, "mine", 130), claimed(5, "other", 0)}, claimContested, "other"},
		{"mine was renewed too late", []boshclient.Config{claimed(7, "mine", 200), claimed(6, "other", 130), claimed(5, "mine", 0)}, claimRefused, "other"},
		{"another that can't be read holds, too", []boshclient.Config{claimed(5, "mine", 100), foreign}, claimRefused, "version 4"},
		{"and ends", []boshclient.Config{claimed(5, "mine", 223), foreign}, claimGranted, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			versions, err := claimVersions(c.history)
			g.Expect(err).NotTo(HaveOccurred())
			v, other := judge(tenures(versions), "mine", versionTime(versions, "mine"))
			g.Expect(v).To(Equal(c.want))
			g.Expect(other.Token).To(Equal(c.other))
		})
	}
}

func TestAClaimIsNotJudgedByWhatTheDirectorDoesNotSay(t *testing.T) {
	g := NewWithT(t)
	for _, c := range []boshclient.Config{{ID: "x", Name: "d", CreatedAt: "2026-11-23 12:00:00 UTC"}, {ID: "1", Name: "d", CreatedAt: "today"}} {
		_, err := claimVersions([]boshclient.Config{c})
		g.Expect(err).To(MatchError(ContainSubstring("config d of type odb-claim has")))
	}
}

func TestPlacesAreAskedForUntilTheClaimEnds(t *testing.T) {
	g := NewWithT(t)
	asks := func(id int, instanceID, service, plan string, after int) boshclient.Config {
		c := claimed(id, "of "+instanceID, after)
		c.Name, c.Content = deploymentName(instanceID), claim{Token: "of " + instanceID, Lease: 120, ServiceID: service, PlanID: plan, FromPlan: "from"}.encode()
		return c
	}
	versions, err := claimVersions([]boshclient.Config{
		asks(1, "ended", "service", "small", 0), asks(2, "asks", "", "", 10), asks(3, "asks", "service", "small", 11), asks(4, "asks", "service", "small", 40),
		asks(5, "of another service", "other", "small", 50), asks(6, "asks for nothing", "service", "", 60), asks(7, "asks now", "service", "large", 130),
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(claimedPlaces(versions, "service")).To(Equal(map[string]claimedPlace{
		"asks":     {move: move{from: "from", to: "small"}, order: 3},
		"asks now": {move: move{from: "from", to: "large"}, order: 7},
	}))
}
