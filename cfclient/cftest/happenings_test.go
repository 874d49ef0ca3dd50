package cftest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// GUIDs in the recordings.
const (
	spaceOne  = "7123f00f-b70c-423e-8842-38250898609c"
	spaceTwo  = "cdb99161-7431-4cf6-b962-6bc93e1a1dbe"
	planSmall = "93842ec6-92a6-49dd-8312-3e6b94a15ff2"
	planLarge = "7af6e288-4d1d-48cb-993a-72f533ed2696"
	brokerOne = "ff932bab-0d45-4c52-91b3-dd485a4edaae"
	instance4 = "c0d5e0b3-4c24-4066-b98a-a4b324b23317"
)

// happenings are what happened before an exchange without being recorded: workers that took jobs up, what the broker
// did, and changes by others.
var happenings = map[string]func(*testing.T, *replayed){
	"102-broker-job-done":        settle,
	"105-broker-unreachable-job": settle,
	"107-broker-badauth-job":     settle,
	"108-broker-badcatalog":      broker(func(b *scriptedBroker) { b.empty = true }),
	"109-broker-badcatalog-job":  both(settle, broker(func(b *scriptedBroker) { b.empty = false })),
	"115-broker-patch":           settle,
	"116-broker-patch-job":       settle,

	"205-job-polling":              getStuck,
	"206-instance-job-done":        settle,
	"204-instance-creating-delete": createAnother,
	"209-delete-during-create-job": settle,
	"210-instances-count":          createFleet,

	"230-plan-new-mi":         renewCatalog,
	"235-upgrade-job":         settle,
	"238-upgrade-refused":     refusing(http.StatusUnprocessableEntity, "cannot upgrade now"),
	"239-upgrade-refused-job": settle,
	"241-upgrade-fails":       broker(func(b *scriptedBroker) { b.failure = "task 12 failed" }),
	"242-upgrade-fails-job":   settle,
	"245-update-params":       settle,
	"246-update-plan":         settle,
	"247-update-name":         settle,

	"261-key-job":              settle,
	"263-bindings-by-instance": settle,
	"267-instance-delete-bound": func(t *testing.T, r *replayed) {
		r.accepted(t, "POST", "/v3/service_credential_bindings",
			`{"type":"key","name":"k","relationships":{"service_instance":{"data":{"guid":"`+instance4+`"}}}}`)
		settle(t, r)
	},
	"268-key-delete":     settle,
	"269-key-delete-job": settle,
	"271-route-bindings": settle,
	"284-unshare":        settle,

	"293-instance-delete-again":     getStuck,
	"294-instance-delete-done":      settle,
	"296-delete-broker-500":         refusing(http.StatusInternalServerError, "director away"),
	"297-delete-broker-500-job":     settle,
	"310-create-failed-job":         createFailing,
	"312-create-500-job":            createRefused,
	"320-broker-delete":             purgeAll,
	"321-broker-delete-job":         settle,
	"510-osb-orphan-mitigation-500": awaitMitigation,
}

type happening = func(*testing.T, *replayed)

func broker(change func(*scriptedBroker)) happening {
	return func(_ *testing.T, r *replayed) { r.broker.set(change) }
}

func refusing(status int, description string) happening {
	return broker(func(b *scriptedBroker) { b.status, b.refusal = status, description })
}

func both(first, second happening) happening {
	return func(t *testing.T, r *replayed) {
		t.Helper()
		first(t, r)
		second(t, r)
	}
}

// settle lets all jobs come to their end.
func settle(t *testing.T, r *replayed) {
	t.Helper()
	broker(func(b *scriptedBroker) { b.stuck = false })(t, r)
	r.workUntil(t, "COMPLETE", "FAILED")
	r.jobs = nil
}

// getStuck lets the jobs go on until the broker works on what they are about, and works on.
func getStuck(t *testing.T, r *replayed) {
	t.Helper()
	broker(func(b *scriptedBroker) { b.stuck = true })(t, r)
	r.workUntil(t, "POLLING", "COMPLETE", "FAILED")
}

// workUntil lets workers work until each job has one of the states.
func (r *replayed) workUntil(t *testing.T, states ...string) {
	t.Helper()
	r.cc.ReleaseJobs()
	defer r.cc.HoldJobs()
	for _, place := range r.jobs {
		for state := ""; !strings.Contains(strings.Join(states, " "), state) || state == ""; {
			time.Sleep(time.Millisecond)
			var job struct{ State string }
			r.admin(t, "GET", strings.TrimPrefix(place, r.cc.URL()), "", &job)
			state = job.State
		}
	}
}

// admin sends what was not recorded, in the words of the recordings, and reads the answer.
func (r *replayed) admin(t *testing.T, method, path, body string, into any) answer {
	t.Helper()
	header := http.Header{"Authorization": {"bearer {admin-client token}"}, "Content-Type": {"application/json"}}
	got, err := r.send(t, &exchange{method: method, path: path, body: body, header: header})
	if err != nil {
		t.Fatal(err)
	}
	if got.status >= http.StatusBadRequest {
		t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(got.body), into); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// accepted sends what makes a job; it returns the job's GUID and place of what it is about.
func (r *replayed) accepted(t *testing.T, method, path, body string) (job, about string) {
	t.Helper()
	place := strings.TrimPrefix(r.admin(t, method, path, body, nil).header.Get("Location"), r.cc.URL())
	var shown struct {
		Links map[string]struct{ Href string }
	}
	r.admin(t, "GET", place, "", &shown)
	return place[strings.LastIndexByte(place, '/')+1:], shown.Links["service_instances"].Href
}

// create makes an instance as somebody did; its GUID and its job's were the recorded ones.
func (r *replayed) create(t *testing.T, name, space, plan, recorded, recordedJob string) {
	t.Helper()
	job, place := r.accepted(t, "POST", "/v3/service_instances", fmt.Sprintf(
		`{"type":"managed","name":%q,"relationships":{"space":{"data":{"guid":%q}},"service_plan":{"data":{"guid":%q}}}}`, name, space, plan))
	r.names.guids[recorded] = place[strings.LastIndexByte(place, '/')+1:]
	if recordedJob != "" {
		r.names.guids[recordedJob] = job
	}
}

func createAnother(t *testing.T, r *replayed) {
	t.Helper()
	r.create(t, "cap-other", spaceOne, planSmall, "51ef1758-6e6b-42f9-abc9-f8b5f128072d", "")
	getStuck(t, r)
}

func createFleet(t *testing.T, r *replayed) {
	t.Helper()
	r.admin(t, "PATCH", "/v3/service_plans/"+planLarge+"/visibility", `{"type":"public"}`, nil)
	for _, i := range []struct{ name, space, plan, recorded string }{
		{"cap-i2", spaceOne, planLarge, "b34d9c24-69ff-4909-a020-a244676f62f5"},
		{"cap-i3", spaceOne, planSmall, "c4638328-1402-44a7-86b1-e6191e205870"},
		{"cap-i4", spaceOne, planLarge, instance4},
		{"cap-i5", spaceTwo, planSmall, "014b5d06-fbe3-47fb-9a93-c2c96a3a848a"},
		{"cap-i6", spaceTwo, planLarge, "c68e8c51-2e0e-4d08-94e9-44160f192165"},
	} {
		r.create(t, i.name, i.space, i.plan, i.recorded, "")
		settle(t, r)
	}
}

func renewCatalog(t *testing.T, r *replayed) {
	t.Helper()
	broker(func(b *scriptedBroker) { b.version = "2.0.0" })(t, r)
	r.accepted(t, "PATCH", "/v3/service_brokers/"+brokerOne, `{"name":"cap-broker"}`)
	settle(t, r)
}

func createFailing(t *testing.T, r *replayed) {
	t.Helper()
	broker(func(b *scriptedBroker) { b.failure = "task 7 failed" })(t, r)
	r.create(t, "cap-fail", spaceOne, planSmall, "73b6178f-446f-4502-9124-abb0f486d5f9", "77cfb18b-777d-490a-9b30-079cda6f3a06")
	settle(t, r)
}

func createRefused(t *testing.T, r *replayed) {
	t.Helper()
	refusing(http.StatusInternalServerError, "boom")(t, r)
	r.create(t, "cap-boom", spaceOne, planSmall, "15bf501c-010f-46bd-b5bc-e978904fba00", "d98e9e58-82f6-4298-a105-034cb4ea0a79")
	settle(t, r)
}

func purgeAll(t *testing.T, r *replayed) {
	t.Helper()
	for _, i := range r.cc.Instances() {
		r.admin(t, "DELETE", "/v3/service_instances/"+i.GUID+"?purge=true", "", nil)
	}
}

func awaitMitigation(t *testing.T, r *replayed) {
	t.Helper()
	path := r.names.translate("/v2/service_instances/15bf501c-010f-46bd-b5bc-e978904fba00")
	for end := time.Now().Add(5 * time.Second); len(r.broker.find(http.MethodDelete, path)) == 0; {
		if time.Now().After(end) {
			t.Fatal("the broker was not sent the DELETE that cleans up")
		}
		time.Sleep(time.Millisecond)
	}
}
