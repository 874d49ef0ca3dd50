package boshclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

var wish = boshclient.LinkAddress{Deployment: "si-a", InstanceGroup: "server", Provider: "server"}

// linkRoutes are the four steps as recorded, with changes.
func linkRoutes(changes map[string]http.HandlerFunc) map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{
		"GET /link_providers": load("360").play, "POST /links": load("365").play,
		"GET /link_address": load("368").play, "DELETE /links/1": load("376").play,
	}
	for route, handle := range changes {
		routes[route] = handle
	}
	return routes
}

func consumerOf(request seen) string {
	var body struct {
		Provider string `json:"link_provider_id"`
		Consumer struct {
			Owner struct{ Name, Type string } `json:"owner_object"`
		} `json:"link_consumer"`
	}
	Expect(json.Unmarshal([]byte(request.body), &body)).To(Succeed())
	Expect(body.Provider).To(Equal("1"))
	Expect(body.Consumer.Owner.Type).To(Equal("external"))
	return body.Consumer.Owner.Name
}

var _ = Describe("A link's address", func() {
	It("takes four requests and leaves no link", func(ctx SpecContext) {
		director := newStandIn(byRoute(linkRoutes(map[string]http.HandlerFunc{"GET /link_address": load("369").play})))
		withAZ := wish
		withAZ.AZs, withAZ.Status = []string{"z1"}, "healthy"
		Expect(director.client().LinkAddress(ctx, withAZ)).To(Equal("q-a1s3.server.default.si-a.bosh"))
		Expect(director.asked()).To(Equal([]string{"GET /link_providers", "POST /links", "GET /link_address", "DELETE /links/1"}))
		Expect(director.seen()[2].query).To(Equal(load("369").query))
		Expect(director.seen()[0].query).To(Equal(load("360").query))
	})

	It("is asked for with a consumer of one's own by each caller", func(ctx SpecContext) {
		director := newStandIn(byRoute(linkRoutes(nil)))
		c := director.client()
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				defer GinkgoRecover()
				Expect(c.LinkAddress(ctx, wish)).To(Equal("q-s0.server.default.si-a.bosh"))
			})
		}
		callers.Wait()
		names := map[string]bool{}
		for _, request := range director.seen() {
			if request.String() == "POST /links" {
				names[consumerOf(request)] = true
			}
		}
		Expect(names).To(HaveLen(8))
	})

	DescribeTable("that can't be had leaves no link either",
		func(ctx SpecContext, changes map[string]http.HandlerFunc, want error, asked ...string) {
			director := newStandIn(byRoute(linkRoutes(changes)))
			_, err := director.client().LinkAddress(ctx, wish)
			Expect(err).To(HaveOccurred())
			if want != nil {
				Expect(err).To(MatchError(want))
			}
			var left *boshclient.LinkLeft
			Expect(errors.As(err, &left)).To(BeFalse())
			Expect(director.asked()).To(Equal(asked))
		},
		Entry("no such deployment", map[string]http.HandlerFunc{"GET /link_providers": answering(404, `{"code":70000,"description":"none"}`)},
			boshclient.ErrNotFound, "GET /link_providers"),
		Entry("no provider", map[string]http.HandlerFunc{"GET /link_providers": answering(200, "[]")},
			boshclient.ErrNoLinkProvider, "GET /link_providers"),
		Entry("not shared", map[string]http.HandlerFunc{"GET /link_providers": answering(200,
			`[{"id":"1","name":"server","shared":false,"owner_object":{"info":{"instance_group":"server"}}}]`)},
			boshclient.ErrNoLinkProvider, "GET /link_providers"),
		Entry("of another group", map[string]http.HandlerFunc{"GET /link_providers": answering(200,
			`[{"id":"1","name":"server","shared":true,"owner_object":{"info":{"instance_group":"other"}}}]`)},
			boshclient.ErrNoLinkProvider, "GET /link_providers"),
		Entry("the link is refused", map[string]http.HandlerFunc{"POST /links": load("382").play},
			nil, "GET /link_providers", "POST /links"),
		Entry("the link may have been made", map[string]http.HandlerFunc{"POST /links": inTurn(cut, cut, cut, load("365").play)},
			nil, "GET /link_providers", "POST /links", "POST /links", "POST /links", "POST /links", "DELETE /links/1"),
		Entry("the address is refused", map[string]http.HandlerFunc{"GET /link_address": answering(404, `{"code":810000,"description":"none"}`)},
			boshclient.ErrNotFound, "GET /link_providers", "POST /links", "GET /link_address", "DELETE /links/1"),
		Entry("the address fails", map[string]http.HandlerFunc{"GET /link_address": answering(500, "")},
			nil, "GET /link_providers", "POST /links", "GET /link_address", "DELETE /links/1"),
		Entry("the address is refused and somebody else has deleted the link", map[string]http.HandlerFunc{
			"GET /link_address": answering(404, `{"code":810000,"description":"none"}`), "DELETE /links/1": answering(404, `{"code":810000,"description":"none"}`)},
			boshclient.ErrNotFound, "GET /link_providers", "POST /links", "GET /link_address", "DELETE /links/1"),
	)

	It("deletes with the consumer name it made", func(ctx SpecContext) {
		director := newStandIn(byRoute(linkRoutes(map[string]http.HandlerFunc{"POST /links": inTurn(cut, cut, cut, load("365").play)})))
		_, err := director.client().LinkAddress(ctx, wish)
		Expect(err).To(HaveOccurred())
		Expect(consumerOf(director.seen()[1])).To(Equal(consumerOf(director.seen()[4])))
	})

	It("leaves no link though the caller has gone", func(ctx SpecContext) {
		cancellable, cancel := context.WithCancel(ctx)
		director := newStandIn(byRoute(linkRoutes(map[string]http.HandlerFunc{"GET /link_address": func(w http.ResponseWriter, r *http.Request) {
			cancel()
			hang(w, r)
		}})))
		_, err := director.client().LinkAddress(cancellable, wish)
		Expect(err).To(MatchError(context.Canceled))
		Expect(director.asked()).To(HaveExactElements("GET /link_providers", "POST /links", "GET /link_address", "DELETE /links/1"))
	})

	It("comes with the fact that the link could not be deleted", func(ctx SpecContext) {
		director := newStandIn(byRoute(linkRoutes(map[string]http.HandlerFunc{"DELETE /links/1": answering(500, "")})))
		address, err := director.client().LinkAddress(ctx, wish)
		var left *boshclient.LinkLeft
		Expect(errors.As(err, &left)).To(BeTrue())
		Expect(left.LinkID).To(Equal("1"))
		Expect(err).To(MatchError(ContainSubstring(`link "1" of deployment si-a is left`)))
		Expect(unavailable(err).Op).To(Equal("DELETE /links/1"))
		Expect(address).To(Equal("q-s0.server.default.si-a.bosh"))
	})

	It("says that a link may be left when nobody answers any more", func(ctx SpecContext) {
		director := newStandIn(byRoute(linkRoutes(map[string]http.HandlerFunc{"POST /links": cut})))
		_, err := director.client().LinkAddress(ctx, wish)
		var left *boshclient.LinkLeft
		Expect(errors.As(err, &left)).To(BeTrue())
		Expect(left.LinkID).To(BeEmpty())
		Expect(unavailable(err).Sent).To(BeTrue())
	})
})
