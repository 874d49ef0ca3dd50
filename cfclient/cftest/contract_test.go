package cftest_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/cfclient/cftest"
)

// leftOut are the exchanges that are not replayed.
var leftOut = map[string]string{
	"024-auth-badaud": "the UAA here issues tokens for Cloud Controller only",
}

// shapeOnly are the exchanges of which only the shape of the body is compared, not the values.
var shapeOnly = map[string]string{
	"001-root":              "addresses and fingerprints of parts of Cloud Foundry that aren't here",
	"003-v3-info":           "names and addresses that an operator sets",
	"004-v2-info":           "the same",
	"028-auth-info-garbage": "the same",
}

// replayed is the Cloud Controller with what has been learnt of it so far.
type replayed struct {
	cc     *cftest.CloudController
	broker *scriptedBroker
	client *http.Client
	names  *names
	tokens map[string]string // by what stands for them in the recordings
	jobs   []string          // places of those accepted so far that may not have ended
}

// TestRecordedExchanges replays the recordings. What happened between them is in happenings.
func TestRecordedExchanges(t *testing.T) {
	exchanges := readExchanges(t)
	checkTables(t, exchanges)
	putBefore(exchanges, "204-instance-creating-delete", "209-delete-during-create-job") // it is about another instance
	r := startReplayed(t, exchanges)
	for _, e := range exchanges {
		t.Run(e.name, func(t *testing.T) {
			if leftOut[e.name] != "" {
				t.Skip(leftOut[e.name])
			}
			if happens := happenings[e.name]; happens != nil {
				happens(t, r)
			}
			c := &comparison{names: r.names, values: shapeOnly[e.name] == ""}
			if e.toBroker() {
				r.compareSent(t, c, e)
			} else {
				r.compareAnswer(t, c, e)
			}
			for _, fault := range c.faults {
				t.Error(fault)
			}
		})
	}
}

func putBefore(list []*exchange, name, other string) {
	index := func(name string) int {
		return slices.IndexFunc(list, func(e *exchange) bool { return e.name == name })
	}
	moved := list[index(name)]
	list = slices.Delete(list, index(name), index(name)+1)
	_ = slices.Insert(list, index(other), moved) // in place: there is room for it
}

// checkTables makes sure that what the tables name was recorded, and has a reason.
func checkTables(t *testing.T, exchanges []*exchange) {
	t.Helper()
	recorded := func(name string) bool {
		return slices.ContainsFunc(exchanges, func(e *exchange) bool { return e.name == name })
	}
	for _, table := range []map[string]string{leftOut, shapeOnly} {
		for name, reason := range table {
			if !recorded(name) || reason == "" {
				t.Errorf("%s: no such recording, or no reason", name)
			}
		}
	}
	for name := range happenings {
		if !recorded(name) {
			t.Errorf("%s: no such recording", name)
		}
	}
}

// Who had tokens when the recordings were made.
var (
	recordedClients = map[string]cftest.Client{
		"cap-client": {Secret: "s", Scopes: []string{"cloud_controller.admin"}},
	}
	recordedUsers = map[string]cftest.User{
		"openid":   {Password: "p", Scopes: []string{"openid"}},
		"ordinary": {Password: "p", Scopes: []string{"cloud_controller.read", "cloud_controller.write"}},
		"reader":   {Password: "p", Scopes: []string{"cloud_controller.read"}},
		"observer": {Password: "p", Scopes: []string{"cloud_controller.admin_read_only"}},
		"auditor":  {Password: "p", Scopes: []string{"cloud_controller.global_auditor"}},
	}
)

func startReplayed(t *testing.T, exchanges []*exchange) *replayed {
	t.Helper()
	r := &replayed{names: &names{guids: map[string]string{}}, client: &http.Client{Timeout: 10 * time.Second}}
	for _, e := range exchanges {
		if e.name == "511-osb-catalog" {
			r.broker = startScriptedBroker(t, e.content)
		}
	}
	now := time.Now()
	cc, err := cftest.Start(cftest.Options{
		PlainHTTP: true, PollInterval: time.Millisecond, Clients: recordedClients, Users: recordedUsers,
		Now: func() time.Time { return now }, TokenLifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cc.Close)
	r.cc = cc
	r.names.addresses = strings.NewReplacer(recordedAPI, cc.URL(), recordedUAA, cc.UAAURL(), recordedBroker, r.broker.server.URL)
	r.found()
	r.logIn(t, func() { now = now.Add(2 * time.Hour) })
	cc.HoldJobs()
	return r
}

// found makes what was there before the recordings began.
func (r *replayed) found() {
	for recorded, name := range map[string]string{
		"e6a51911-3e3d-44db-8850-bbd7cf2bca8c": "cap-org1", "33527d1b-8010-4649-a2f5-70626dad53ab": "cap-org2",
	} {
		r.names.guids[recorded] = r.cc.AddOrganization(name)
	}
	one := r.cc.AddSpace(r.names.guids["e6a51911-3e3d-44db-8850-bbd7cf2bca8c"], "cap-space1")
	two := r.cc.AddSpace(r.names.guids["33527d1b-8010-4649-a2f5-70626dad53ab"], "cap-space2")
	r.names.guids[spaceOne], r.names.guids[spaceTwo] = one, two
	r.names.guids["1e6619e4-c178-428e-a06c-89d98957a8fb"] = r.cc.AddApp(one, "cap-app")
}

// logIn gets tokens that stand for the recorded ones: first one that expires, and one whose key is changed.
func (r *replayed) logIn(t *testing.T, expire func()) {
	t.Helper()
	admin := func() string { return r.adminToken(t) }
	r.tokens = map[string]string{"{expired token}": admin()}
	expire()
	r.tokens["{token with a wrong signature}"] = admin()
	r.cc.ExpireTokens()
	r.tokens["{admin-client token}"] = admin()
	r.tokens["{client token with cloud_controller.admin only}"] = r.token(t, "cap-client", "s", "")
	for recorded, user := range map[string]string{
		"{token with openid only}":                                 "openid",
		"{token of an ordinary user: cloud_controller.read+write}": "ordinary",
		"{token with cloud_controller.read only}":                  "reader",
		"{token with cloud_controller.admin_read_only}":            "observer",
		"{token with cloud_controller.global_auditor}":             "auditor",
	} {
		r.tokens[recorded] = r.token(t, cftest.CLIClient, "", user)
	}
}

func (r *replayed) adminToken(t testing.TB) string {
	t.Helper()
	return r.token(t, cftest.AdminClient, cftest.AdminClientSecret, "")
}

// token is one of a client, or of a user if there is a name.
func (r *replayed) token(t testing.TB, id, secret, user string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	if user != "" {
		form.Set("grant_type", "password")
		form.Set("username", user)
		form.Set("password", "p")
	}
	response, err := r.client.PostForm(r.cc.UAAURL()+"/oauth/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("token for %s %s: %d %v", id, user, response.StatusCode, err)
	}
	_, token, _ := strings.Cut(string(text), `"access_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	return token
}

// send sends a recorded request, as it would be now.
func (r *replayed) send(t *testing.T, e *exchange) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), e.method, r.cc.URL()+r.names.translate(e.path),
		strings.NewReader(r.names.translate(e.body)))
	if err != nil {
		return answer{}, err
	}
	for name, values := range e.header {
		if name != "Host" && name != "Content-Length" {
			request.Header[name] = values
		}
	}
	if kind, recorded, _ := strings.Cut(e.header.Get("Authorization"), " "); strings.HasPrefix(recorded, "{") {
		token, known := r.tokens[recorded]
		if !known {
			t.Fatalf("there is no token for %s", recorded)
		}
		request.Header.Set("Authorization", kind+" "+token)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if place := response.Header.Get("Location"); place != "" {
		r.jobs = append(r.jobs, place)
	}
	return answer{response.StatusCode, response.Header, string(text)}, err
}

func (r *replayed) compareAnswer(t *testing.T, c *comparison, e *exchange) {
	t.Helper()
	got, err := r.send(t, e)
	if err != nil {
		t.Fatal(err)
	}
	if got.status != e.status {
		c.fault("status %d, recorded %d", got.status, e.status)
	}
	c.headers(e.answer, got.header, "Content-Type", "Location", "X-Cascade")
	c.present(e.answer, got.header, "X-Vcap-Request-Id", "X-User-Guid")
	c.body(e.content, got.body)
}

// nth tells which of the requests with the same method and path was recorded.
var nth = map[string]int{"503-osb-update-params": 1, "504-osb-update-plan": 2}

// compareSent finds what was sent to the broker instead of the recorded request.
func (r *replayed) compareSent(t *testing.T, c *comparison, e *exchange) {
	t.Helper()
	path, query, _ := strings.Cut(r.names.translate(e.path), "?")
	sent := r.broker.find(e.method, path)
	if len(sent) <= nth[e.name] {
		t.Fatalf("the broker was sent %s %s %d times only", e.method, path, len(sent))
	}
	got := sent[nth[e.name]]
	if got.query != query {
		c.fault("query %s, recorded %s", got.query, query)
	}
	c.headers(e.header, got.header, "X-Broker-Api-Version", "X-Broker-Api-Originating-Identity", "Authorization", "Accept", "Content-Type")
	c.present(e.header, got.header, "X-Vcap-Request-Id", "X-Broker-Api-Request-Identity")
	if place := strings.TrimPrefix(r.cc.URL(), "http://") + "/v2/info"; got.header.Get("X-Api-Info-Location") != place {
		c.fault("X-Api-Info-Location: %q, recorded %q", got.header.Get("X-Api-Info-Location"), e.header.Get("X-Api-Info-Location"))
	}
	c.body(e.body, got.body)
}
