package instancesapi_test

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/instancesapi"
)

// serve starts a list that answers with status and body, and notes what it was asked.
func serve(t *testing.T, status int, body string) (url, ca string, asked *http.Request) {
	asked = &http.Request{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = *r
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})), asked
}

func TestListsInstances(t *testing.T) {
	g := NewWithT(t)
	url, ca, asked := serve(t, 200, `[{"service_instance_id":"i-1","plan_id":"p","space_guid":"s"},{"service_instance_id":"i-2","plan_id":"q","more":1}]`)
	client, err := instancesapi.New(instancesapi.Options{URL: url + "/list?of=all", CACert: ca, Username: "me", Password: "hush"})
	g.Expect(err).NotTo(HaveOccurred())

	instances, err := client.List(context.Background(), nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(instances).To(Equal([]instancesapi.Instance{{ID: "i-1", PlanID: "p", SpaceGUID: "s"}, {ID: "i-2", PlanID: "q"}}))
	user, password, _ := asked.BasicAuth()
	g.Expect([]string{asked.Method, asked.URL.String(), user, password}).To(Equal([]string{"GET", "/list?of=all", "me", "hush"}))

	_, err = client.List(context.Background(), map[string]string{"cf_org": "a b", "anything": "&"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(asked.URL.RawQuery).To(Equal("anything=%26&cf_org=a+b&of=all"))
}

func TestListsNoInstances(t *testing.T) {
	for _, body := range []string{"[]", "null"} {
		g := NewWithT(t)
		url, ca, asked := serve(t, 200, body)
		client, err := instancesapi.New(instancesapi.Options{URL: url, CACert: ca})
		g.Expect(err).NotTo(HaveOccurred())
		instances, err := client.List(context.Background(), nil)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(instances).To(BeEmpty())
		g.Expect(asked.Header).NotTo(HaveKey("Authorization"))
	}
}

func TestTellsWhatIsWrongWithAnAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		status    int
		body      string
		complaint string
	}{
		"a refusal":         {401, `secret words`, "status is 401"},
		"no JSON":           {200, `<html>`, "not a list of instances"},
		"an object":         {200, `{"resources":[]}`, "not a list of instances"},
		"an entry of no id": {200, `[{"service_instance_id":"i"},{"plan_id":"p"}]`, "entry 1 of the list has no service_instance_id"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			url, ca, _ := serve(t, c.status, c.body)
			client, err := instancesapi.New(instancesapi.Options{URL: url, CACert: ca, Username: "me", Password: "hush"})
			g.Expect(err).NotTo(HaveOccurred())
			_, err = client.List(context.Background(), nil)
			g.Expect(err).To(MatchError(And(ContainSubstring(c.complaint), ContainSubstring(url), Not(ContainSubstring("hush")), Not(ContainSubstring("secret")))))
		})
	}
}

func TestTrustsOnlyWhatItIsToldTo(t *testing.T) {
	g := NewWithT(t)
	url, _, _ := serve(t, 200, `[]`)
	strict, err := instancesapi.New(instancesapi.Options{URL: url})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = strict.List(context.Background(), nil)
	g.Expect(err).To(MatchError(ContainSubstring("certificate")))

	trusting, err := instancesapi.New(instancesapi.Options{URL: url, SkipVerify: true})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = trusting.List(context.Background(), nil)
	g.Expect(err).NotTo(HaveOccurred())
}

func TestGivesUp(t *testing.T) {
	g := NewWithT(t)
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer server.Close()
	defer close(over)
	client, err := instancesapi.New(instancesapi.Options{URL: server.URL, Timeout: 20 * time.Millisecond})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = client.List(context.Background(), nil)
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
}

func TestRefusesOptionsThatCannotWork(t *testing.T) {
	for name, options := range map[string]instancesapi.Options{
		"no URL": {}, "no scheme": {URL: "example.com/list"}, "another scheme": {URL: "ftp://example.com"},
		"credentials in the URL": {URL: "https://me:hush@example.com"}, "no certificate": {URL: "https://example.com", CACert: "hush"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := instancesapi.New(options)
			NewWithT(t).Expect(err).To(MatchError(Not(ContainSubstring("hush"))))
		})
	}
}
