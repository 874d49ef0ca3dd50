package cfclient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/cfclient"
)

// element is an instance as it is in a list, with all that comes along.
func element(guid, space string) string {
	return fmt.Sprintf(`{"guid":"%[1]s","created_at":"2026-11-23T10:32:11Z","updated_at":"2026-11-23T10:32:13Z","name":"i-%[1]s","tags":[],`+
		`"last_operation":{"type":"create","state":"succeeded","description":"done","updated_at":"2026-11-23T10:32:18Z","created_at":"2026-11-23T10:32:18Z"},`+
		`"type":"managed","maintenance_info":{"version":"1.0.0","description":"os image v1.0.0"},"upgrade_available":true,"dashboard_url":"http://dash.test/%[1]s",`+
		`"relationships":{"space":{"data":{"guid":"%[2]s"}},"service_plan":{"data":{"guid":"%[3]s"}}},"metadata":{"labels":{},"annotations":{}},`+
		`"links":{"self":{"href":"http://cf.test/v3/service_instances/%[1]s"},"space":{"href":"http://cf.test/v3/spaces/%[2]s"},`+
		`"service_credential_bindings":{"href":"http://cf.test/v3/service_credential_bindings?service_instance_guids=%[1]s"},`+
		`"service_route_bindings":{"href":"http://cf.test/v3/service_route_bindings?service_instance_guids=%[1]s"},`+
		`"service_plan":{"href":"http://cf.test/v3/service_plans/%[3]s"},"parameters":{"href":"http://cf.test/v3/service_instances/%[1]s/parameters"},`+
		`"shared_spaces":{"href":"http://cf.test/v3/service_instances/%[1]s/relationships/shared_spaces"}}}`, guid, space, smallGUID)
}

// aPage is a page with elements, spaces s0 in organization o0 included.
func aPage(total int, next bool, guids ...string) string {
	elements := make([]string, 0, len(guids))
	for _, guid := range guids {
		elements = append(elements, element(guid, "s0"))
	}
	following := "null"
	if next {
		following = `{"href":"http://elsewhere.test/v3/service_instances?page=2"}`
	}
	return fmt.Sprintf(`{"pagination":{"total_results":%d,"total_pages":1,"first":{"href":"x"},"next":%s},"resources":[%s],`+
		`"included":{"spaces":[{"guid":"s0","name":"space 0","relationships":{"organization":{"data":{"guid":"o0"}}}}],"organizations":[{"name":"org 0","guid":"o0"}]}}`,
		total, following, strings.Join(elements, ","))
}

var _ = Describe("Lists of instances", func() {
	var (
		cloud  *standIn
		client *cfclient.Client
		ctx    context.Context
	)

	BeforeEach(func() {
		cloud = newStandIn(httptest.NewServer)
		client = clientOf(cloud)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
		DeferCleanup(cancel)
	})

	list := func(chosen cfclient.InstanceFilter) (guids []string, err error) {
		for instance, err := range client.Instances(ctx, chosen) {
			if err != nil {
				return guids, err
			}
			guids = append(guids, instance.GUID)
		}
		return guids, nil
	}
	small := cfclient.InstanceFilter{PlanGUIDs: []string{smallGUID}}

	It("are counted in one request", func() {
		cloud.playing("210")
		Expect(client.Count(ctx, smallGUID)).To(Equal(3))
		Expect(cloud.requests).To(HaveLen(1))
		Expect(cloud.requests[0].URL.Query()).To(And(
			HaveKeyWithValue("per_page", []string{"1"}), HaveKeyWithValue("service_plan_guids", []string{smallGUID}),
		))
	})

	It("are of nobody without a plan", func() {
		Expect(client.Count(ctx)).To(BeZero())
		Expect(list(cfclient.InstanceFilter{})).To(BeEmpty())
		Expect(cloud.asked()).To(BeEmpty())
	})

	It("are read page by page, as they were recorded", func() {
		cloud.playing("211", "212")
		var names []string
		for instance, err := range client.Instances(ctx, cfclient.InstanceFilter{PlanGUIDs: []string{smallGUID, largeGUID}}) {
			Expect(err).NotTo(HaveOccurred())
			names = append(names, instance.Name)
		}
		Expect(names).To(Equal([]string{"cap-i1", "cap-i2", "cap-i5", "cap-i6"}))
		Expect(cloud.requests).To(HaveLen(2))
		for i, request := range cloud.requests {
			Expect(request.URL.Query()).To(And(
				HaveKeyWithValue("per_page", []string{"5000"}), HaveKeyWithValue("page", []string{strconv.Itoa(i + 1)}),
				HaveKeyWithValue("order_by", []string{"created_at"}), HaveKeyWithValue("service_plan_guids", []string{smallGUID + "," + largeGUID}),
			))
		}
	})

	It("have the names of their places", func() {
		cloud.answering(text(aPage(1, false, "a")))
		for instance, err := range client.Instances(ctx, small) {
			Expect(err).NotTo(HaveOccurred())
			Expect(instance).To(And(HaveField("Org", "org 0"), HaveField("Space", "space 0"), HaveField("UpgradeAvailable", true)))
		}
		Expect(cloud.requests[0].URL.Query()).To(And(
			HaveKeyWithValue("fields[space]", []string{"guid,name,relationships.organization"}),
			HaveKeyWithValue("fields[space.organization]", []string{"guid,name"}),
		))
	})

	It("are chosen by the names of organization and space", func() {
		cloud.playing("070", "072")
		cloud.answering(text(aPage(1, false, "a")))
		Expect(list(cfclient.InstanceFilter{PlanGUIDs: []string{smallGUID}, Org: "cap-org1", Space: "cap-space1"})).To(Equal([]string{"a"}))
		Expect(cloud.asked()[:2]).To(Equal([]string{load("070").wire(), load("072").wire()}))
		Expect(cloud.requests[2].URL.Query()).To(And(
			HaveKeyWithValue("organization_guids", []string{org1GUID}), HaveKeyWithValue("space_guids", []string{space1GUID}),
		))
	})

	It("are none where nobody knows the organization", func() {
		cloud.playing("071")
		Expect(list(cfclient.InstanceFilter{PlanGUIDs: []string{smallGUID}, Org: "nope", Space: "cap-space1"})).To(BeEmpty())
		Expect(cloud.asked()).To(HaveLen(1))
	})

	It("are chosen by names with commas, which separate names otherwise", func() {
		cloud.playing("071")
		Expect(list(cfclient.InstanceFilter{PlanGUIDs: []string{smallGUID}, Org: "a,b 100%"})).To(BeEmpty())
		Expect(cloud.requests[0].URL.RawQuery).To(ContainSubstring("names=a%252Cb+100%2525"))
	})

	It("are read again, and given once, when a page is cut off", func() {
		cloud.answering(text(aPage(3, true, "a", "b")), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "9999")
			half := aPage(3, false, "c")
			_, _ = w.Write([]byte(half[:len(half)/2]))
			panic(http.ErrAbortHandler)
		}, text(aPage(3, false, "c")))
		Expect(list(small)).To(Equal([]string{"a", "b", "c"}))
	})

	It("lose none when others are deleted meanwhile", func() {
		cloud.answering(text(aPage(4, true, "a", "b")), text(aPage(3, false, "d"))) // a is gone, c has moved to the first page
		cloud.answering(text(aPage(3, true, "b", "c")), text(aPage(3, false, "d")))
		Expect(list(small)).To(Equal([]string{"a", "b", "d", "c"}))
	})

	It("end with the first error", func() {
		cloud.answering(text(aPage(4, true, "a", "b")))
		cloud.playing("030")
		guids, err := list(small)
		Expect(err).To(MatchError(cfclient.ErrForbidden))
		Expect(guids).To(Equal([]string{"a", "b"}))
	})

	It("end when nobody wants more", func() {
		cloud.answering(text(aPage(4, true, "a", "b")))
		for instance, err := range client.Instances(ctx, small) {
			Expect(err).NotTo(HaveOccurred())
			Expect(instance.GUID).To(Equal("a"))
			break
		}
		Expect(cloud.asked()).To(HaveLen(1))
	})

	DescribeTable("that are none", func(body string) {
		for range 10 {
			cloud.answering(text(body))
		}
		_, err := list(small)
		var away *cfclient.Unavailable
		Expect(err).To(BeAssignableToTypeOf(away))
	},
		Entry("HTML", "<html>welcome</html>"),
		Entry("another JSON", `[]`), Entry("an empty object", `{}`), Entry("a list without its pages", `{"resources":[]}`),
		Entry("cut off at a good place", `{"pagination":{"total_results":1}`),
		Entry("with something behind it", aPage(1, false, "a")+"{}"),
		Entry("nothing", ""),
	)

	It("are never held whole", func() {
		const size, perPage = 3_000, 300 // some 5 MB of JSON, and thrice as much as the library holds it
		served := &atomic.Int64{}
		for range size / perPage {
			cloud.answering(func(w http.ResponseWriter, _ *http.Request) { servePage(w, int(served.Add(perPage)), size, perPage) })
		}
		var before, during runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		seen, most := 0, uint64(0)
		for _, err := range client.Instances(ctx, small) {
			Expect(err).NotTo(HaveOccurred())
			if seen++; seen%perPage == 0 {
				runtime.GC()
				runtime.ReadMemStats(&during)
				most = max(most, during.HeapAlloc)
			}
		}
		Expect(seen).To(Equal(size))
		Expect(int64(most)-int64(before.HeapAlloc)).To(BeNumerically("<", 3<<20), "bytes that live while a list is read")
	})
})

// servePage writes a page of instances, the last of which is the last-th.
func servePage(w http.ResponseWriter, last, size, perPage int) {
	following := "null"
	if last < size {
		following = `{"href":"x"}`
	}
	_, _ = fmt.Fprintf(w, `{"pagination":{"total_results":%d,"next":%s},"resources":[`, size, following)
	for i := last - perPage; i < last; i++ {
		if i > last-perPage {
			_, _ = w.Write([]byte(","))
		}
		_, _ = fmt.Fprint(w, element(fmt.Sprintf("%08d-d4ff-48d6-8480-51fa1c8c9852", i), "s0"))
	}
	_, _ = fmt.Fprint(w, `],"included":{"spaces":[{"guid":"s0","name":"space"}],"organizations":[]}}`)
}
