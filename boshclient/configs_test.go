package boshclient_test

import (
	"context"
	"io"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

var _ = Describe("A list of configs that is read as it comes", func() {
	each := func(ctx context.Context, c *boshclient.Client) (seen []boshclient.Config, err error) {
		err = c.EachConfig(ctx, boshclient.ConfigFilter{Type: "odb-instance"}, func(config boshclient.Config) { seen = append(seen, config) })
		return seen, err
	}
	const first, second = `{"id":"1","type":"odb-instance","name":"a","content":"{}"}`, `{"id":"2","type":"odb-instance","name":"b","content":"{}"}`

	It("is the list that is read whole", func(ctx SpecContext) {
		director := newStandIn(load("306").play)
		client := director.client()
		whole, err := client.Configs(ctx, boshclient.ConfigFilter{Type: "odb-instance"})
		Expect(err).NotTo(HaveOccurred())
		Expect(whole).NotTo(BeEmpty())
		Expect(each(ctx, client)).To(Equal(whole))
		Expect(director.seen()[0].query).To(Equal(director.seen()[1].query))
	})

	It("may be longer than an answer may be", func(ctx SpecContext) {
		director := newStandIn(answering(http.StatusOK, "["+strings.Repeat(first+",", 2_000)+second+"]"))
		client := director.client(func(o *boshclient.Options) { o.BodyLimit = 4096 })
		_, err := client.Configs(ctx, boshclient.ConfigFilter{})
		Expect(err).To(MatchError(boshclient.ErrTooLarge))
		Expect(each(ctx, client)).To(HaveLen(2_001))
	})

	It("is tried again while nothing of it has come", func(ctx SpecContext) {
		asked := 0
		director := newStandIn(func(w http.ResponseWriter, r *http.Request) {
			if asked++; asked == 1 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = io.WriteString(w, "["+first+"]")
		})
		Expect(each(ctx, director.client())).To(HaveLen(1))
	})

	DescribeTable("tells when it isn't whole, and isn't read again", func(ctx SpecContext, body string, known int) {
		director := newStandIn(answering(http.StatusOK, body))
		seen, err := each(ctx, director.client())
		Expect(unavailable(err).Error()).To(ContainSubstring("unreadable answer"))
		Expect(seen).To(HaveLen(known))
		Expect(director.seen()).To(HaveLen(1))
	},
		Entry("nothing", "", 0),
		Entry("no list", `{"configs":[]}`, 0),
		Entry("cut in a config", "["+first+","+second[:20], 1),
		Entry("cut between two", "["+first+",", 1),
		Entry("cut before its end", "["+first, 1),
		Entry("a list of something else", "[1]", 0),
	)

	It("is refused like any other", func(ctx SpecContext) {
		_, err := each(ctx, newStandIn(answering(http.StatusUnauthorized, `{"code":600000,"description":"Require one of the scopes"}`)).client())
		Expect(err).To(MatchError(boshclient.ErrUnauthorized))
	})
})
