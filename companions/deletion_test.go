package companions_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/fleet"
)

// foundation is a Cloud Foundry with one instance, i, of an offering that allows neither shares nor routes.
type foundation struct {
	last     cfclient.LastOperation // of the instance, in the list
	looks    []cfclient.Instance    // what each look at it finds, the last one for ever; none: it is gone
	bindings [][]cfclient.Binding   // what each list has, the last one for ever
	unbind   error
	route    error
	spaces   []cfclient.Space
	remove   error // DeleteInstance's
	job      cfclient.Job
	jobErr   error
	asked    []string
}

func (f *foundation) Broker(context.Context, string) (cfclient.Broker, error) {
	return cfclient.Broker{GUID: "b"}, nil
}

func (f *foundation) Offerings(context.Context, string) ([]cfclient.Offering, error) {
	return []cfclient.Offering{{GUID: "o", Name: "redis", BrokerGUID: "b"}}, nil
}

func (f *foundation) OfferingPlans(context.Context, ...string) ([]cfclient.Plan, error) {
	return []cfclient.Plan{{GUID: "p", Name: "small", CatalogID: "small-id"}}, nil
}

func (f *foundation) Instances(context.Context, cfclient.InstanceFilter) iter.Seq2[cfclient.Instance, error] {
	return func(yield func(cfclient.Instance, error) bool) {
		yield(cfclient.Instance{GUID: "i", PlanGUID: "p", LastOperation: f.last}, nil)
	}
}

func (f *foundation) BoundInstances(context.Context, ...string) (map[string]struct{}, error) {
	if len(f.bindings) == 0 {
		return nil, nil
	}
	return map[string]struct{}{"i": {}}, nil
}

func (f *foundation) Bindings(context.Context, string) ([]cfclient.Binding, error) {
	f.asked = append(f.asked, "bindings?")
	if len(f.bindings) == 0 {
		return nil, nil
	}
	found := f.bindings[0]
	f.bindings = f.bindings[min(1, len(f.bindings)-1):]
	return found, nil
}

func (f *foundation) DeleteBinding(ctx context.Context, guid string) error {
	if _, limited := ctx.Deadline(); !limited {
		return errors.New("an unbinding without a deadline")
	}
	f.asked = append(f.asked, "unbind "+guid)
	return f.unbind
}

func (f *foundation) RouteBindings(context.Context, string) ([]cfclient.RouteBinding, error) {
	f.asked = append(f.asked, "routes?")
	return []cfclient.RouteBinding{{GUID: "rb", RouteGUID: "r"}}, nil
}

func (f *foundation) DeleteRouteBinding(_ context.Context, guid string) error {
	f.asked = append(f.asked, "unbind "+guid)
	return f.route
}

func (f *foundation) SharedSpaces(context.Context, string) ([]cfclient.Space, error) {
	f.asked = append(f.asked, "shares?")
	return f.spaces, nil
}

func (f *foundation) Unshare(_ context.Context, _, space string) error {
	f.asked = append(f.asked, "unshare "+space)
	return nil
}

func (f *foundation) DeleteInstance(context.Context, string) (string, error) {
	f.asked = append(f.asked, "delete")
	return "job", f.remove
}

func (f *foundation) Instance(context.Context, string) (cfclient.Instance, error) {
	if len(f.looks) == 0 {
		return cfclient.Instance{}, cfclient.ErrNotFound
	}
	found := f.looks[0]
	f.looks = f.looks[min(1, len(f.looks)-1):]
	if found.GUID == "" {
		return cfclient.Instance{}, cfclient.ErrNotFound
	}
	return found, nil
}

func (f *foundation) Job(context.Context, string) (cfclient.Job, error) { return f.job, f.jobErr }

// i is the instance as a look finds it; gone is that it isn't there.
func i(kind, state, description string) cfclient.Instance {
	return cfclient.Instance{GUID: "i", LastOperation: cfclient.LastOperation{Type: kind, State: state, Description: description}}
}

var gone = cfclient.Instance{}

func deletionOn(t *testing.T, f *foundation) *companions.Deletion {
	t.Helper()
	doomed, err := companions.FindDoomed(t.Context(), f, "redis-id", "")
	if err == nil {
		err = doomed.List(t.Context())
	}
	if err != nil || len(doomed.Members) != 1 {
		t.Fatalf("%v, %v", doomed, err)
	}
	return companions.NewDeletion(f, doomed)
}

// told is a progress and an error in words.
func told(p fleet.Progress, err error) string {
	text := strings.TrimSpace(p.State.String() + " " + p.Handle + " " + p.Stage + p.Description)
	switch {
	case errors.As(err, new(fleet.Unavailable)):
		return "no answer"
	case err != nil:
		return "error " + err.Error()
	}
	return strings.Join(strings.Fields(text), " ")
}

func failedJob(code int, title, detail string) cfclient.Job {
	return cfclient.Job{GUID: "job", Operation: "service_instance.delete", State: cfclient.JobStateFailed, Errors: []cfclient.Problem{{Code: code, Title: title, Detail: detail}}}
}

func TestBeginToDelete(t *testing.T) {
	t.Parallel()
	busy := &cfclient.Rejected{Status: 409, Code: 60016}
	key := []cfclient.Binding{{GUID: "kb", Name: "k", Type: cfclient.BindingKey}}
	for name, c := range map[string]struct {
		on    foundation
		want  string
		asked string
	}{
		"as it is":              {foundation{}, "accepted job", "delete"},
		"it has a key":          {foundation{bindings: [][]cfclient.Binding{key}}, "accepted job", "bindings?, unbind kb, delete"},
		"it is gone":            {foundation{remove: cfclient.ErrNotFound}, "succeeded", "delete"},
		"it is busy":            {foundation{remove: busy}, "busy", "delete"},
		"nobody answers":        {foundation{remove: &cfclient.Unavailable{Cause: errors.New("cut")}}, "no answer", "delete"},
		"its key is busy":       {foundation{bindings: [][]cfclient.Binding{key}, unbind: busy}, "busy", "bindings?, unbind kb"},
		"its key can't go":      {foundation{bindings: [][]cfclient.Binding{key}, unbind: errors.New("no")}, "error unbinding service key k: no", "bindings?, unbind kb"},
		"a deletion runs":       {foundation{last: i("delete", "in progress", "").LastOperation, looks: []cfclient.Instance{i("delete", "in progress", "")}}, "accepted by other", ""},
		"a deletion ran":        {foundation{last: i("delete", "in progress", "").LastOperation}, "deleted", ""},
		"a deletion has failed": {foundation{last: i("delete", "failed", "").LastOperation, spaces: []cfclient.Space{{GUID: "s"}}}, "accepted job", "bindings?, routes?, shares?, unbind rb, unshare s, delete"},
		"a deletion that ran has failed": {foundation{last: i("delete", "in progress", "").LastOperation, looks: []cfclient.Instance{i("delete", "failed", "")}},
			"accepted job", "bindings?, routes?, shares?, unbind rb, delete"},
		"an app's binding fails later": {foundation{
			bindings: [][]cfclient.Binding{{{GUID: "ab", Type: cfclient.BindingApp, AppGUID: "a"}}, {{GUID: "ab", LastOperation: cfclient.LastOperation{Description: "the adapter says no"}}}},
			unbind:   &cfclient.JobFailed{Job: failedJob(10001, "UnknownError", "?")},
		}, "error unbinding app a: the adapter says no (Cloud Foundry's job job (service_instance.delete) failed: UnknownError (10001): ?)", "bindings?, unbind ab, bindings?"},
	} {
		work := deletionOn(t, &c.on)
		if got := told(work.Begin(t.Context(), fleet.Member{ID: "i"})); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if got := strings.Join(c.on.asked, ", "); got != c.asked {
			t.Errorf("%s: asked %q, want %q", name, got, c.asked)
		}
	}
}

func TestADeletionWhoseAnswerWasLostIsLookedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		looks []cfclient.Instance
		want  string
		asked int
	}{
		"it runs":       {[]cfclient.Instance{i("delete", "in progress", "")}, "accepted by other", 1},
		"it has ended":  {nil, "succeeded", 1},
		"it never came": {[]cfclient.Instance{i("create", "succeeded", "")}, "accepted job", 2},
	} {
		on := &foundation{remove: &cfclient.Unavailable{Cause: errors.New("cut")}}
		work := deletionOn(t, on)
		if got := told(work.Begin(t.Context(), fleet.Member{ID: "i"})); got != "no answer" {
			t.Errorf("%s: got %q at first", name, got)
		}
		on.remove, on.looks = nil, c.looks
		if got := told(work.Begin(t.Context(), fleet.Member{ID: "i"})); got != c.want || len(on.asked) != c.asked {
			t.Errorf("%s: got %q, asked %v; want %q after %d", name, got, on.asked, c.want, c.asked)
		}
	}
}

func TestADeletionThatNeverCameToTheBrokerIsAskedForAgainForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := i("delete", "failed", "")
		on := &foundation{looks: []cfclient.Instance{failed, failed, failed, failed, failed, failed}, job: failedJob(10001, "CF-ServiceBrokerApiUnreachable", "The service broker could not be reached")}
		work := deletionOn(t, on)
		for range 2 {
			if got := told(work.Poll(t.Context(), fleet.Member{ID: "i"}, "job")); got != "accepted job" {
				t.Fatal(got)
			}
			time.Sleep(9 * time.Minute)
		}
		if got := told(work.Poll(t.Context(), fleet.Member{ID: "i"}, "job")); !strings.HasPrefix(got, "error") {
			t.Error(got)
		}
		if got := strings.Count(strings.Join(on.asked, ", "), "delete"); got != 2 {
			t.Error("asked", got, "times")
		}
	})
}

func TestPollADeletion(t *testing.T) {
	t.Parallel()
	created, deleting, failed := i("create", "succeeded", ""), i("delete", "in progress", "step 2"), i("delete", "failed", "the IaaS is away")
	const jobText = "error Cloud Foundry's job job (service_instance.delete) failed: "
	unknown := failedJob(10001, "UnknownError", "An unknown error occurred.")
	for name, c := range map[string]struct {
		on     foundation
		handle string
		want   string
	}{
		"it is gone":                            {foundation{}, "job", "succeeded"},
		"it is being deleted":                   {foundation{looks: []cfclient.Instance{deleting}}, "job", "accepted step 2"},
		"the job hasn't begun":                  {foundation{looks: []cfclient.Instance{failed}, job: cfclient.Job{State: cfclient.JobStateProcessing}}, "job", "accepted"},
		"the job ended between the looks":       {foundation{looks: []cfclient.Instance{created, gone}, job: failedJob(10010, "CF-ResourceNotFound", "gone")}, "job", "succeeded"},
		"the job began between the looks":       {foundation{looks: []cfclient.Instance{created, deleting}, job: cfclient.Job{State: cfclient.JobStateComplete}}, "job", "accepted step 2"},
		"it failed later: the instance knows":   {foundation{looks: []cfclient.Instance{failed}, job: unknown}, "job", "failed the IaaS is away"},
		"it failed later, and nobody knows why": {foundation{looks: []cfclient.Instance{i("delete", "failed", "")}, job: unknown}, "job", jobText + "UnknownError (10001): An unknown error occurred."},
		"it was refused: the job knows":         {foundation{looks: []cfclient.Instance{failed}, job: failedJob(10009, "CF-UnableToPerform", "must be unshared")}, "job", jobText + "CF-UnableToPerform (10009): must be unshared"},
		"an update was in the way":              {foundation{looks: []cfclient.Instance{i("update", "in progress", "")}, job: failedJob(60016, "CF-AsyncServiceInstanceOperationInProgress", "busy")}, "job", "busy"},
		"the job is forgotten":                  {foundation{looks: []cfclient.Instance{failed}, jobErr: cfclient.ErrNotFound}, "job", "failed the IaaS is away"},
		"it ended well, and nothing happened":   {foundation{looks: []cfclient.Instance{created}, job: cfclient.Job{State: cfclient.JobStateComplete}}, "job", "failed Cloud Foundry has ended the deletion and still has the instance (create succeeded)"},
		"the job can't be asked":                {foundation{looks: []cfclient.Instance{created}, jobErr: &cfclient.Unavailable{Cause: errors.New("cut")}}, "job", "no answer"},
		"somebody else's runs":                  {foundation{looks: []cfclient.Instance{deleting}}, "by other", "accepted step 2"},
		"somebody else's failed":                {foundation{looks: []cfclient.Instance{failed}}, "by other", "accepted job"},
	} {
		if got := told(deletionOn(t, &c.on).Poll(t.Context(), fleet.Member{ID: "i"}, c.handle)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
