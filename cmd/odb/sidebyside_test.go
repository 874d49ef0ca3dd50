package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/devdirector"
)

// besideOthers lets the broker share its instances with others.
var besideOthers = with("use_stdin: true", "use_stdin: true\n  side_by_side: true")

// allConfigs are the names of all configs that the Director has, with their types.
func (w *world) allConfigs() []string {
	GinkgoHelper()
	found, err := w.directorClient().Configs(context.Background(), boshclient.ConfigFilter{})
	Expect(err).NotTo(HaveOccurred())
	names := []string{}
	for _, c := range found {
		names = append(names, c.Type+" "+c.Name)
	}
	return names
}

var _ = Describe("two brokers side by side", func() {
	var clock *devdirector.ManualClock
	var w *world
	var brokers []*program
	var platforms []*platform

	// Both are processes of their own. The Director's check of the expected id is as far from its insert as two requests may be.
	begin := func(changes ...setting) {
		clock = devdirector.NewManualClock(time.Now())
		changes = append(changes, besideOthers, setting{director: func(o *devdirector.Options) {
			o.Clock, o.ConfigClaimWindow = clock, 20*time.Millisecond
		}})
		w, brokers, platforms = newWorldWithoutBroker(changes...), nil, nil
		for range 2 {
			brokers = append(brokers, w.serveProcess("--config", changes...))
			platforms = append(platforms, w.platform)
		}
	}
	claimEnds := func() { clock.Advance(3 * time.Minute) }

	It("don't make an instance that another one is making, until that one is dead and its claim has ended", func() {
		begin()
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{Hold: "the first"})).To(Succeed())
		go func() {
			_, _ = platforms[0].try("PUT", instancePath("i-1")+"?accepts_incomplete=true", provisionBody(smallPlan))
		}()
		Eventually(w.calls).Should(ContainElement("generate-manifest"))
		Expect(w.allConfigs()).To(ConsistOf("odb-claim service-instance_i-1"))
		Expect(platforms[1].provision("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"))
		Expect(platforms[1].deprovision("i-1").body).To(HaveKeyWithValue("error", "ConcurrencyError"))

		brokers[0].kill()
		Expect(w.adapter.LetGo("the first")).To(Succeed())
		Expect(w.adapter.Steer("generate-manifest", adaptertest.Steering{})).To(Succeed())
		Expect(platforms[1].provision("i-1", nil).body).To(HaveKeyWithValue("error", "ConcurrencyError"), "nobody knows that it is dead")
		claimEnds()
		a := platforms[1].provision("i-1", nil)
		Expect(a.status).To(Equal(http.StatusAccepted), a.text)
		Expect(platforms[1].follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(w.director.Stats().Tasks).To(Equal(map[devdirector.Kind]int{devdirector.KindDeploy: 1}))
		Expect(w.allConfigs()).To(ConsistOf("odb-instance service-instance_i-1"))
	})

	It("run each errand once, keep a limit together, and leave nothing, though one is killed", func() {
		begin(with("    instance_groups:", "    lifecycle_errands: {post_deploy: [{name: smoke}, {name: warm-up}], pre_delete: [{name: backup}]}\n    instance_groups:"),
			with("jobs: [redis-server]", "jobs: [redis-server, smoke, warm-up, backup]"), globalQuotas("{service_instance_limit: 3}"))
		operations := map[string]string{}
		var mu sync.Mutex
		atOnce := func(many int, act func(i int, p *platform)) {
			var all sync.WaitGroup
			for i := range many {
				all.Go(func() {
					defer GinkgoRecover()
					act(i, platforms[i%len(platforms)])
				})
			}
			all.Wait()
		}
		atOnce(8, func(i int, p *platform) {
			id := fmt.Sprint("i-", i/2) // each is asked for by both
			a := p.provision(id, nil)
			Expect(a.status).To(BeElementOf(http.StatusAccepted, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusConflict), a.text)
			mu.Lock()
			defer mu.Unlock()
			if a.status == http.StatusAccepted {
				operations[id] = a.operation()
			}
		})
		Expect(len(operations)).To(BeNumerically("<=", 3))
		Expect(operations).NotTo(BeEmpty())
		Expect(w.director.Stats().Tasks[devdirector.KindDeploy]).To(Equal(len(operations)))

		polled := func(rounds int) {
			for range rounds {
				for id, operation := range operations {
					atOnce(8, func(_ int, p *platform) {
						_, _ = p.try("GET", instancePath(id)+"/last_operation?operation="+url.QueryEscape(operation), nil)
					})
				}
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			polled(2)
		}()
		Eventually(func() int { return w.director.Stats().Tasks[devdirector.KindErrand] }).Should(BeNumerically(">", 0))
		brokers[0].kill()
		<-done
		platforms = platforms[1:]
		claimEnds()
		polled(3)
		for id, operation := range operations {
			Expect(platforms[0].follow(id, operation)).To(Equal("succeeded"))
		}
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(2 * len(operations)))

		for id := range operations {
			var a answer
			Eventually(func() int { a = platforms[0].deprovision(id); return a.status }).Should(Equal(http.StatusAccepted), "the broker looks after it now and then")
			Expect(platforms[0].follow(id, a.operation())).To(Equal("succeeded"))
		}
		Expect(w.director.Stats().Tasks[devdirector.KindErrand]).To(Equal(3 * len(operations)))
		Expect(w.director.Stats().Tasks[devdirector.KindDelete]).To(Equal(len(operations)))
		Expect(w.allConfigs()).To(BeEmpty())
	})

	It("keep their claims from adapters", func() {
		w := newWorld(besideOthers)
		w.platform.provisioned("i-1")
		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		Expect(previousConfigs(w)).NotTo(ContainElement(ContainSubstring("odb-")))
		Expect(w.allConfigs()).To(ConsistOf("odb-instance service-instance_i-1"))
	})
})
