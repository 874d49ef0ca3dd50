package devdirector_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/devdirector"
)

var _ = Describe("faults", func() {
	var (
		d    *devdirector.Director
		bosh *caller
	)

	BeforeEach(func() {
		d = start(devdirector.Options{TLS: true})
		bosh = callerOf(d)
	})
	inflict := func(f devdirector.Fault) {
		GinkgoHelper()
		Expect(d.AddFault(f)).To(Succeed())
	}
	deploy := func() (answer, error) {
		return bosh.try(http.MethodPost, "/deployments", manifestOf("a", 1), "Content-Type", "text/yaml")
	}

	It("answer what they are told, so many times, to the requests that they are about", func() {
		inflict(devdirector.Fault{Kind: devdirector.FaultStatus, Method: "GET", Path: "^/tasks", Skip: 1, Times: 2, Status: 502, Body: "bad gateway"})
		var got []int
		for range 4 {
			got = append(got, bosh.get("/tasks").status)
			Expect(bosh.get("/locks").status).To(Equal(http.StatusOK))
		}
		Expect(got).To(Equal([]int{200, 502, 502, 200}))
	})

	It("refuse in the midst of it, with the Director's words", func() {
		inflict(devdirector.Fault{Kind: devdirector.FaultStatus, Status: 401, Times: 1})
		Expect(bosh.get("/deployments").body).To(Equal("Not authorized: '/deployments'\n"))
		Expect(bosh.get("/deployments").status).To(Equal(http.StatusOK))
	})

	It("reset the connection and nothing has happened", func() {
		inflict(devdirector.Fault{Kind: devdirector.FaultRefuse, Method: "POST", Times: 1})
		_, err := deploy()
		Expect(err).To(HaveOccurred())
		Expect(bosh.get("/tasks").body).To(Equal("[]"))
	})

	It("reset the connection after all has happened", func() {
		inflict(devdirector.Fault{Kind: devdirector.FaultRefuse, Method: "POST", Times: 1, AfterHandling: true})
		_, err := deploy()
		Expect(err).To(HaveOccurred())
		Expect(bosh.get("/tasks").body).To(ContainSubstring(`"deployment":"a"`))
	})

	It("cut the answer in two", func() {
		bosh.deploy(manifestOf("a", 1))
		inflict(devdirector.Fault{Kind: devdirector.FaultCut, Path: "^/deployments/a$", Times: 1})
		_, err := bosh.try(http.MethodGet, "/deployments/a", "")
		Expect(err).To(MatchError(io.ErrUnexpectedEOF))
		inflict(devdirector.Fault{Kind: devdirector.FaultCut, Times: 1})
		_, err = deploy()
		Expect(err).To(HaveOccurred())
		Expect(d.Stats().Tasks[devdirector.KindDeploy]).To(Equal(2))
	})

	It("hang until the client has enough", func() {
		inflict(devdirector.Fault{Kind: devdirector.FaultHang, Times: 1})
		bosh.http.Timeout = 50 * time.Millisecond
		_, err := deploy()
		Expect(errors.Is(err, context.DeadlineExceeded)).To(BeTrue(), "%v", err)
		bosh.http.Timeout = 5 * time.Second
		Consistently(func() string { return bosh.get("/tasks").body }, "50ms").Should(Equal("[]"), "what hung isn't done afterwards")
	})

	It("hang until they are cleared, and then go on", func() {
		inflict(devdirector.Fault{Kind: devdirector.FaultHang})
		answers := make(chan answer)
		go func() {
			defer GinkgoRecover()
			defer close(answers)
			a, err := deploy()
			Expect(err).NotTo(HaveOccurred())
			answers <- a
		}()
		Eventually(func() int { return d.Stats().TotalRequests }).Should(Equal(1))
		Consistently(answers, "20ms").ShouldNot(Receive())
		d.ClearFaults()
		var late answer
		Eventually(answers).Should(Receive(&late))
		Expect(late.status).To(Equal(http.StatusSeeOther))
	})

	It("delay", func() {
		inflict(devdirector.Fault{Kind: devdirector.FaultDelay, Delay: time.Hour, Times: 1})
		bosh.http.Timeout = 50 * time.Millisecond
		_, err := bosh.try(http.MethodGet, "/tasks", "")
		Expect(err).To(HaveOccurred())
		Expect(bosh.get("/tasks").status).To(Equal(http.StatusOK))
	})

	It("that can't be are refused", func() {
		for _, f := range []devdirector.Fault{{}, {Kind: "odd"}, {Kind: devdirector.FaultStatus}, {Kind: devdirector.FaultHang, Path: "("}} {
			Expect(d.AddFault(f)).To(MatchError(devdirector.ErrFault))
		}
	})
})
