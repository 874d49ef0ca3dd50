package devdirector

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// event is an entry of the Director's log of who did what. The log is kept in the state folder.
type event struct {
	ID         string `json:"id"`
	ParentID   string `json:"parent_id,omitempty"`
	Timestamp  int64  `json:"timestamp"`
	User       string `json:"user"`
	Action     string `json:"action"`
	ObjectType string `json:"object_type"`
	ObjectName string `json:"object_name,omitempty"`
	Error      string `json:"error,omitempty"`
	Task       string `json:"task,omitempty"`
	Deployment string `json:"deployment,omitempty"`
	Instance   string `json:"instance,omitempty"`
	Context    any    `json:"context"`
}

const (
	eventsPerPage = 200
	eventsKept    = 10000
)

// eventLog keeps the last events.
type eventLog struct {
	list   []*event // by id
	lastID int
}

func (w *world) record(e event, at time.Time) string {
	w.events.lastID++
	e.ID, e.Timestamp = itoa(w.events.lastID), at.Unix()
	if e.Context == nil {
		e.Context = map[string]any{}
	}
	w.events.list = append(w.events.list, &e)
	w.store.put(eventRecord, e.ID, &e)
	if len(w.events.list) >= 2*eventsKept {
		for _, old := range w.events.list[:eventsKept] {
			w.store.drop(eventRecord, old.ID)
		}
		w.events.list = slices.Clone(w.events.list[eventsKept:])
	}
	return e.ID
}

func (t *task) event(action, objectType, objectName string) event {
	return event{
		User: t.User, Action: action, ObjectType: objectType, ObjectName: objectName, Task: itoa(t.ID), Deployment: t.Deployment,
	}
}

func (w *world) recordLock(t *task, action string, at time.Time) {
	w.record(t.event(action, "lock", "lock:deployment:"+t.Deployment), at)
}

// recordChange records that a deployment was created, updated or deleted: the beginning and the end.
func (w *world) recordChange(t *task, action string, context any, at time.Time) {
	e := t.event(action, "deployment", t.Deployment)
	e.ParentID = w.record(e, at)
	e.Context = context
	w.record(e, at)
}

func (w *world) recordFailure(t *task, message string, at time.Time) {
	actions := map[Kind]string{KindDeploy: "create", KindDelete: "delete"}
	action, is := actions[t.Kind]
	if !is {
		return
	}
	if dep := w.deployments[t.Deployment]; t.Kind == KindDeploy && dep != nil && dep.Deployed {
		action = "update"
	}
	e := t.event(action, "deployment", t.Deployment)
	e.ParentID = w.record(e, at)
	e.Error = message
	w.record(e, at)
}

func (w *world) recordVariable(t *task, v variable, at time.Time) {
	e := t.event("create", "variable", v.Name)
	e.Context = map[string]any{"update_strategy": "on-deploy", "latest_version": true, "name": v.Name, "id": v.ID}
	w.record(e, at)
}

func (w *world) recordErrand(t *task, i *instance, exitCode int, at time.Time) {
	e := t.event("run", "errand", t.Work.Errand)
	e.Instance = i.slug()
	e.ParentID = w.record(e, at)
	e.Context = map[string]any{"exit_code": exitCode}
	w.record(e, at)
}

// listEvents lists the newest events that fit, one page of them.
func (d *Director) listEvents(q *request) response {
	fits, bad := eventFilter(q)
	if bad != "" {
		return response{status: http.StatusBadRequest, contentType: jsonType, body: []byte(bad)}
	}
	d.enter()
	defer d.leave()
	list := []*event{}
	for _, e := range slices.Backward(d.world.events.list) {
		if len(list) == eventsPerPage {
			break
		}
		if fits(e) && q.user.mayRead(d.world.teamsOf(e.Deployment)) {
			list = append(list, e)
		}
	}
	return okJSON(list)
}

// teamsOf are the owners of a deployment; of one that is gone, those of its last task.
func (w *world) teamsOf(deployment string) []string {
	if dep, is := w.deployments[deployment]; is {
		return dep.Teams
	}
	if tasks := w.byDeployment[deployment]; len(tasks) > 0 {
		return tasks[len(tasks)-1].Teams
	}
	return nil
}

func eventFilter(q *request) (fits func(*event) bool, bad string) {
	before, after := int64(1<<62), int64(0)
	for name, bound := range map[string]*int64{"before_time": &before, "after_time": &after} {
		given := q.query.Get(name)
		if given == "" {
			continue
		}
		seconds, understood := eventTime(given)
		if !understood {
			return nil, "Invalid " + name[:len(name)-len("_time")] + " parameter: '" + given + "' "
		}
		*bound = seconds
	}
	beforeID := 1 << 62
	if n, err := strconv.Atoi(q.query.Get("before_id")); err == nil {
		beforeID = n
	}
	same := func(name, value string) bool { return q.query.Get(name) == "" || q.query.Get(name) == value }
	return func(e *event) bool {
		id, _ := strconv.Atoi(e.ID) // always a number
		return id < beforeID && e.Timestamp < before && e.Timestamp > after &&
			same("deployment", e.Deployment) && same("task", e.Task) && same("instance", e.Instance) && same("user", e.User) &&
			same("action", e.Action) && same("object_type", e.ObjectType) && same("object_name", e.ObjectName)
	}, ""
}

// eventTime reads seconds or a date.
func eventTime(given string) (seconds int64, understood bool) {
	if seconds, err := strconv.ParseInt(given, 10, 64); err == nil {
		return seconds, true
	}
	for _, layout := range []string{time.RFC3339, time.UnixDate, "2006-01-02 15:04:05 MST", "2006-01-02"} {
		if t, err := time.Parse(layout, given); err == nil {
			return t.Unix(), true
		}
	}
	return 0, false
}

func (d *Director) showEvent(q *request) response {
	d.enter()
	defer d.leave()
	at := slices.IndexFunc(d.world.events.list, func(e *event) bool { return e.ID == q.param(0) })
	if at < 0 {
		return response{status: http.StatusNotFound, contentType: jsonType, body: []byte("Event not found")}
	}
	return okJSON(d.world.events.list[at])
}

func (d *Director) createEvent(q *request) response {
	var given event
	if err := json.Unmarshal(q.body, &given); err != nil {
		return invalidJSON(q.body)
	}
	d.enter()
	defer d.leave()
	given.ID, given.ParentID, given.User = "", "", q.user.name
	d.world.record(given, d.world.now)
	return response{status: http.StatusOK}
}
