package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

// state is what last_operation says of an operation.
func (p *platform) state(id string, a answer) string {
	GinkgoHelper()
	polled := p.lastOperation(id, a.operation())
	Expect(polled.status).To(Equal(http.StatusOK), polled.text)
	state, _ := polled.body["state"].(string)
	return state
}

// finished polls an operation to its good end, whatever steps it has.
func (w *world) finished(id string, ends func(), a answer) {
	GinkgoHelper()
	Expect(a.status).To(Equal(http.StatusAccepted), a.text)
	Eventually(func() string {
		ends()
		return w.platform.state(id, a)
	}).ShouldNot(Equal("in progress"))
	Expect(w.platform.state(id, a)).To(Equal("succeeded"))
}

// accepted sends a request until no step of another operation is in its way: a process that has just begun takes note of the ends of
// those that it finds.
func accepted(send func() answer) (a answer) {
	GinkgoHelper()
	Eventually(func() int {
		a = send()
		return a.status
	}).WithTimeout(30 * time.Second).Should(Equal(http.StatusAccepted))
	return a
}

// isGone looks at the Director, and does nothing about what is left.
func (w *world) isGone(id string) func(Gomega) {
	director := w.directorClient()
	return func(g Gomega) {
		_, err := director.Deployment(context.Background(), "service-instance_"+id)
		g.Expect(err).To(MatchError(boshclient.ErrNotFound))
		g.Expect(director.Configs(context.Background(), boshclient.ConfigFilter{})).To(BeEmpty())
	}
}

var _ = Describe("the same deletion again", func() {
	It("is told the same while the instance is deleted, and that it is gone afterwards", func() {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		first := w.platform.deprovision("i-1")
		Expect(first.status).To(Equal(http.StatusAccepted), first.text)

		w.director.ResetStats()
		for range 2 {
			again := w.platform.deprovision("i-1")
			Expect(again.status).To(Equal(http.StatusAccepted), again.text)
			Expect(again.text).To(MatchJSON(first.text))
		}
		Expect(w.director.Stats().TotalTasks).To(BeZero())

		ends()
		Expect(w.platform.state("i-1", first)).To(Equal("succeeded"))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
		w.isGone("i-1")(NewGomega(Fail))
	})

	It("has the same operation when that has errands, whichever of its steps runs", func() {
		w, ends := slowWorld(withErrands...)
		w.finished("i-1", ends, w.platform.provision("i-1", nil))
		first := w.platform.deprovision("i-1")
		Expect(first.status).To(Equal(http.StatusAccepted), first.text)
		Expect(w.platform.deprovision("i-1").text).To(MatchJSON(first.text), "the errand runs")
		ends()
		Expect(w.platform.deprovision("i-1").text).To(MatchJSON(first.text), "between two steps")
		Expect(w.platform.state("i-1", first)).To(Equal("in progress"))
		Expect(w.platform.deprovision("i-1").text).To(MatchJSON(first.text), "the deletion runs")
		ends()
		Expect(w.platform.state("i-1", first)).To(Equal("succeeded"))
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(3))
		Expect(w.director.Stats().Tasks[devdirector.KindDelete]).To(Equal(1))
	})

	It("is one of its own after a failure", func() {
		w := newWorld(withErrands...)
		w.platform.provisioned("i-1")
		w.director.SetErrand("backup", devdirector.Errand{ExitCode: 1})
		first := w.platform.deprovision("i-1")
		Expect(w.platform.follow("i-1", first.operation())).To(Equal("failed"))
		w.director.SetErrand("backup", devdirector.Errand{})
		later := w.platform.deprovision("i-1")
		Expect(later.operation()).NotTo(Equal(first.operation()))
		Expect(w.platform.follow("i-1", later.operation())).To(Equal("succeeded"))
		Expect(w.platform.state("i-1", first)).To(Equal("failed"))
	})

	DescribeTable("is told the same by the process that comes after", func(changes ...setting) {
		w, ends := slowWorldWithoutBroker(changes...)
		w.serve(changes...)
		w.finished("i-1", ends, w.platform.provision("i-1", nil))
		first := w.platform.deprovision("i-1")
		w.serve(changes...)
		Expect(w.platform.deprovision("i-1").text).To(MatchJSON(first.text))
		w.finished("i-1", ends, first)
		w.isGone("i-1")(NewGomega(Fail))
	},
		Entry("of a deletion"),
		Entry("of one with errands", withErrands[0], withErrands[1]),
		Entry("where nothing is remembered", with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true")),
	)

	It("is told to wait where the process that comes after can't know that a deletion has begun", func() {
		changes := append([]setting{with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true")}, withErrands...)
		w, ends := slowWorldWithoutBroker(changes...)
		w.serve(changes...)
		w.finished("i-1", ends, w.platform.provision("i-1", nil))
		first := w.platform.deprovision("i-1")
		Expect(w.platform.deprovision("i-1").text).To(MatchJSON(first.text))
		w.serve(changes...)
		Expect(w.platform.deprovision("i-1").body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		w.finished("i-1", ends, first)
	})

	It("is told of the deletion that an operator has begun", func() {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		_, err := w.directorClient().DeleteDeployment(GinkgoT().Context(), boshclient.DeleteDeployment{Name: "service-instance_i-1"})
		Expect(err).NotTo(HaveOccurred())
		a := w.platform.deprovision("i-1")
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(w.platform.state("i-1", a)).To(Equal("in progress"))
		ends()
		Expect(w.platform.state("i-1", a)).To(Equal("succeeded"))
		w.isGone("i-1")(NewGomega(Fail))
	})

	It("is told to wait while the instance is changed", func() {
		w, ends := slowWorld(withErrands...)
		w.finished("i-1", ends, w.platform.provision("i-1", nil))
		update := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(update.status).To(Equal(http.StatusAccepted), update.text)
		for range 2 { // the deploy, the first of two errands
			Expect(w.platform.deprovision("i-1").body).To(HaveKeyWithValue("error", "ConcurrencyError"))
			ends()
			Expect(w.platform.deprovision("i-1").body).To(HaveKeyWithValue("error", "ConcurrencyError"), "between two steps")
			Expect(w.platform.state("i-1", update)).To(Equal("in progress"))
		}
		Expect(w.platform.deprovision("i-1").body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		ends()
		Expect(w.platform.state("i-1", update)).To(Equal("succeeded"))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
	})
})

var _ = Describe("a deletion during the creation", func() {
	It("cancels the creation, and then deletes; both operations say how they ended", func() {
		w, ends := slowWorld()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Configs: map[string]any{"cloud": "vm_extensions: []\n"}})).To(Succeed())
		creation := w.platform.provision("i-1", nil)
		deletion := w.platform.deprovision("i-1")
		Expect(deletion.status).To(Equal(http.StatusAccepted), deletion.text)

		By("telling that the creation is being cancelled")
		Expect(w.platform.deprovision("i-1").text).To(MatchJSON(deletion.text))
		a := w.platform.lastOperation("i-1", deletion.operation())
		Expect(a.body).To(HaveKeyWithValue("state", "in progress"))
		Expect(a.description()).To(Equal("Instance deletion in progress: cancelling its provisioning"))
		Expect(w.platform.lastOperation("i-1", "").description()).To(Equal(a.description()), "to who doesn't say which operation is meant")
		Expect(w.platform.provision("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(w.platform.update("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(w.director.Stats().Requests["DELETE /task/:id"]).To(Equal(1), "it is cancelled once")
		Expect(w.director.Stats().Tasks[devdirector.KindDelete]).To(BeZero())

		ends()
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		Expect(w.platform.state("i-1", deletion)).To(Equal("in progress"))
		Expect(w.platform.deprovision("i-1").text).To(MatchJSON(deletion.text))
		ends()
		for range 2 {
			Expect(w.platform.state("i-1", deletion)).To(Equal("succeeded"))
			Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		}
		Expect(w.director.Stats().Tasks[devdirector.KindDelete]).To(Equal(1))
		w.isGone("i-1")(NewGomega(Fail))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusGone))
		w.platform.provisionedAt("i-1", ends)
	})

	It("cancels an errand of the creation, starts no other, and runs what is to run before a deletion", func() {
		w, ends := slowWorld(withErrands...)
		creation := w.platform.provision("i-1", nil)
		ends()
		Expect(w.platform.state("i-1", creation)).To(Equal("in progress")) // which starts the first errand
		deletion := w.platform.deprovision("i-1")
		Expect(deletion.status).To(Equal(http.StatusAccepted), deletion.text)
		ends()
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		for range 2 { // the errand, and the deletion
			Expect(w.platform.state("i-1", deletion)).To(Equal("in progress"))
			Expect(w.platform.deprovision("i-1").text).To(MatchJSON(deletion.text))
			ends()
		}
		Expect(w.platform.state("i-1", deletion)).To(Equal("succeeded"))
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(2), "one of the creation, one of the deletion")
		w.isGone("i-1")(NewGomega(Fail))
	})

	It("lets the creation start no step once it has begun, though nothing of it runs", func() {
		w, ends := slowWorld(withErrands...)
		creation := w.platform.provision("i-1", nil)
		ends() // the deploy is done, and no errand has been started
		deletion := w.platform.deprovision("i-1")
		Expect(deletion.status).To(Equal(http.StatusAccepted), deletion.text)
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(BeZero())
		w.finished("i-1", ends, deletion)
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		w.isGone("i-1")(NewGomega(Fail))
	})

	It("has ended the creation also for a process that comes late, when the instance was made anew", func() {
		w, ends := slowWorldWithoutBroker(withErrands...)
		w.serve(withErrands...)
		creation := w.platform.provision("i-1", nil)
		ends() // the deploy is done, and no errand has been started
		w.finished("i-1", ends, w.platform.deprovision("i-1"))
		w.serve(withErrands...)
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		w.finished("i-1", ends, w.platform.provision("i-1", nil))

		w.serve(withErrands...)
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		update := accepted(func() answer { return w.platform.update("i-1", object{"parameters": object{"a": 1}}) })
		w.serve(withErrands...)
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"), "also when that one is updated")
		w.finished("i-1", ends, update)
		errands := w.director.Stats().Tasks[devdirector.KindErrand]
		w.serve(withErrands...)
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"), "or was")
		deletion := accepted(func() answer { return w.platform.deprovision("i-1") })
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"), "also while that one is deleted")
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(errands+1), "that of the deletion")
		w.finished("i-1", ends, deletion)
	})

	It("has ended the creation of an earlier instance, too, while it has no task of its own", func() {
		w, ends := slowWorldWithoutBroker(withErrands...)
		w.serve(withErrands...)
		earlier := w.platform.provision("i-1", nil)
		ends() // the deploy is done, and no errand has been started
		w.finished("i-1", ends, w.platform.deprovision("i-1"))
		w.platform.provision("i-1", nil)
		deletion := w.platform.deprovision("i-1")
		w.serve(withErrands...)
		Expect(w.platform.state("i-1", earlier)).To(Equal("failed"))
		w.finished("i-1", ends, deletion)
	})

	It("runs no errands on what was never up", func() {
		w, ends := slowWorld(withErrands...)
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
		w.finished("i-1", ends, w.platform.deprovision("i-1"))
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(BeZero())
		w.isGone("i-1")(NewGomega(Fail))
	})

	It("comes to its end though nobody polls", func() {
		w := newWorld(tasksTake(50*time.Millisecond), setting{carryEvery: 10 * time.Millisecond})
		Expect(w.platform.provision("i-1", nil).status).To(Equal(http.StatusAccepted))
		Expect(w.platform.deprovision("i-1").status).To(Equal(http.StatusAccepted))
		Eventually(w.isGone("i-1")).Should(Succeed())
	})

	It("goes on after the process was killed, wherever that was", func() {
		w, ends := slowWorldWithoutBroker()
		running := w.serveProcess("--config")
		restart := func() {
			GinkgoHelper()
			running.kill()
			running = w.serveProcess("--config")
		}
		creation := w.platform.provision("i-1", nil)
		Expect(w.director.AddFault(devdirector.Fault{Kind: devdirector.FaultRefuse, Method: "DELETE", Path: "^/task/"})).To(Succeed())
		deletion := w.platform.deprovision("i-1")
		Expect(deletion.status).To(Equal(http.StatusAccepted), deletion.text)
		running.kill() // before the creation could be cancelled
		w.director.ClearFaults()
		restart()
		Expect(w.platform.deprovision("i-1").text).To(MatchJSON(deletion.text))
		Expect(w.platform.state("i-1", deletion)).To(Equal("in progress"))
		restart()
		ends()
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		Expect(w.platform.state("i-1", deletion)).To(Equal("in progress"))
		restart()
		w.finished("i-1", ends, deletion)
		Expect(w.platform.state("i-1", creation)).To(Equal("failed"))
		w.isGone("i-1")(NewGomega(Fail))
	})

	It("is to be waited for where nothing can be remembered", func() {
		w, ends := slowWorld(with("use_stdin: true", "use_stdin: true\n  disable_bosh_configs: true"))
		creation := w.platform.provision("i-1", nil)
		Expect(w.platform.deprovision("i-1").body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		ends()
		Expect(w.platform.state("i-1", creation)).To(Equal("succeeded"))
		w.finished("i-1", ends, w.platform.deprovision("i-1"))
	})

	It("is accepted and ended by either of two brokers", func() {
		begun := time.Now()
		clock := devdirector.NewManualClock(begun)
		changes := []setting{besideOthers, tasksTake(time.Minute), {director: func(o *devdirector.Options) { o.Clock = clock }}}
		w := newWorldWithoutBroker(changes...)
		w.serve(changes...)
		first := w.platform
		w.serve(changes...)
		second := w.platform
		creation := first.provision("i-1", nil)
		deletion := second.deprovision("i-1")
		Expect(deletion.status).To(Equal(http.StatusAccepted), deletion.text)
		Expect(first.deprovision("i-1").text).To(MatchJSON(deletion.text))
		clock.Advance(2 * time.Minute)
		for range 2 {
			Expect(first.state("i-1", creation)).To(Equal("failed"))
			Expect(first.state("i-1", deletion)).To(Equal("in progress"))
			Expect(second.state("i-1", deletion)).To(Equal("in progress"))
		}
		clock.Advance(2 * time.Minute)
		Expect(first.state("i-1", deletion)).To(Equal("succeeded"))
		Expect(second.state("i-1", creation)).To(Equal("failed"))
		Expect(w.director.Stats().Tasks[devdirector.KindDelete]).To(Equal(1))
		w.isGone("i-1")(NewGomega(Fail))
	})
})

var _ = Describe("a binding during an update", func() {
	It("sees one deployment, the one before or the one after", func() {
		w, ends := slowWorld()
		w.platform.provisionedAt("i-1", ends)
		bound := func(binding string) string {
			GinkgoHelper()
			Expect(w.adapter.Forget()).To(Succeed())
			a := w.platform.bind("i-1", binding, nil)
			Expect(a.status).To(Equal(http.StatusCreated), a.text)
			calls, err := w.adapter.Calls()
			Expect(err).NotTo(HaveOccurred())
			return strings.ReplaceAll(calls[0].Stdin, binding, "b")
		}
		before := bound("b-1")
		Expect(w.platform.update("i-1", object{"plan_id": largePlan}).status).To(Equal(http.StatusAccepted))
		Expect(bound("b-2")).To(Equal(before))
		ends()
		Expect(bound("b-3")).NotTo(Equal(before))
	})
})
