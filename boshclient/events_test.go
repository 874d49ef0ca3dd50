package boshclient_test

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/boshclient"
)

// serving serves a text with Ranges, as the Director serves its logs; it may grow between calls.
func serving(text *string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if *text == "" { // a queued task's log
			answering(200, "")(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(*text))
	}
}

var _ = Describe("Events", func() {
	line := func(stage string) string {
		return `{"time":1795425084,"stage":"` + stage + `","total":1,"index":1,"state":"started"}` + "\n"
	}
	stages := func(events []boshclient.TaskEvent) (stages []string) {
		for _, event := range events {
			stages = append(stages, event.Stage)
		}
		return stages
	}

	It("are read on from where the last call ended, line by line", func(ctx SpecContext) {
		text := ""
		c := newStandIn(serving(&text)).client()
		var next int64
		read := func() []string {
			GinkgoHelper()
			events, n, err := c.TaskEvents(ctx, 3, next)
			Expect(err).NotTo(HaveOccurred())
			next = n
			return stages(events)
		}
		Expect(read()).To(BeEmpty())
		text = line("one") + line("two")[:20]
		Expect(read()).To(Equal([]string{"one"}))
		Expect(read()).To(BeEmpty())
		text = line("one") + line("two")
		Expect(read()).To(Equal([]string{"two"}))
		Expect(read()).To(BeEmpty())
		text += "not JSON\n" + line("three")
		Expect(read()).To(Equal([]string{"three"}))
		Expect(next).To(BeEquivalentTo(len(text)))
	})

	It("are the same from a server that gives the whole at all times", func(ctx SpecContext) {
		text := line("one") + line("two")
		c := newStandIn(answering(200, text)).client()
		events, next, err := c.TaskEvents(ctx, 3, int64(len(line("one"))))
		Expect(err).NotTo(HaveOccurred())
		Expect(stages(events)).To(Equal([]string{"two"}))
		Expect(next).To(BeEquivalentTo(len(text)))
		events, next, err = c.TaskEvents(ctx, 3, 10_000)
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(BeEmpty())
		Expect(next).To(BeEquivalentTo(10_000))
	})

	It("of a log that is gone are none", func(ctx SpecContext) {
		events, next, err := newStandIn(answering(204, "")).client().TaskEvents(ctx, 3, 7)
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(BeEmpty())
		Expect(next).To(BeEquivalentTo(7))
	})

	It("are not taken from another place than asked for", func(ctx SpecContext) {
		_, next, err := newStandIn(load("017").play).client().TaskEvents(ctx, 3, 99)
		Expect(unavailable(err).Error()).To(ContainSubstring("bytes 0-1079/1080"))
		Expect(next).To(BeEquivalentTo(99))
	})

	It("come in portions when there are many", func(ctx SpecContext) {
		text := strings.Repeat(line("one"), 30)
		c := newStandIn(serving(&text)).client(func(o *boshclient.Options) { o.BodyLimit = 1000 })
		var next int64
		var all []string
		for next < int64(len(text)) {
			events, n, err := c.TaskEvents(ctx, 3, next)
			Expect(err).NotTo(HaveOccurred())
			Expect(n).To(BeNumerically(">", next))
			next, all = n, append(all, stages(events)...)
		}
		Expect(all).To(HaveLen(30))
	})

	It("end with an error at a line without an end, not in a loop", func(ctx SpecContext) {
		text := strings.Repeat("x", 3000)
		_, _, err := newStandIn(serving(&text)).client(func(o *boshclient.Options) { o.BodyLimit = 1000 }).TaskEvents(ctx, 3, 0)
		Expect(err).To(MatchError(boshclient.ErrTooLarge))
	})

	It("of no task are a fact", func(ctx SpecContext) {
		_, _, err := newStandIn(load("029").play).client().TaskEvents(ctx, 999999, 0)
		Expect(err).To(MatchError(boshclient.ErrNotFound))
	})
})
