package main

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("telemetry", func() {
	lines := func(w *world) func() int {
		return func() int { return strings.Count(w.log.String(), `"message":"odb.telemetry"`) }
	}

	It("is written at the start and when an operation begins, and not at each poll", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		w.serve(with("use_stdin: true", "use_stdin: true\n  enable_telemetry: true"))
		const total, each = 1, 2
		Eventually(lines(w)).Should(Equal(total + each))
		Expect(w.log.String()).To(And(ContainSubstring(`"event":{"item":"broker","operation":"startup"}`), ContainSubstring(`"service-instances":{"total":1}`),
			ContainSubstring(`"service-instances-per-plan":{"plan-id":"`+smallPlan+`","total":1}`), ContainSubstring(`"service-offering":{"name":"redis"}`)))

		a := w.platform.update("i-1", object{"parameters": object{"a": 1}})
		Expect(w.platform.follow("i-1", a.operation())).To(Equal("succeeded"))
		for range 5 {
			w.platform.lastOperation("i-1", a.operation())
		}
		Expect(lines(w)()).To(Equal(2 * (total + each)))
		Expect(w.log.String()).To(ContainSubstring(`"event":{"item":"instance","operation":"update"}`))
	})

	It("is not written unless it is asked for", func() {
		w := newWorld()
		w.platform.provisioned("i-1")
		Expect(lines(w)()).To(BeZero())
	})
})
