package fleet_test

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	. "github.com/on-demand-broker/odb/fleet"
)

var shop = []Member{
	{ID: "a", Plan: "small", PlanID: "small-id", Org: "prod", Space: "shop"},
	{ID: "b", Plan: "big", PlanID: "big-id", Org: "prod", Space: "shop"},
	{ID: "c", Plan: "small", PlanID: "small-id", Org: "try", Space: "shop"},
	{ID: "d", Plan: "small", PlanID: "small-id", Org: "try=it, twice", Space: "Shop"},
	{ID: "e"},
}

func idsOf(members []Member) string {
	var ids []string
	for _, member := range members {
		ids = append(ids, member.ID)
	}
	return strings.Join(ids, " ")
}

func TestFilter(t *testing.T) {
	for terms, want := range map[string]string{
		"":                              "a b c d e",
		"id=a":                          "a",
		"id=a|id=c|id=a":                "a c",
		"plan=small":                    "a c d",
		"plan=small-id":                 "a c d",
		"plan=smal":                     "",
		"org=prod":                      "a b",
		"org=prod|org=try":              "a b c",
		"org=prod|plan=small":           "a",
		"space=shop":                    "a b c",
		"space=SHOP":                    "",
		"org=try=it, twice":             "d",
		"org=prod|space=shop|plan=big ": "",
	} {
		t.Run(terms, func(t *testing.T) {
			g := NewWithT(t)
			var written []string
			if terms != "" {
				written = strings.Split(terms, "|")
			}
			filter := mustParse(g, written...)
			g.Expect(filter.Empty()).To(Equal(terms == ""))
			chosen := slices.DeleteFunc(slices.Clone(shop), func(m Member) bool { return !filter.Matches(m) })
			g.Expect(idsOf(chosen)).To(Equal(want))
		})
	}
}

func TestWhatIsNoFilter(t *testing.T) {
	for term, want := range map[string]string{
		"":         `"" is no filter: write id=…, plan=…, org=… or space=…, and repeat the flag for several`,
		"prod":     `"prod" is no filter: write id=…, plan=…, org=… or space=…, and repeat the flag for several`,
		"name=x":   `"name=x" is no filter: write id=…, plan=…, org=… or space=…, and repeat the flag for several`,
		"=x":       `"=x" is no filter: write id=…, plan=…, org=… or space=…, and repeat the flag for several`,
		"org=":     `"org=" is no filter: there is no value after org=`,
		"ORG=prod": `"ORG=prod" is no filter: write id=…, plan=…, org=… or space=…, and repeat the flag for several`,
	} {
		_, err := ParseFilter([]string{"id=a", term})
		NewWithT(t).Expect(err).To(MatchError(want))
	}
}

func TestFilterOfIDs(t *testing.T) {
	g := NewWithT(t)
	g.Expect(IDs().Matches(shop[0])).To(BeFalse())
	g.Expect(IDs().Empty()).To(BeFalse())
	g.Expect(IDs("b", "x").Matches(shop[1])).To(BeTrue())
	g.Expect(IDs("b", "x").Matches(shop[0])).To(BeFalse())
	g.Expect(IDs("b", "x").String()).To(Equal("id=b, id=x"))
	g.Expect(IDs("b", "x", "y").Unknown(shop)).To(Equal([]string{"id=x", "id=y"}))
}

func TestOnlyAndExclude(t *testing.T) {
	for name, c := range map[string]struct {
		only, exclude []string
		want, err     string
	}{
		"nothing said":      {want: "a b c d e"},
		"only":              {only: []string{"org=prod"}, want: "a b"},
		"exclude":           {exclude: []string{"org=prod"}, want: "c d e"},
		"both":              {only: []string{"plan=small"}, exclude: []string{"id=c"}, want: "a d"},
		"nobody is left":    {only: []string{"id=c"}, exclude: []string{"org=try"}, want: ""},
		"a slip in only":    {only: []string{"org=prod", "org=pord"}, err: "--only: no service instance has org=pord"},
		"a slip in exclude": {exclude: []string{"id=cc", "space=hop"}, err: "--exclude: no service instance has id=cc, space=hop"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			chosen, err := Selection{Only: mustParse(g, c.only...), Exclude: mustParse(g, c.exclude...)}.Of(shop)
			if c.err != "" {
				g.Expect(err).To(MatchError(c.err))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(idsOf(chosen)).To(Equal(c.want))
		})
	}
}

// Whatever is written either is refused, or is a filter that matches the member it names and says so again.
func FuzzParseFilter(f *testing.F) {
	for _, term := range []string{"id=a", "plan=small", "org==", "space= ", "space", "=", "id=é\x00"} {
		f.Add(term)
	}
	f.Fuzz(func(t *testing.T, term string) {
		filter, err := ParseFilter([]string{term})
		if err != nil {
			return
		}
		_, value, _ := strings.Cut(term, "=")
		if !filter.Matches(Member{ID: value, Plan: value, Org: value, Space: value}) {
			t.Errorf("%q doesn't match the value it names", term)
		}
		if filter.Matches(Member{ID: value + "x", Plan: value + "x", Org: value + "x", Space: value + "x"}) {
			t.Errorf("%q matches another value", term)
		}
		if filter.Empty() || filter.String() != term {
			t.Errorf("%q is written as %q", term, filter)
		}
	})
}
