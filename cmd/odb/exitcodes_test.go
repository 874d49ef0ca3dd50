package main

import (
	"net/http"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

// The table of docs/ADAPTER.md, row by row.
var _ = Describe("an adapter's exit code", func() {
	const words = "the adapter's words"
	incident := ContainSubstring("The request could not be completed. Please contact your operations team")
	exits := func(code int) adaptertest.Steering { return adaptertest.Steering{ExitCode: code, Stdout: words} }

	DescribeTable("means the same to every platform", func(verb string, steering adaptertest.Steering, status int, description types.GomegaMatcher) {
		w := newWorld()
		w.platform.provisioned("i-1")
		if verb == "delete-binding" {
			Expect(w.platform.bind("i-1", "b-1", nil).status).To(Equal(http.StatusCreated))
		}
		Expect(w.adapter.Steer(verb, steering)).To(Succeed())
		a := map[string]func() answer{
			"generate-manifest": func() answer { return w.platform.provision("i-2", nil) },
			"dashboard-url":     func() answer { return w.platform.provision("i-2", nil) },
			"create-binding":    func() answer { return w.platform.bind("i-1", "b-1", nil) },
			"delete-binding":    func() answer { return w.platform.unbind("i-1", "b-1") },
		}[verb]()
		Expect(a.status).To(Equal(status), a.text)
		Expect(a.description()).To(description)
		Expect(a.body).NotTo(HaveKey("dashboard_url"))
	},
		Entry("1 of generate-manifest", "generate-manifest", exits(1), http.StatusInternalServerError, Equal(words)),
		Entry("1 of dashboard-url", "dashboard-url", exits(1), http.StatusInternalServerError, Equal(words)),
		Entry("1 of create-binding", "create-binding", exits(1), http.StatusInternalServerError, Equal(words)),
		Entry("1 of delete-binding", "delete-binding", exits(1), http.StatusInternalServerError, Equal(words)),
		Entry("any other", "create-binding", exits(77), http.StatusInternalServerError, Equal(words)),
		Entry("the end by a signal", "create-binding", adaptertest.Steering{Signal: syscall.SIGKILL, Stdout: words}, http.StatusInternalServerError, Equal(words)),
		Entry("without a word", "generate-manifest", adaptertest.Steering{ExitCode: 1}, http.StatusInternalServerError, incident),
		Entry("10 of generate-manifest", "generate-manifest", exits(10), http.StatusInternalServerError, incident),
		Entry("10 of dashboard-url", "dashboard-url", exits(10), http.StatusAccepted, BeEmpty()),
		Entry("10 of create-binding", "create-binding", exits(10), http.StatusInternalServerError, incident),
		Entry("10 of delete-binding", "delete-binding", exits(10), http.StatusInternalServerError, incident),
		Entry("41 of delete-binding", "delete-binding", exits(41), http.StatusGone, BeEmpty()),
		Entry("42 of create-binding", "create-binding", exits(42), http.StatusUnprocessableEntity, Equal(words)),
		Entry("49 of create-binding", "create-binding", exits(49), http.StatusConflict, Equal(words)),
	)
})
