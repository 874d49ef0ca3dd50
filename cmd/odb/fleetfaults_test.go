package main

import (
	"fmt"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient/cftest"
	"github.com/on-demand-broker/odb/devdirector"
)

// polled are the instances whose operations a broker's log says were polled.
func polled(log string) map[string]bool {
	ids := map[string]bool{}
	for _, found := range regexp.MustCompile(`/v2/service_instances/([^/]+)/last_operation`).FindAllStringSubmatch(log, -1) {
		ids[found[1]] = true
	}
	return ids
}

var _ = Describe("a fleet that is upgraded through Cloud Foundry, every instance once", func() {
	ids := []string{"i-1", "i-2", "i-3", "i-4"}
	once := map[string]int{"i-1": 1, "i-2": 1, "i-3": 1, "i-4": 1}

	// stage is a broker process with instances that are due, and a Cloud Foundry that has them.
	type stage struct {
		*world
		cloud  cloud
		broker *program
		path   string // of broker.yml
		file   string // of the commands
		before int    // the Director's last task
	}
	set := func() *stage {
		GinkgoHelper()
		s := &stage{world: newWorldWithoutBroker()}
		first := s.serveProcess("--config", maintained("1.0.0"))
		s.provisionAll(ids...)
		first.kill()
		s.broker = s.serveProcess("--config", maintained("2.0.0"))
		s.path = s.dir + "/broker.yml"
		s.cloud = s.newCloud("2.0.0")
		s.cloud.knows("1.0.0", ids...)
		s.file = s.companionFile(pace, s.cloud.file())
		s.director.SetTaskDuration(devdirector.KindDeploy, 400*time.Millisecond)
		s.before = s.lastTask()
		return s
	}
	restart := func(s *stage) {
		GinkgoHelper()
		s.broker = startODB("serve", "--config", s.path)
		s.awaitHealthy(s.broker)
	}
	ended := func(s *stage) {
		GinkgoHelper()
		Expect(s.deploys(s.before)).To(Equal(once))
		Expect(s.cloud.outdated()).To(BeEmpty())
	}

	It("is so although the broker is killed while operations run, and comes back", func() {
		s := set()
		p := startODB("instances", "upgrade", "--config", s.file, "--max-in-flight", "2", "--json")
		// What Cloud Foundry polls it has been told of. A broker that is killed between the submission and its answer is asked once more.
		Eventually(func() int { return len(polled(s.broker.stdout.String() + s.broker.stderr.String())) }).WithTimeout(30 * time.Second).Should(BeNumerically(">=", 2))
		s.broker.kill()
		restart(s)
		Expect(p.end()).To(BeZero(), p.stdout.String()+p.stderr.String())
		Expect(lastEvent(p.stdout.String())).To(And(HaveKeyWithValue("end", "well"), HaveKeyWithValue("successful", 4.0)))
		ended(s)
	})

	It("is so although the broker isn't there when Cloud Foundry begins", func() {
		s := set()
		s.cloud.HoldJobs()
		p := startODB("instances", "upgrade", "--config", s.file, "--max-in-flight", "4", "--json")
		Eventually(func() int { return s.cloud.Stats().Requests["PATCH /v3/service_instances/{guid}"] }).Should(Equal(4))
		s.broker.kill()
		s.cloud.ReleaseJobs()
		Eventually(func() int { return s.cloud.Stats().ToBrokers["update"] }).Should(BeNumerically(">=", 4))
		Expect(s.deploys(s.before)).To(BeEmpty())
		restart(s)
		Expect(p.end()).To(BeZero(), p.stdout.String()+p.stderr.String())
		Expect(lastEvent(p.stdout.String())).To(And(HaveKeyWithValue("end", "well"), HaveKeyWithValue("successful", 4.0)))
		ended(s)
	})

	It("is so although the command is killed midway and run again", func() {
		s := set()
		p := startODB("instances", "upgrade", "--config", s.file, "--max-in-flight", "2")
		Eventually(func() int { return len(s.deploys(s.before)) }).Should(BeNumerically(">=", 3))
		p.kill()
		code, out, errs := odb("instances", "upgrade", "--config", s.file, "--max-in-flight", "2", "--json")
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero(), out)
		summary := lastEvent(out)
		Expect(summary).To(And(HaveKeyWithValue("end", "well"), HaveKeyWithValue("total", 4.0)))
		Expect(summary["successful"].(float64) + summary["skipped"].(float64)).To(Equal(4.0))
		ended(s)
	})

	It("is so although every answer of Cloud Foundry is slow, and one is cut off", func() {
		s := set()
		Expect(s.cloud.AddFault(cftest.Fault{Match: "GET /v3/jobs/", Cut: true, Skip: 2, Times: 1})).To(Succeed())
		Expect(s.cloud.AddFault(cftest.Fault{Match: "/v3/", Delay: 200 * time.Millisecond})).To(Succeed())
		code, out, errs := odb("instances", "upgrade", "--config", s.file, "--max-in-flight", "4", "--json")
		Expect(errs).To(BeEmpty())
		Expect(code).To(BeZero(), out)
		Expect(lastEvent(out)).To(HaveKeyWithValue("successful", 4.0))
		ended(s)
	})

	It("is told when it isn't so: what the broker refused is a failure, and a second run has only that left", func() {
		s := set()
		s.director.AddOutcome(devdirector.Outcome{Deployment: "service-instance_i-3", Error: &devdirector.TaskError{Code: 1, Message: "no disk"}})
		code, out, errs := odb("instances", "upgrade", "--config", s.file, "--max-in-flight", "4", "--json")
		Expect(code).To(Equal(exitSomeFailed), out)
		Expect(errs).To(ContainSubstring("[i-3] operation failed"))
		Expect(lastEvent(out)).To(And(HaveKeyWithValue("end", "some-failed"), HaveKeyWithValue("successful", 3.0), HaveKeyWithValue("failed", HaveLen(1))))
		Expect(s.cloud.outdated()).To(Equal([]string{"i-3"}), fmt.Sprint(s.cloud.Instances()))

		code, out, _ = odb("instances", "upgrade", "--config", s.file, "--max-in-flight", "4", "--json")
		Expect(code).To(BeZero(), out)
		Expect(lastEvent(out)).To(And(HaveKeyWithValue("successful", 1.0), HaveKeyWithValue("skipped", 3.0)))
		Expect(s.deploys(s.before)).To(Equal(map[string]int{"i-1": 1, "i-2": 1, "i-3": 2, "i-4": 1}))
	})
})
