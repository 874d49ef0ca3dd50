package secrets_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
)

var _ = Describe("notes", func() {
	binding := secrets.Binding{ServiceID: "svc", InstanceID: "instance", BindingID: "binding"}

	DescribeTable("lie beside the credentials, the latest one counts, and nobody else may read them", func(note secrets.Note, name string) {
		credhub, client := startConnected()
		_, err := client.ReadNote(ctx, note)
		Expect(err).To(MatchError(secrets.ErrNotFound))
		Expect(client.WriteNote(ctx, note, asJSON(`{"n":1}`))).To(Succeed())
		Expect(client.WriteNote(ctx, note, asJSON(`{"n":12345678901234567890}`))).To(Succeed())
		Expect(client.ReadNote(ctx, note)).To(Equal(asJSON(`{"n":12345678901234567890}`)))
		Expect(credhub.Names()).To(ConsistOf(name))
		Expect(credhub.MayRead(secrets.AppActor("app"), name)).To(BeFalse())
		Expect(client.DeleteNote(ctx, note)).To(Succeed())
		Expect(client.DeleteNote(ctx, note)).To(Succeed(), "again")
		Expect(credhub.Names()).To(BeEmpty())
	},
		Entry("on a binding", secrets.NoteOnBinding(binding), "/c/svc/instance/binding/note"),
		Entry("of an instance's parameters", secrets.NoteOfParameters("svc", "instance"), "/c/svc/instance/parameters"),
	)

	It("are refused for ids that make no path", func() {
		credhub, client := startConnected()
		note := secrets.NoteOfParameters("svc", "a/b")
		Expect(client.WriteNote(ctx, note, asJSON(`{}`))).NotTo(Succeed())
		Expect(client.DeleteNote(ctx, note)).NotTo(Succeed())
		_, err := client.ReadNote(ctx, note)
		Expect(err).To(HaveOccurred())
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("go with the credentials of all bindings", func() {
		credhub, client := startConnected()
		Expect(client.WriteNote(ctx, secrets.NoteOnBinding(binding), asJSON(`{}`))).To(Succeed())
		Expect(client.WriteNote(ctx, secrets.NoteOfParameters("svc", "instance"), asJSON(`{}`))).To(Succeed())
		Expect(client.KeptOfBindings(ctx, "svc", "instance")).To(HaveLen(2))
		Expect(client.DeleteBindings(ctx, "svc", "instance")).To(Succeed())
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("are no credentials: those have a reference", func() {
		_, client := startConnected()
		Expect(client.WriteNote(ctx, secrets.NoteOnBinding(binding), asJSON(`{}`))).To(Succeed())
		_, err := client.BindingReference(ctx, binding)
		Expect(err).To(MatchError(secrets.ErrNotFound))
		stored, err := client.StoreBinding(ctx, secrets.StoreBinding{Binding: binding, Credentials: asJSON(`{"p":"w"}`), Actor: secrets.AppActor("app")})
		Expect(err).NotTo(HaveOccurred())
		Expect(client.BindingReference(ctx, binding)).To(Equal(stored))
	})
})
