package manifests_test

import (
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/manifests"
)

var _ = Describe("an update is asked for, and the adapter regenerates the deployed manifest", func() {
	var deployed string

	BeforeEach(func() {
		content, err := os.ReadFile("testdata/redis.yml")
		Expect(err).NotTo(HaveOccurred())
		deployed = string(content)
	})

	pending := func(old, new string) string {
		GinkgoHelper()
		Expect(deployed).To(ContainSubstring(old))
		diff, err := manifests.PendingChange(strings.Replace(deployed, old, new, 1), deployed)
		Expect(err).NotTo(HaveOccurred())
		return diff
	}

	It("goes ahead when the operator has changed nothing", func() {
		Expect(pending("", "")).To(BeEmpty())
		Expect(pending("", "# written by another version of the adapter\n")).To(BeEmpty())
	})

	It("goes ahead when only the way of rolling out has changed", func() {
		Expect(pending("max_in_flight: 4", "max_in_flight: 50%")).To(BeEmpty())
		Expect(pending("max_in_flight: 1\n", "max_in_flight: 2\n")).To(BeEmpty())
	})

	It("tells the operator which release waits to be rolled out", func() {
		Expect(pending(`version: "4.2.0"`, "version: 4.3.0")).To(Equal(
			"- releases[name=redis-service].version: 4.2.0\n" +
				"+ releases[name=redis-service].version: 4.3.0\n"))
	})

	It("tells that a property has changed and not to what, wherever the property is used", func() {
		Expect(pending("hunter2-in-plain-text", "hunter3")).To(Equal(
			"- instance_groups[name=redis-server].jobs[name=redis-server].properties.redis.secondary_password: <redacted>\n" +
				"+ instance_groups[name=redis-server].jobs[name=redis-server].properties.redis.secondary_password: <redacted>\n" +
				"- instance_groups[name=sentinel].jobs[name=sentinel].properties.redis.secondary_password: <redacted>\n" +
				"+ instance_groups[name=sentinel].jobs[name=sentinel].properties.redis.secondary_password: <redacted>\n"))
	})

	It("sees keys that no BOSH of today knows", func() {
		Expect(pending("vm_type: micro", "vm_type: micro\n  invented_tomorrow: {gpu: 1}")).To(Equal(
			"+ instance_groups[name=sentinel].invented_tomorrow: <redacted>\n"))
	})

	It("sees a secret that the adapter makes anew instead of carrying over its path", func() {
		Expect(pending("((/odb/4a7f/service-instance_7c1d3f8e-51a4-4ad5-9b3e-0f9b7f6d2a10/redis_password))", "((odb_secret:redis_password))")).To(
			ContainSubstring("properties.redis.password: <redacted>"))
	})
})
