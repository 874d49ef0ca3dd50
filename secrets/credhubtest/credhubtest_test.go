package credhubtest_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"code.cloudfoundry.org/credhub-cli/credhub"
	"code.cloudfoundry.org/credhub-cli/credhub/auth"
	"code.cloudfoundry.org/credhub-cli/credhub/credentials/values"

	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

func TestCredhubtest(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "credhubtest")
}

func start(options credhubtest.Options) *credhubtest.CredHub {
	c := credhubtest.Start(options)
	DeferCleanup(c.Close)
	return c
}

// plain is the library as it comes, with its own transport, tokens and version look-up.
func plain(c *credhubtest.CredHub, id, secret string) (*credhub.CredHub, error) {
	return credhub.New(c.URL, credhub.CaCerts(c.CACert, c.UAACACert), credhub.Auth(auth.UaaClientCredentials(id, secret)))
}

var _ = DescribeTable("CredHub's library finds its CredHub", func(version string) {
	c := start(credhubtest.Options{Version: version})
	library, err := plain(c, "odb", "odb-s3cret")
	Expect(err).NotTo(HaveOccurred())
	found, err := library.ServerVersion()
	Expect(err).NotTo(HaveOccurred())
	Expect(found.String()).To(Equal(version))

	By("storing")
	first, err := library.SetValue("/a/pw", values.Value("one"))
	Expect(err).NotTo(HaveOccurred())
	second, err := library.SetValue("/a/pw", values.Value("two"))
	Expect(err).NotTo(HaveOccurred())
	Expect(second.Id).NotTo(Equal(first.Id))
	_, err = library.SetJSON("/a/user", values.JSON{"name": "n", "more": []any{1.0}})
	Expect(err).NotTo(HaveOccurred())
	_, err = library.SetJSON("/a/pw", values.JSON{"name": "n"})
	Expect(err).To(MatchError(ContainSubstring("type cannot be modified")))
	_, err = library.SetValue("/a/none", "")
	Expect(err).To(MatchError(ContainSubstring("non-empty value")))
	_, err = library.SetValue("/a//b", "x")
	Expect(err).To(MatchError(ContainSubstring("contain '//'")))

	By("reading")
	Expect(library.GetLatestValue("/a/pw")).To(HaveField("Value", values.Value("two")))
	Expect(library.GetLatestValue("/A/PW")).To(HaveField("Value", values.Value("two")))
	Expect(library.GetLatestJSON("/a/user")).To(HaveField("Value", values.JSON{"name": "n", "more": []any{1.0}}))
	Expect(library.GetById(first.Id)).To(And(HaveField("Value", "one"), HaveField("Type", "value"), HaveField("Name", "/a/pw")))
	Expect(library.GetAllVersions("/a/pw")).To(HaveExactElements(HaveField("Value", "two"), HaveField("Value", "one")))
	Expect(library.GetNVersions("/a/pw", 1)).To(HaveExactElements(HaveField("Value", "two")))
	_, err = library.GetLatestVersion("/a/nothing")
	Expect(err).To(BeAssignableToTypeOf(&credhub.NotFoundError{}))
	_, err = library.GetById("nothing")
	Expect(err).To(BeAssignableToTypeOf(&credhub.NotFoundError{}))

	By("finding")
	_, err = library.SetValue("/axb/pw", values.Value("x"))
	Expect(err).NotTo(HaveOccurred())
	inA, err := library.FindByPath("/a")
	Expect(err).NotTo(HaveOccurred())
	Expect(inA.Credentials).To(ConsistOf(HaveField("Name", "/a/pw"), HaveField("Name", "/a/user")))
	like, err := library.FindByPath("/a_b")
	Expect(err).NotTo(HaveOccurred())
	Expect(like.Credentials).To(ConsistOf(HaveField("Name", "/axb/pw")))
	partial, err := library.FindByPartialName("USER")
	Expect(err).NotTo(HaveOccurred())
	Expect(partial.Credentials).To(ConsistOf(HaveField("Name", "/a/user")))

	By("permitting")
	_, err = library.AddPermission("/a/pw", "mtls-app:guid", []string{"read"})
	Expect(err).NotTo(HaveOccurred())
	Expect(c.MayRead("mtls-app:guid", "/a/pw")).To(BeTrue())
	Expect(c.MayRead("mtls-app:guid", "/a/user")).To(BeFalse())

	By("deleting")
	Expect(library.Delete("/a/pw")).To(Succeed())
	Expect(library.Delete("/a/pw")).To(BeAssignableToTypeOf(&credhub.NotFoundError{}))
	Expect(c.Names()).To(Equal([]string{"/a/user", "/axb/pw"}))
},
	Entry("CredHub 2", "2.12.74"),
	Entry("CredHub 1", "1.9.5"),
)

var _ = Describe("permissions of CredHub 2", func() {
	It("are found again and not given twice", func() {
		c := start(credhubtest.Options{})
		library, err := plain(c, "odb", "odb-s3cret")
		Expect(err).NotTo(HaveOccurred())
		given, err := library.AddPermission("/a", "uaa-client:x", []string{"read"})
		Expect(err).NotTo(HaveOccurred())
		Expect(library.GetPermissionByPathActor("/a", "uaa-client:x")).To(Equal(given))
		_, err = library.AddPermission("/a", "uaa-client:x", []string{"read"})
		Expect(err).To(MatchError(ContainSubstring("already exists")))
		_, err = library.GetPermissionByPathActor("/a", "uaa-client:y")
		Expect(err).To(BeAssignableToTypeOf(&credhub.NotFoundError{}))
	})
})

var _ = Describe("tokens", func() {
	It("expire, and the library gets another", func() {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		c := start(credhubtest.Options{TokenLifetime: time.Minute, Now: func() time.Time { return now }})
		c.Put("/a", "value", `"x"`)
		library, err := plain(c, "odb", "odb-s3cret")
		Expect(err).NotTo(HaveOccurred())
		Expect(library.GetLatestValue("/a")).To(HaveField("Value", values.Value("x")))
		now = now.Add(time.Minute)
		Expect(library.GetLatestValue("/a")).To(HaveField("Value", values.Value("x")))
		Expect(c.Requests()).To(ContainElement(And(HaveField("Path", "/api/v1/data"), HaveField("Status", 401))))
	})

	It("are for known clients, and are worth what the client may do", func() {
		c := start(credhubtest.Options{Clients: map[string]credhubtest.Client{
			"reader": {Secret: "s", Scopes: []string{"credhub.read"}, Paths: []string{"/mine/*"}},
		}})
		c.Put("/mine/a", "value", `"x"`)
		c.Put("/other/a", "value", `"x"`)
		library, err := plain(c, "reader", "wrong")
		Expect(err).NotTo(HaveOccurred())
		_, err = library.GetLatestValue("/mine/a")
		Expect(err).To(MatchError(ContainSubstring("Bad credentials")))

		library, err = plain(c, "reader", "s")
		Expect(err).NotTo(HaveOccurred())
		Expect(library.GetLatestValue("/mine/a")).To(HaveField("Value", values.Value("x")))
		_, err = library.GetLatestValue("/other/a")
		Expect(err).To(BeAssignableToTypeOf(&credhub.NotFoundError{}))
		_, err = library.SetValue("/mine/a", "y")
		Expect(err).To(MatchError(ContainSubstring("insufficient_scope")))
	})
})

var _ = Describe("faults", func() {
	It("replace as many answers as they say, before or after the request is carried out", func() {
		c := start(credhubtest.Options{})
		library, err := plain(c, "odb", "odb-s3cret")
		Expect(err).NotTo(HaveOccurred())
		c.Fail(credhubtest.Fault{Method: "PUT", Status: 500, Body: `{"error":"broken"}`, Times: 1})
		_, err = library.SetValue("/a", "x")
		Expect(err).To(MatchError("broken"))
		Expect(c.Names()).To(BeEmpty())
		c.Fail(credhubtest.Fault{Method: "PUT", Status: 500, Body: `{"error":"broken"}`, After: true})
		_, err = library.SetValue("/a", "x")
		Expect(err).To(MatchError("broken"))
		Expect(c.Names()).To(Equal([]string{"/a"}))
		c.Heal()
		_, err = library.SetValue("/a", "y")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Versions("/a")).To(Equal(2))
	})
})
