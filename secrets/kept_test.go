package secrets_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
)

var _ = Describe("what is kept", func() {
	names := func(kept []secrets.Kept) (names []string) {
		for _, each := range kept {
			names = append(names, each.Name)
			Expect(each.WrittenAt).To(BeTemporally("~", time.Now(), time.Hour))
		}
		return names
	}

	It("of an instance is listed, and nothing of another one or another offering", func() {
		credhub, client := startConnected()
		for _, name := range []string{base + "pw", base + "deep/pw", "/director/service-instance_1/ca", "/odb/svc/service-instance_12/pw", "/odb/other/service-instance_1/pw"} {
			credhub.Put(name, "value", `"x"`)
		}
		kept, err := client.KeptOfInstance(ctx, instance, "director")
		Expect(err).NotTo(HaveOccurred())
		Expect(names(kept)).To(ConsistOf(base+"pw", base+"deep/pw", "/director/service-instance_1/ca"))
		kept, err = client.KeptOfInstance(ctx, instance, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(names(kept)).To(ConsistOf(base+"pw", base+"deep/pw"))
		Expect(client.DeploymentsWithSecrets(ctx, "svc")).To(Equal([]string{"service-instance_1", "service-instance_12"}))
		Expect(client.DeploymentsWithSecrets(ctx, "none")).To(BeEmpty())
	})

	It("of an instance's bindings is listed and deleted", func() {
		credhub, client := startConnected()
		for _, name := range []string{"/c/svc/i-1/b-1/credentials", "/c/svc/i-1/b-2/credentials", "/c/svc/i-11/b-1/credentials"} {
			credhub.Put(name, "value", `"x"`)
		}
		kept, err := client.KeptOfBindings(ctx, "svc", "i-1")
		Expect(err).NotTo(HaveOccurred())
		Expect(names(kept)).To(ConsistOf("/c/svc/i-1/b-1/credentials", "/c/svc/i-1/b-2/credentials"))
		Expect(client.InstancesWithBindings(ctx, "svc")).To(Equal([]string{"i-1", "i-11"}))
		for range 2 {
			Expect(client.DeleteBindings(ctx, "svc", "i-1")).To(Succeed())
		}
		Expect(credhub.Names()).To(Equal([]string{"/c/svc/i-11/b-1/credentials"}))
	})

	It("is told for paths that are some only", func() {
		credhub, client := startConnected()
		for _, bad := range []string{"", "a/b"} {
			_, err := client.KeptOfInstance(ctx, secrets.Instance{ServiceID: "svc", Deployment: bad}, "")
			Expect(err).To(MatchError(ContainSubstring("can't be a segment")))
			_, err = client.KeptOfBindings(ctx, "svc", bad)
			Expect(err).To(MatchError(ContainSubstring("can't be a segment")))
			Expect(client.DeleteBindings(ctx, "svc", bad)).To(MatchError(ContainSubstring("can't be a segment")))
			_, err = client.DeploymentsWithSecrets(ctx, bad)
			Expect(err).To(MatchError(ContainSubstring("can't be a segment")))
		}
		Expect(credhub.Requests()).To(BeEmpty())
	})
})
