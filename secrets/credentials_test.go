package secrets_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http/httptest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

func pemOf(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

var _ = Describe("a credential", func() {
	DescribeTable("keeps any JSON", func(kind, value string) {
		credhub, client := startConnected()
		Expect(client.Set(ctx, "/a/b", asJSON(value))).To(Succeed())
		storedKind, storedValue := credhub.Value("/a/b")
		Expect(storedKind).To(Equal(kind))
		Expect(storedValue).To(MatchJSON(value))
		latest, err := client.Latest(ctx, "/a/b")
		Expect(err).NotTo(HaveOccurred())
		Expect(string(latest.Value)).To(MatchJSON(value))
		Expect(latest.Type).To(Equal(kind))
	},
		Entry("a string", "value", `"a \"b\" <c> ü"`),
		Entry("a string amid blanks", "value", " \"x\"\n"),
		Entry("an object", "json", `{"a":"b"}`),
		Entry("nested", "json", `{"a":{"b":[1,{"c":null}]},"d":true}`),
		Entry("a list", "json", `["a",1]`),
		Entry("a number", "json", `42`),
		Entry("a boolean", "json", `false`),
	)

	It("keeps every digit of a number", func() {
		_, client := startConnected()
		Expect(client.Set(ctx, "/a", asJSON(`{"n":12345678901234567890}`))).To(Succeed())
		Expect(client.Latest(ctx, "/a")).To(HaveField("Value", asJSON(`{"n":12345678901234567890}`)))
	})

	It("is refused clearly where CredHub takes objects only", func() {
		credhub := start(credhubtest.Options{ObjectsOnly: true})
		err := connect(optionsFor(credhub)).Set(ctx, "/a", asJSON(`[1]`))
		Expect(err).To(MatchError(And(ContainSubstring("set credential /a"), ContainSubstring("status 400"))))
	})

	It("doesn't change its type", func() {
		_, client := startConnected()
		Expect(client.Set(ctx, "/a", asJSON(`"x"`))).To(Succeed())
		Expect(client.Set(ctx, "/a", asJSON(`{"x":1}`))).To(MatchError(ContainSubstring("type cannot be modified")))
	})

	It("holds something", func() {
		credhub, client := startConnected()
		for _, nothing := range []string{"", " ", "null", " null", "{", `"`} {
			Expect(client.Set(ctx, "/a", asJSON(nothing))).To(MatchError(secrets.ErrNoValue))
		}
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("is read by version, too", func() {
		credhub, client := startConnected()
		old := credhub.Put("/a", "value", `"old"`)
		credhub.Put("/a", "value", `"new"`)
		Expect(client.ByID(ctx, old)).To(HaveField("Value", asJSON(`"old"`)))
		Expect(client.Latest(ctx, "/a")).To(HaveField("Value", asJSON(`"new"`)))
		_, err := client.ByID(ctx, "c0ffee")
		Expect(err).To(MatchError(secrets.ErrNotFound))
		for _, id := range []string{"", ".", "..", "a/b", "a?b"} {
			_, err = client.ByID(ctx, id)
			Expect(err).To(MatchError(ContainSubstring("can't be the id")))
		}
	})

	It("has an absolute name without gaps", func() {
		credhub, client := startConnected()
		for _, name := range []string{"", "/", "a", "/a/", "/a//b"} {
			_, err := client.Latest(ctx, name)
			Expect(err).To(MatchError(ContainSubstring("can't be the name")))
			Expect(client.Set(ctx, name, asJSON(`"x"`))).To(MatchError(ContainSubstring("can't be the name")))
			Expect(client.Delete(ctx, name)).To(MatchError(ContainSubstring("can't be the name")))
			Expect(client.AllowRead(ctx, name, "actor")).To(MatchError(ContainSubstring("can't be the name")))
			_, err = client.Below(ctx, name)
			Expect(err).To(MatchError(ContainSubstring("can't be the name")))
		}
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("doesn't show its value, however it is printed", func() {
		credential := secrets.Credential{ID: "7", Name: "/a", Type: "value", Value: asJSON(`"hidden"`)}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "credential", credential)
		for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q %x %d", credential, credential, credential, credential, credential, credential, credential), fmt.Sprint([]any{credential, &credential}), log.String()} {
			Expect(text).To(And(ContainSubstring("/a"), Not(ContainSubstring("hidden")), Not(ContainSubstring("104 105"))))
		}
	})
})

var _ = Describe("a path", func() {
	It("has below it what its segments say, and nothing that merely looks alike", func() {
		credhub, client := startConnected()
		for _, name := range []string{
			"/odb/s/service-instance_1/a", "/odb/s/service-instance_1/a/b", "/odb/s/service-instance_1",
			"/odb/s/service-instance_12/a", "/odb/s/service-instanceX1/a", "/odb/s/x/service-instance_1/a", "/odb/s/Service-instance_1/z",
		} {
			credhub.Put(name, "value", `"x"`)
		}
		Expect(client.Below(ctx, "/odb/s/service-instance_1")).To(ConsistOf("/odb/s/service-instance_1/a", "/odb/s/service-instance_1/a/b"))
		Expect(client.DeleteBelow(ctx, "/odb/s/service-instance_1")).To(Succeed())
		Expect(credhub.Names()).To(ConsistOf("/odb/s/service-instance_1", "/odb/s/service-instance_12/a", "/odb/s/service-instanceX1/a",
			"/odb/s/x/service-instance_1/a", "/odb/s/Service-instance_1/z"))
		Expect(client.DeleteBelow(ctx, "/odb/s/service-instance_1")).To(Succeed())
	})

	It("has its own decision on what is below it, whatever CredHub lists", func() {
		credhub, client := startConnected()
		credhub.Fail(credhubtest.Fault{Method: "GET", Path: "/api/v1/data", Status: 200, Body: `{"credentials":[
			{"name":"/odb/s/d1","version_created_at":"2026-01-01T00:00:00Z"}, {"name":"/odb/s/d12/a","version_created_at":"2026-01-01T00:00:00Z"},
			{"name":"/x/odb/s/d1/a","version_created_at":"2026-01-01T00:00:00Z"}, {"name":"/odb/s/d1/a","version_created_at":"2026-01-01T00:00:00Z"},
			{"name":"/odb/s/d1/b","version_created_at":"2026-01-02T00:00:00Z"}]}`})
		Expect(client.Below(ctx, "/odb/s/d1")).To(HaveExactElements("/odb/s/d1/b", "/odb/s/d1/a"))
	})

	It("isn't emptied if it is too short", func() {
		credhub, client := startConnected()
		credhub.Put("/odb/s/a", "value", `"x"`)
		for _, path := range []string{"", "/", "/odb"} {
			Expect(client.DeleteBelow(ctx, path)).To(MatchError(ContainSubstring("too short")))
		}
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("is emptied as far as possible", func() {
		credhub, client := startConnected()
		for i := range 30 {
			credhub.Put(fmt.Sprintf("/odb/s/d/%d", i), "value", `"x"`)
		}
		credhub.Fail(credhubtest.Fault{Method: "DELETE", Status: 400, Body: `{"error":"no"}`, Times: 1})
		Expect(client.DeleteBelow(ctx, "/odb/s/d")).To(MatchError(ContainSubstring("status 400")))
		Expect(credhub.Names()).To(HaveLen(1))
		Expect(client.DeleteBelow(ctx, "/odb/s/d")).To(Succeed())
		Expect(credhub.Names()).To(BeEmpty())
	})
})

var _ = Describe("CredHub 1", func() {
	It("is spoken to in its own words, also after it was upgraded under us", func() {
		credhub := start(credhubtest.Options{Version: "1.9.5"})
		client := connect(optionsFor(credhub))
		Expect(client.Set(ctx, "/a", asJSON(`"one"`))).To(Succeed())
		Expect(client.Set(ctx, "/a", asJSON(`"two"`))).To(Succeed())
		Expect(client.Latest(ctx, "/a")).To(HaveField("Value", json.RawMessage(`"two"`)))
		Expect(client.AllowRead(ctx, "/a", secrets.AppActor("guid"))).To(Succeed())
		Expect(credhub.MayRead("mtls-app:guid", "/a")).To(BeTrue())

		credhub.Upgrade("2.12.74")
		Expect(client.Set(ctx, "/a", asJSON(`"three"`))).To(MatchError(ContainSubstring("'mode'")))
		Expect(client.Set(ctx, "/a", asJSON(`"three"`))).To(Succeed())
	})
})
