package secrets_test

import (
	"encoding/json"
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/secrets"
	"github.com/on-demand-broker/odb/secrets/credhubtest"
)

var instance = secrets.Instance{ServiceID: "svc", Deployment: "service-instance_1"}

const base = "/odb/svc/service-instance_1/"

// returned is what an adapter returned, all of it referenced.
func returned(values map[string]string) secrets.Managed {
	managed := secrets.Managed{Instance: instance, Secrets: map[string]json.RawMessage{}}
	for name, value := range values {
		managed.Secrets[name] = asJSON(value)
	}
	managed.Referenced = slices.Collect(maps.Keys(values))
	return managed
}

// wrote lists the names that were written.
func wrote(credhub *credhubtest.CredHub) []string {
	names := []string{}
	for _, request := range credhub.Requests() {
		if request.Method == "PUT" {
			names = append(names, request.Name)
		}
	}
	return names
}

var _ = Describe("ODB-managed secrets", func() {
	It("are stored where adapters expect them, if the manifest refers to them", func() {
		credhub, client := startConnected()
		managed := returned(map[string]string{"pw": `"s3cret"`, "user": `{"name":"n","roles":["a"]}`, "group/list": `[1,2]`, "unused": `"x"`})
		managed.Referenced = []string{"pw", "user", "group/list", "without-value"}
		Expect(client.Store(ctx, managed)).To(Equal(map[string]string{"pw": base + "pw", "user": base + "user", "group/list": base + "group/list"}))
		Expect(credhub.Names()).To(ConsistOf(base+"pw", base+"user", base+"group/list"))
		_, value := credhub.Value(base + "user")
		Expect(value).To(MatchJSON(`{"name":"n","roles":["a"]}`))
	})

	It("are not written again with the same value", func() {
		credhub, client := startConnected()
		managed := returned(map[string]string{"pw": `"s3cret"`, "user": `{"a":1.50,"b":[12345678901234567890, null]}`})
		first, err := client.Store(ctx, managed)
		Expect(err).NotTo(HaveOccurred())
		credhub.Put(base+"user", "json", `{"b":[12345678901234567890,null], "a":1.5}`) // CredHub's own way to write it
		credhub.ForgetRequests()
		Expect(client.Store(ctx, managed)).To(Equal(first))
		Expect(arrived(credhub)).To(HaveExactElements("GET /api/v1/data", "GET /api/v1/data"))
	})

	It("tell small differences between large numbers", func() {
		credhub, client := startConnected()
		credhub.Put(base+"n", "json", `{"n":9007199254740993}`)
		Expect(client.Stored(ctx, returned(map[string]string{"n": `{"n":9007199254740992}`}))).To(BeEmpty())
		Expect(client.Stored(ctx, returned(map[string]string{"n": `{"n":9007199254740993}`}))).To(HaveLen(1))
	})

	It("keep what runs readable while a new value is deployed, and after that has failed", func() {
		credhub, client := startConnected()
		store := func(value string) string {
			paths, err := client.Store(ctx, returned(map[string]string{"pw": value}))
			Expect(err).NotTo(HaveOccurred())
			return paths["pw"]
		}
		resolve := func(path string, variables ...secrets.Variable) string {
			reference := "((" + path + "))"
			got := client.Resolve(ctx, secrets.Manifest{Text: reference, Deployment: instance.Deployment, Variables: variables})
			Expect(got.Unresolved).To(BeEmpty())
			return got.Values[reference]
		}
		deployed := store(`"old"`)
		Expect(deployed).To(Equal(base + "pw"))

		submitted := store(`"new"`)
		Expect(submitted).To(MatchRegexp("^" + base + "pw/v-[0-9a-f]{12}$"))
		By("whether or not the Director lists it, and of whichever deploy")
		Expect(resolve(deployed)).To(Equal("old"))
		Expect(resolve(deployed, secrets.Variable{ID: "c0ffee", Name: submitted})).To(Equal("old"))
		Expect(resolve(submitted)).To(Equal("new"))

		By("the same update again writes nothing")
		credhub.ForgetRequests()
		Expect(store(`"new"`)).To(Equal(submitted))
		Expect(wrote(credhub)).To(BeEmpty())
		By("nor does going back")
		Expect(store(`"old"`)).To(Equal(deployed))
		Expect(wrote(credhub)).To(BeEmpty())

		By("a value of another type is no trouble")
		third := store(`{"a":"b"}`)
		Expect(third).NotTo(BeElementOf(deployed, submitted))
		Expect(resolve(deployed)).To(Equal("old"))
		Expect(resolve(submitted)).To(Equal("new"))
		for _, name := range credhub.Names() {
			Expect(credhub.Versions(name)).To(Equal(1), name)
		}
	})

	It("whose names lie below one another don't meet", func() {
		_, client := startConnected()
		first, err := client.Store(ctx, returned(map[string]string{"db": `"1"`, "db/pw": `"2"`}))
		Expect(err).NotTo(HaveOccurred())
		second, err := client.Store(ctx, returned(map[string]string{"db": `"2"`, "db/pw": `"1"`}))
		Expect(err).NotTo(HaveOccurred())
		Expect(second["db"]).To(HavePrefix(base + "db/v-"))
		Expect(second["db/pw"]).To(HavePrefix(base + "db/pw/v-"))
		Expect(first).To(Equal(map[string]string{"db": base + "db", "db/pw": base + "db/pw"}))
	})

	It("can be looked for without writing", func() {
		credhub, client := startConnected()
		Expect(client.Stored(ctx, returned(map[string]string{"pw": `"a"`}))).To(BeEmpty())
		credhub.Put(base+"pw", "value", `"a"`)
		Expect(client.Stored(ctx, returned(map[string]string{"pw": `"a"`, "other": `"a"`}))).To(Equal(map[string]string{"pw": base + "pw"}))
		Expect(client.Stored(ctx, returned(map[string]string{"pw": `"b"`}))).To(BeEmpty())
		Expect(wrote(credhub)).To(BeEmpty())
	})

	It("are checked before the first of them is written", func() {
		credhub, client := startConnected()
		for name, value := range map[string]string{"z": `null`, "y/": `"x"`, "a//b": `"x"`, "": `"x"`} {
			_, err := client.Store(ctx, returned(map[string]string{"a": `"x"`, name: value}))
			Expect(err).To(HaveOccurred(), name)
		}
		for _, bad := range []secrets.Instance{{}, {ServiceID: "svc"}, {Deployment: "d"}, {ServiceID: "a/b", Deployment: "d"}} {
			managed := returned(map[string]string{"a": `"x"`})
			managed.Instance = bad
			_, err := client.Store(ctx, managed)
			Expect(err).To(MatchError(ContainSubstring("can't be a segment")))
			Expect(client.DeleteInstance(ctx, bad, "")).To(MatchError(ContainSubstring("can't be a segment")))
		}
		Expect(credhub.Requests()).To(BeEmpty())
	})

	It("that can't be stored or read are a failure", func() {
		for _, method := range []string{"GET", "PUT"} {
			credhub, client := startConnected()
			credhub.Fail(credhubtest.Fault{Method: method, Path: "/api/v1/data", Status: 500, Body: `{"error":"broken"}`})
			_, err := client.Store(ctx, returned(map[string]string{"pw": `"hidden-value"`}))
			unavailable(500)(err)
			Expect(err.Error()).NotTo(ContainSubstring("hidden-value"))
		}
	})

	It("cost one request each when known, two when new, three or four when changed", func() {
		credhub, client := startConnected()
		Expect(client.Set(ctx, "/first", asJSON(`"asks for token and version"`))).To(Succeed())
		for _, step := range []struct {
			value    string
			requests []string
		}{
			{`"1"`, []string{"GET", "PUT"}},
			{`"1"`, []string{"GET"}},
			{`"2"`, []string{"GET", "GET", "PUT"}},
			{`"2"`, []string{"GET", "GET", "GET"}},
			{`"3"`, []string{"GET", "GET", "GET", "PUT"}},
		} {
			credhub.ForgetRequests()
			_, err := client.Store(ctx, returned(map[string]string{"pw": step.value}))
			Expect(err).NotTo(HaveOccurred())
			methods := []string{}
			for _, request := range credhub.Requests() {
				methods = append(methods, request.Method)
			}
			Expect(methods).To(Equal(step.requests), step.value)
		}
	})
})

var _ = Describe("deleting an instance", func() {
	It("takes its own secrets and its deployment's variables, and nothing else", func() {
		credhub, client := startConnected()
		mine := []string{base + "pw", base + "pw/v-0123456789ab", "/director/service-instance_1/admin-pw"}
		others := []string{
			"/odb/svc/service-instance_12/pw", "/odb/other/service-instance_1/pw", "/odb/svc/service-instanceX1/pw", "/director/service-instance_12/pw",
			"/elsewhere/service-instance_1/pw", "/c/svc/1/binding/credentials", "/odb/svc/service-instance_1",
		}
		for _, name := range slices.Concat(mine, others) {
			credhub.Put(name, "value", `"x"`)
		}
		Expect(client.DeleteInstance(ctx, instance, "")).To(Succeed())
		Expect(credhub.Names()).To(ConsistOf(append(others, mine[2])))
		Expect(client.DeleteInstance(ctx, instance, "director")).To(Succeed())
		Expect(credhub.Names()).To(ConsistOf(others))
		Expect(client.DeleteInstance(ctx, instance, "director")).To(Succeed())
		Expect(client.DeleteInstance(ctx, instance, "/")).To(MatchError(ContainSubstring("can't be a segment")))
	})

	It("that fails can be repeated", func() {
		credhub, client := startConnected()
		credhub.Put(base+"pw", "value", `"x"`)
		credhub.Fail(credhubtest.Fault{Method: "DELETE", Status: 500, Body: `{"error":"broken"}`})
		unavailable(500)(client.DeleteInstance(ctx, instance, "director"))
		credhub.Heal()
		Expect(client.DeleteInstance(ctx, instance, "director")).To(Succeed())
		Expect(credhub.Names()).To(BeEmpty())
	})
})
