package secrets_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
)

var _ = Describe("notes on bindings", func() {
	binding := secrets.Binding{ServiceID: "svc", InstanceID: "instance", BindingID: "binding"}

	It("lie beside the credentials, the latest one counts, and nobody else may read them", func() {
		credhub, client := startConnected()
		_, err := client.BindingNote(ctx, binding)
		Expect(err).To(MatchError(secrets.ErrNotFound))
		Expect(client.NoteBinding(ctx, binding, asJSON(`{"n":1}`))).To(Succeed())
		Expect(client.NoteBinding(ctx, binding, asJSON(`{"n":12345678901234567890}`))).To(Succeed())
		Expect(client.BindingNote(ctx, binding)).To(Equal(asJSON(`{"n":12345678901234567890}`)))
		Expect(credhub.Names()).To(ConsistOf("/c/svc/instance/binding/note"))
		Expect(credhub.MayRead(secrets.AppActor("app"), "/c/svc/instance/binding/note")).To(BeFalse())
		Expect(client.DeleteBindingNote(ctx, binding)).To(Succeed())
		Expect(client.DeleteBindingNote(ctx, binding)).To(Succeed(), "again")
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("are refused for ids that make no path", func() {
		credhub, client := startConnected()
		Expect(client.NoteBinding(ctx, secrets.Binding{ServiceID: "svc", InstanceID: "a/b", BindingID: "c"}, asJSON(`{}`))).NotTo(Succeed())
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("are no credentials: those have a reference", func() {
		_, client := startConnected()
		Expect(client.NoteBinding(ctx, binding, asJSON(`{}`))).To(Succeed())
		_, err := client.BindingReference(ctx, binding)
		Expect(err).To(MatchError(secrets.ErrNotFound))
		stored, err := client.StoreBinding(ctx, secrets.StoreBinding{Binding: binding, Credentials: asJSON(`{"p":"w"}`), Actor: secrets.AppActor("app")})
		Expect(err).NotTo(HaveOccurred())
		Expect(client.BindingReference(ctx, binding)).To(Equal(stored))
	})
})
