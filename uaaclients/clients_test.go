package uaaclients_test

import (
	"context"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/uaaclients"
	"github.com/on-demand-broker/odb/uaaclients/uaatest"
)

const placeholder = "https://placeholder.example.com"

var _ = Describe("A client for each instance", func() {
	It("goes through an instance's life", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition)

		By("creating it")
		created, err := manager.Create(ctx, instance)
		Expect(err).NotTo(HaveOccurred())
		secret := created["client_secret"]
		Expect(created).To(Equal(map[string]string{
			"client_id": id, "client_secret": secret, "name": "my-cache",
			"scopes": "cache.space-1.read,cache.space-1.write,openid", "resource_ids": "cache-space-1",
			"authorities": "uaa.resource,audit.space-1", "authorized_grant_types": "client_credentials",
			"redirect_uri": "", "allowpublic": "false",
		}))
		Expect(secret).To(MatchRegexp(`^[0-9A-Za-z]{32}$`))
		Expect(kept(server, id).Secret).To(Equal(secret))

		By("finding it without its secret")
		found, err := manager.Find(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		created["client_secret"] = ""
		Expect(found).To(Equal(created))

		By("updating it when the dashboard is known")
		Expect(manager.Update(ctx, instance, "https://dashboard.example.com/i-1")).To(Succeed())
		found, err = manager.Find(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		created["redirect_uri"] = "https://dashboard.example.com/i-1"
		Expect(found).To(Equal(created))
		Expect(kept(server, id).Secret).To(Equal(secret))

		By("deleting it")
		Expect(manager.Delete(ctx, id)).To(Succeed())
		Expect(server.ClientIDs()).To(BeEmpty())
		found, err = manager.Find(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeNil())
		Expect(manager.Delete(ctx, id)).To(Succeed(), "that it is gone is fine")

		By("doing all that with one token and one request each")
		Expect(server.Requests()).To(Equal([]string{
			"POST /oauth/token", "POST /oauth/clients", "GET /oauth/clients/" + id, "PUT /oauth/clients/" + id, "GET /oauth/clients/" + id,
			"DELETE /oauth/clients/" + id, "GET /oauth/clients/" + id, "DELETE /oauth/clients/" + id,
		}))
	})

	It("gives the client a secret that it can log in with", func(ctx context.Context) {
		server := startUAA()
		created, err := managerOf(server, uaaclients.Definition{AuthorizedGrantTypes: "client_credentials", Authorities: "clients.read"}).Create(ctx, instance)
		Expect(err).NotTo(HaveOccurred())

		itself := managerOf(server, definition, func(o *uaaclients.Options) {
			o.ClientID, o.ClientSecret = created["client_id"], created["client_secret"]
		})
		Expect(itself.Find(ctx, id)).To(HaveKeyWithValue("client_id", id))
	})

	It("makes a client anew that a failed attempt left behind, since nobody knows its secret", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition)
		server.Fail(uaatest.Fault{Request: "POST /oauth/clients", Lost: true})
		_, err := manager.Create(ctx, instance)
		Expect(err).To(HaveOccurred())
		lost := kept(server, id).Secret

		created, err := manager.Create(ctx, instance)
		Expect(err).NotTo(HaveOccurred())
		Expect(created["client_secret"]).NotTo(Equal(lost))
		Expect(kept(server, id).Secret).To(Equal(created["client_secret"]))
	})

	It("serves many instances at once", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				defer GinkgoRecover()
				id := fmt.Sprintf("6d0a1f3e-7c1b-4a57-9a0e-%012d", i)
				created, err := manager.Create(ctx, uaaclients.Instance{ID: id, SpaceGUID: "space-" + id})
				Expect(err).NotTo(HaveOccurred())
				Expect(created).To(HaveKeyWithValue("resource_ids", "cache-space-"+id))
				if i%2 == 0 {
					Expect(manager.Delete(ctx, id)).To(Succeed())
				}
			})
		}
		all.Wait()
		Expect(server.ClientIDs()).To(HaveLen(10))
	})

	It("takes no other client for an instance's, whatever the platform calls its instances", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition)
		login := uaatest.Client{ID: "cf", GrantTypes: []string{"password"}, Scopes: []string{"cloud_controller.read"}}
		server.Put(login)

		Expect(manager.Find(ctx, "cf")).To(BeNil())
		Expect(manager.Delete(ctx, "cf")).To(Succeed())
		_, err := manager.Create(ctx, uaaclients.Instance{ID: "cf", SpaceGUID: "space-1"})
		Expect(err).To(MatchError(ContainSubstring("Client already exists: cf")))
		Expect(kept(server, "cf")).To(Equal(login))
	})

	It("knows its own where the platform's ids are no GUIDs, and the existing broker's where they are", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition)
		_, err := manager.Create(ctx, uaaclients.Instance{ID: "cache-7", SpaceGUID: "space-1"})
		Expect(err).NotTo(HaveOccurred())
		Expect(manager.Find(ctx, "cache-7")).To(HaveKeyWithValue("client_id", "cache-7"))
		server.Put(uaatest.Client{ID: id, GrantTypes: []string{"client_credentials"}})
		Expect(manager.Find(ctx, id)).To(HaveKeyWithValue("client_id", id))

		Expect(manager.Delete(ctx, "cache-7")).To(Succeed())
		Expect(manager.Delete(ctx, id)).To(Succeed())
		Expect(server.ClientIDs()).To(BeEmpty())
	})

	It("tells whether clients are wanted", func() {
		server := startUAA()
		Expect(managerOf(server, definition).Wanted()).To(BeTrue())
		Expect(managerOf(server, uaaclients.Definition{Name: "Caches", AllowPublic: true}).Wanted()).To(BeFalse())
	})

	It("does nothing for ids that would lead to another path", func(ctx context.Context) {
		server := startUAA()
		manager := managerOf(server, definition)
		for _, id := range []string{"", ".", "..", "../token", "a/b"} {
			Expect(manager.Delete(ctx, id)).To(MatchError(ContainSubstring("can't be the id")))
		}
		Expect(server.Requests()).To(BeEmpty())
	})
})

var _ = Describe("What is created", func() {
	create := func(ctx context.Context, definition uaaclients.Definition, instance uaaclients.Instance) map[string]string {
		GinkgoHelper()
		created, err := managerOf(startUAA(), definition).Create(ctx, instance)
		Expect(err).NotTo(HaveOccurred())
		return created
	}

	DescribeTable("the secret",
		func(ctx context.Context, grantTypes string, public bool, secret, redirectURI string) {
			created := create(ctx, uaaclients.Definition{AuthorizedGrantTypes: grantTypes, AllowPublic: public}, instance)
			Expect(created["client_secret"]).To(MatchRegexp(secret))
			Expect(created["allowpublic"]).To(Equal(fmt.Sprint(public)))
			Expect(created["redirect_uri"]).To(Equal(redirectURI))
		},
		Entry("of a confidential client", "client_credentials", false, `^[0-9A-Za-z]{32}$`, ""),
		Entry("of one with a login page", "authorization_code, refresh_token", false, `^[0-9A-Za-z]{32}$`, placeholder),
		Entry("of a public client is none to keep", "authorization_code", true, `^-$`, placeholder),
		Entry("of an implicit client is none", "implicit", false, `^$`, placeholder),
		Entry("of a public implicit client is none, as UAA would refuse it", "implicit", true, `^$`, placeholder),
	)

	DescribeTable("the name",
		func(ctx context.Context, configured, ofInstance, want string) {
			created := create(ctx, uaaclients.Definition{AuthorizedGrantTypes: "client_credentials", Name: configured},
				uaaclients.Instance{ID: id, Name: ofInstance})
			Expect(created["name"]).To(Equal(want))
		},
		Entry("is the configured one", "Caches", "my-cache", "Caches"),
		Entry("or the instance's", "", "my-cache", "my-cache"),
		Entry("or its id, on platforms that don't tell a name", "", "", id),
	)

	It("is refused where a list would belong to no space in particular", func(ctx context.Context) {
		for _, d := range []uaaclients.Definition{
			{AuthorizedGrantTypes: "client_credentials", Scopes: "a.ODB_SPACE_GUID.b"},
			{AuthorizedGrantTypes: "client_credentials", Authorities: "ODB_SPACE_GUID"},
			{AuthorizedGrantTypes: "client_credentials", ResourceIDs: "r-ODB_SPACE_GUID"},
		} {
			server := startUAA()
			_, err := managerOf(server, d).Create(ctx, uaaclients.Instance{ID: id})
			Expect(err).To(MatchError(uaaclients.ErrSpaceUnknown))
			Expect(server.ClientIDs()).To(BeEmpty())
		}
	})
})

var _ = Describe("An update", func() {
	var server *uaatest.Server
	update := func(ctx context.Context, to uaaclients.Definition, instance uaaclients.Instance, redirectURI string) uaatest.Client {
		GinkgoHelper()
		Expect(managerOf(server, to).Update(ctx, instance, redirectURI)).To(Succeed())
		return kept(server, instance.ID)
	}
	BeforeEach(func(ctx context.Context) {
		server = startUAA()
		_, err := managerOf(server, definition).Create(ctx, instance)
		Expect(err).NotTo(HaveOccurred())
	})

	It("brings the client to the new definition, the space in all of it", func(ctx context.Context) {
		client := update(ctx, uaaclients.Definition{
			Scopes: "s.ODB_SPACE_GUID", Authorities: "a.ODB_SPACE_GUID", ResourceIDs: "r.ODB_SPACE_GUID",
			AuthorizedGrantTypes: "client_credentials,password", Name: "Caches", AllowPublic: true,
		}, instance, "https://dashboard.example.com")
		Expect(client.Scopes).To(Equal([]string{"s.space-1"}))
		Expect(client.Authorities).To(Equal([]string{"a.space-1"}))
		Expect(client.ResourceIDs).To(Equal([]string{"r.space-1"}))
		Expect(client.GrantTypes).To(ContainElements("client_credentials", "password"))
		Expect(client.Name).To(Equal("Caches"))
		Expect(client.AllowPublic).To(BeTrue())
		Expect(client.RedirectURI).To(Equal([]string{"https://dashboard.example.com"}))
	})

	It("takes away what is no longer in the definition", func(ctx context.Context) {
		client := update(ctx, uaaclients.Definition{AuthorizedGrantTypes: "client_credentials"}, instance, "")
		Expect(client.Scopes).To(Equal([]string{"uaa.none"}))
		Expect(client.Authorities).To(Equal([]string{"uaa.none"}))
		Expect(client.ResourceIDs).To(Equal([]string{"none"}))
	})

	It("keeps the name if none is configured, and the secret always", func(ctx context.Context) {
		before := kept(server, id)
		client := update(ctx, definition, uaaclients.Instance{ID: id, Name: "renamed", SpaceGUID: "space-1"}, "")
		Expect(client.Name).To(Equal("my-cache"))
		Expect(client.Secret).To(Equal(before.Secret))
	})

	It("leaves alone what depends on a space that nobody named", func(ctx context.Context) {
		before := kept(server, id)
		changed := definition
		changed.Authorities = "uaa.resource"
		client := update(ctx, changed, uaaclients.Instance{ID: id}, "")
		Expect(client.Scopes).To(Equal(before.Scopes))
		Expect(client.ResourceIDs).To(Equal(before.ResourceIDs))
		Expect(client.Authorities).To(Equal([]string{"uaa.resource"}))
	})

	It("leaves a public client public", func(ctx context.Context) {
		changed := definition
		changed.AllowPublic = true
		Expect(update(ctx, changed, instance, "").AllowPublic).To(BeTrue())
		Expect(update(ctx, definition, instance, "").AllowPublic).To(BeTrue())
	})

	It("keeps the redirect URI without a new one, and gives the placeholder where one is demanded and there is none", func(ctx context.Context) {
		login := definition
		login.AuthorizedGrantTypes = "authorization_code"
		Expect(update(ctx, login, instance, "").RedirectURI).To(Equal([]string{placeholder}))
		Expect(update(ctx, login, instance, "https://dashboard.example.com").RedirectURI).To(Equal([]string{"https://dashboard.example.com"}))
		Expect(update(ctx, login, instance, "").RedirectURI).To(Equal([]string{"https://dashboard.example.com"}))
	})

	It("of a client that is missing fails", func(ctx context.Context) {
		err := managerOf(server, definition).Update(ctx, uaaclients.Instance{ID: "i-2", SpaceGUID: "s"}, "")
		Expect(rejection(err).Status).To(Equal(404))
	})
})
