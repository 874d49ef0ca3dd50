package secrets_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

var _ = Describe("binding credentials", func() {
	binding := secrets.Binding{ServiceID: "svc", InstanceID: "instance", BindingID: "binding"}
	const name = "/c/svc/instance/binding/credentials"
	store := func(client *secrets.Client, credentials string) (string, error) {
		reference, err := client.StoreBinding(ctx, secrets.StoreBinding{Binding: binding, Credentials: asJSON(credentials), Actor: secrets.AppActor("app")})
		return string(reference), err
	}

	DescribeTable("are kept, whatever their shape, and the actor alone may read them", func(credentials, actor string) {
		credhub, client := startConnected()
		reference, err := client.StoreBinding(ctx, secrets.StoreBinding{Binding: binding, Credentials: asJSON(credentials), Actor: actor})
		Expect(err).NotTo(HaveOccurred())
		Expect(string(reference)).To(Equal(`{"credhub-ref":"` + name + `"}`))
		_, value := credhub.Value(name)
		Expect(value).To(MatchJSON(credentials))
		Expect(credhub.MayRead(actor, name)).To(BeTrue())
		Expect(credhub.MayRead(actor, "/c/svc/instance/binding2/credentials")).To(BeFalse())
		Expect(credhub.MayRead("mtls-app:other", name)).To(BeFalse())
	},
		Entry("flat, an app", `{"user":"u","password":"p"}`, secrets.AppActor("guid")),
		Entry("nested, a client", `{"hosts":["a","b"],"port":5432,"tls":{"on":true,"ca":null}}`, secrets.UAAClientActor("client")),
		Entry("a string", `"redis://u:p@host"`, secrets.AppActor("guid")),
	)

	It("are read by the client that may, over the API", func() {
		credhub := start(credhubtest.Options{Clients: map[string]credhubtest.Client{
			"odb": {Secret: clientSecret, Scopes: []string{"credhub.read", "credhub.write"}, Paths: []string{"/c/*"}},
			"app": {Secret: "app-s3cret", Scopes: []string{"credhub.read"}},
		}})
		options := optionsFor(credhub)
		client := connect(options)
		options.ClientID, options.ClientSecret = "app", "app-s3cret"
		app := connect(options)
		_, err := client.StoreBinding(ctx, secrets.StoreBinding{Binding: binding, Credentials: asJSON(`{"p":"w"}`), Actor: secrets.UAAClientActor("app")})
		Expect(err).NotTo(HaveOccurred())
		Expect(app.Latest(ctx, name)).To(HaveField("Value", asJSON(`{"p":"w"}`)))
		Expect(app.Delete(ctx, name)).To(MatchError(secrets.ErrUnauthorized))
	})

	It("that hold nothing are not kept", func() {
		credhub, client := startConnected()
		for _, nothing := range []string{"", "null", "{ }", `""`} {
			Expect(store(client, nothing)).To(Equal(nothing))
		}
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("that are no JSON are refused", func() {
		credhub, client := startConnected()
		_, err := store(client, "{")
		Expect(err).To(MatchError(secrets.ErrNoValue))
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("are taken back if the permission is refused", func() {
		credhub, client := startConnected()
		credhub.Fail(credhubtest.Fault{Path: "/api/v2/permissions", Status: 403, Body: `{"error":"no"}`})
		_, err := store(client, `{"p":"hidden-value"}`)
		Expect(err).To(MatchError(secrets.ErrUnauthorized))
		Expect(err).To(MatchError(And(ContainSubstring("let mtls-app:app read "+name), Not(ContainSubstring("hidden-value")))))
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("are not stored if nobody may read them", func() {
		credhub, client := startConnected()
		_, err := client.StoreBinding(ctx, secrets.StoreBinding{Binding: binding, Credentials: asJSON(`{"p":"w"}`)})
		Expect(err).To(MatchError(ContainSubstring("nobody is named")))
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("are taken back if it is not known whether they were stored", func() {
		credhub, client := startConnected()
		credhub.Fail(credhubtest.Fault{Method: "PUT", Status: 500, Body: `{"error":"broken"}`, After: true})
		_, err := store(client, `{"p":"w"}`)
		unavailable(500)(err)
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("are taken back although the caller's time is over", func() {
		credhub, client := startConnected()
		credhub.Fail(credhubtest.Fault{Path: "/api/v2/permissions", Hang: true})
		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		_, err := client.StoreBinding(short, secrets.StoreBinding{Binding: binding, Credentials: asJSON(`{"p":"w"}`), Actor: "a"})
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(arrived(credhub)).To(ContainElement("POST /api/v2/permissions"))
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("that can't be taken back are named", func() {
		credhub, client := startConnected()
		credhub.Fail(credhubtest.Fault{Path: "/api/v2/permissions", Status: 403, Body: `{"error":"no"}`})
		credhub.Fail(credhubtest.Fault{Method: "DELETE", Status: 500, Body: `{"error":"broken"}`})
		_, err := store(client, `{"p":"w"}`)
		Expect(err).To(MatchError(secrets.ErrUnauthorized))
		Expect(err).To(MatchError(ContainSubstring("credential " + name + " may be left behind")))
	})

	It("may be stored again for the same actor", func() {
		credhub, client := startConnected()
		for _, value := range []string{`{"p":"1"}`, `{"p":"2"}`} {
			_, err := store(client, value)
			Expect(err).NotTo(HaveOccurred())
		}
		_, value := credhub.Value(name)
		Expect(value).To(MatchJSON(`{"p":"2"}`))
	})

	It("are not served if a permission that is there is not one to read", func() {
		credhub, client := startConnected()
		credhub.Permit(name, secrets.AppActor("app"), "write")
		_, err := store(client, `{"p":"w"}`)
		Expect(err).To(MatchError(ContainSubstring("already exists")))
		Expect(credhub.Names()).To(BeEmpty())
	})

	It("are deleted, and then deleted no more", func() {
		credhub, client := startConnected()
		_, err := store(client, `{"p":"w"}`)
		Expect(err).NotTo(HaveOccurred())
		Expect(client.DeleteBinding(ctx, binding)).To(Succeed())
		Expect(credhub.Names()).To(BeEmpty())
		Expect(client.DeleteBinding(ctx, binding)).To(Succeed())
		credhub.Fail(credhubtest.Fault{Method: "DELETE", Status: 500, Body: `{"error":"broken"}`})
		unavailable(500)(client.DeleteBinding(ctx, binding))
	})

	It("have ids that make a path of their own", func() {
		credhub, client := startConnected()
		for _, bad := range []secrets.Binding{{}, {ServiceID: "s", InstanceID: "i"}, {ServiceID: "s", InstanceID: "i/j", BindingID: "b"}} {
			_, err := client.StoreBinding(ctx, secrets.StoreBinding{Binding: bad, Credentials: asJSON(`{"p":"w"}`), Actor: "a"})
			Expect(err).To(MatchError(ContainSubstring("can't be a segment")))
			Expect(client.DeleteBinding(ctx, bad)).To(MatchError(ContainSubstring("can't be a segment")))
		}
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("cost two requests, and one to delete", func() {
		credhub, client := startConnected()
		Expect(client.Set(ctx, "/first", asJSON(`"asks for token and version"`))).To(Succeed())
		credhub.ForgetRequests()
		_, err := store(client, `{"p":"w"}`)
		Expect(err).NotTo(HaveOccurred())
		Expect(arrived(credhub)).To(Equal([]string{"PUT /api/v1/data", "POST /api/v2/permissions"}))
		credhub.ForgetRequests()
		Expect(client.DeleteBinding(ctx, binding)).To(Succeed())
		Expect(arrived(credhub)).To(Equal([]string{"DELETE /api/v1/data"}))
	})
})
