package devdirector

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type taskBody struct {
	ID          int     `json:"id"`
	State       string  `json:"state"`
	Description string  `json:"description"`
	Timestamp   *int64  `json:"timestamp"`
	StartedAt   *int64  `json:"started_at"`
	Result      *string `json:"result"`
	User        string  `json:"user"`
	Deployment  *string `json:"deployment"`
	ContextID   string  `json:"context_id"`
}

func (t *task) body() taskBody {
	b := taskBody{
		ID: t.ID, State: t.State, Description: t.Description, Result: t.Result, User: t.User,
		Deployment: optional(t.Deployment), ContextID: t.ContextID,
	}
	if t.State != StateQueued && t.State != StateProcessing {
		b.Timestamp = pointerTo(t.Changed.Unix())
	}
	if !t.Started.IsZero() {
		b.StartedAt = pointerTo(t.Started.Unix())
	}
	return b
}

// findTask returns the task of the path, or what to answer if there is none or the user may not see it.
func (d *Director) findTask(q *request) (*task, *response) {
	id, err := strconv.Atoi(q.param(0))
	if err != nil {
		return nil, &response{status: http.StatusInternalServerError}
	}
	t, is := d.world.tasks[id]
	if !is {
		refusal := refuse(http.StatusNotFound, 10000, "Task "+q.param(0)+" not found")
		return nil, &refusal
	}
	if !q.user.mayRead(t.Teams) {
		refusal := refuse(http.StatusUnauthorized, 600000, "One of the following scopes is required to access this task: "+d.readScopes())
		return nil, &refusal
	}
	return t, nil
}

func (d *Director) showTask(q *request) response {
	d.enter()
	defer d.leave()
	t, refusal := d.findTask(q)
	if refusal != nil {
		return *refusal
	}
	return okJSON(t.body())
}

// listTasks looks only at the deployment's or the context's tasks, if one is asked for.
func (d *Director) listTasks(q *request) response {
	d.enter()
	defer d.leave()
	w := &d.world
	candidates := w.history
	deployment, contextID := q.query.Get("deployment"), q.query.Get("context_id")
	switch {
	case contextID != "":
		candidates = w.byContext[contextID]
	case deployment != "":
		candidates = w.byDeployment[deployment]
	}
	var states []string
	if given := q.query.Get("state"); given != "" {
		states = strings.Split(given, ",")
	}
	all := q.query.Get("verbose") == "2"
	var found []*task
	for _, t := range candidates {
		fits := (deployment == "" || t.Deployment == deployment) &&
			(states == nil || slices.Contains(states, t.State)) && (all || !t.Kind.hidden()) && q.user.mayRead(t.Teams)
		if fits {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, newestFirst)
	if limit, err := strconv.Atoi(q.query.Get("limit")); err == nil && limit >= 0 && limit < len(found) {
		found = found[:limit]
	}
	list := make([]taskBody, 0, len(found))
	for _, t := range found {
		list = append(list, t.body())
	}
	return okJSON(list)
}

// newestFirst is the order of GET /tasks: by the time of the last change of state.
func newestFirst(a, b *task) int {
	return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(b.ID, a.ID))
}

func (d *Director) taskOutput(q *request) response {
	d.enter()
	defer d.leave()
	t, refusal := d.findTask(q)
	if refusal != nil {
		return *refusal
	}
	output := response{status: http.StatusOK}
	switch kind := q.query.Get("type"); kind {
	case "event":
		output.body = t.Events
	case "result":
		output.body = t.Output
	case "none":
		return noContent()
	case "debug", "cpi", "":
		if refusal := d.permit(q.user, adminAccess, t.Teams); refusal != nil {
			return *refusal
		}
		output.body, output.contentType, output.modified = []byte(t.debug()), plainType, t.Changed
	default:
		return refuse(http.StatusUnauthorized, 600000, "Unknown type "+kind)
	}
	return output.part(q.http.Header.Get("Range"))
}

// debug is the task's debug output: lines like the Director's, and only ever more of them.
func (t *task) debug() string {
	var b strings.Builder
	fmt.Fprintf(&b, "I, [2026-01-01T00:00:00.000001 #1] [0x1]  INFO -- TaskHelper: Director Version: %s\n", boshVersion)
	fmt.Fprintf(&b, "I, [2026-01-01T00:00:00.000002 #1] [0x1]  INFO -- TaskHelper: Enqueuing task: %d\n", t.ID)
	if !t.Started.IsZero() {
		fmt.Fprintf(&b, "I, [%s #2] []  INFO -- DirectorJobRunner: Looking for task with task id %d\n", t.Started.UTC().Format("2006-01-02T15:04:05.000000"), t.ID)
	}
	for line := range strings.Lines(string(t.Events)) {
		fmt.Fprintf(&b, "D, [] [task:%d] DEBUG -- DirectorJobRunner: %s", t.ID, line)
	}
	return b.String()
}

// part cuts the body down to the range asked for. As in the Director, an empty body has no ranges.
func (a response) part(asked string) response {
	spec, is := strings.CutPrefix(asked, "bytes=")
	if !is || len(a.body) == 0 {
		return a
	}
	first, last, valid := byteRange(spec, len(a.body))
	if !valid {
		return a
	}
	if first > last {
		a.status, a.contentRange = http.StatusRequestedRangeNotSatisfiable, fmt.Sprintf("bytes */%d", len(a.body))
		a.body, a.contentType = []byte("Byte range unsatisfiable"), ""
		return a
	}
	a.status = http.StatusPartialContent
	a.contentRange = fmt.Sprintf("bytes %d-%d/%d", first, last, len(a.body))
	a.body = a.body[first : last+1]
	return a
}

// byteRange reads one range, "first-last", "first-" or "-count"; first > last means that nothing lies within.
func byteRange(spec string, size int) (first, last int, valid bool) {
	from, to, is := strings.Cut(spec, "-")
	if !is || (from == "" && to == "") {
		return 0, 0, false
	}
	first, last = 0, size-1
	var err error
	if from == "" {
		count, err := strconv.Atoi(to)
		return max(size-count, 0), last, err == nil && count >= 0
	}
	if first, err = strconv.Atoi(from); err != nil {
		return 0, 0, false
	}
	if to == "" {
		return first, last, true
	}
	end, err := strconv.Atoi(to)
	if err != nil || end < first {
		return 0, 0, false
	}
	return first, min(last, end), true
}

func (d *Director) cancelTask(q *request) response {
	d.enter()
	defer d.leave()
	t, refusal := d.findTask(q)
	if refusal != nil {
		return *refusal
	}
	if refusal := d.permit(q.user, adminAccess, t.Teams); refusal != nil {
		return *refusal
	}
	if t.State != StateQueued && t.State != StateProcessing {
		return text(http.StatusBadRequest, fmt.Sprintf("Cannot cancel task %d: invalid state (%s)", t.ID, t.State))
	}
	d.world.cancel(t)
	return noContent()
}

type cancelRequest struct {
	Deployment string   `json:"deployment"`
	States     []string `json:"states"`
	Types      []Kind   `json:"types"`
}

// cancelTasks cancels all tasks that fit; those that ended don't.
func (d *Director) cancelTasks(q *request) response {
	var asked cancelRequest
	if err := json.Unmarshal(q.body, &asked); err != nil {
		return invalidJSON(q.body)
	}
	cancellable := []string{StateQueued, StateProcessing}
	for _, state := range asked.States {
		if !slices.Contains(cancellable, state) {
			return text(http.StatusBadRequest, state+" is not one of the cancellable states: queued, processing")
		}
	}
	if len(asked.States) > 0 {
		cancellable = asked.States
	}
	d.enter()
	defer d.leave()
	for _, t := range slices.Clone(d.world.history) {
		fits := slices.Contains(cancellable, t.State) && (asked.Deployment == "" || t.Deployment == asked.Deployment) &&
			(len(asked.Types) == 0 || slices.Contains(asked.Types, t.Kind)) && q.user.mayAdmin(t.Teams)
		if fits {
			d.world.cancel(t)
		}
	}
	return noContent()
}

func invalidJSON(body []byte) response {
	return refuse(http.StatusBadRequest, 710001, fmt.Sprintf("Invalid JSON request body: 859: unexpected token at '%s'", body))
}

type lockBody struct {
	Type     string   `json:"type"`
	Resource []string `json:"resource"`
	Timeout  string   `json:"timeout"`
	TaskID   string   `json:"task_id"`
}

func (d *Director) listLocks(*request) response {
	d.enter()
	defer d.leave()
	list := []lockBody{}
	for name, held := range d.world.locks {
		expires := fmt.Sprintf("%.6f", float64(held.expires.UnixMicro())/1e6)
		list = append(list, lockBody{"deployment", []string{name}, expires, itoa(held.holder.ID)})
		if compiling := held.holder.compiling; compiling != nil {
			list = append(list, lockBody{"compile", compiling, expires, itoa(held.holder.ID)})
		}
	}
	slices.SortFunc(list, func(a, b lockBody) int {
		return cmp.Or(cmp.Compare(b.Type, a.Type), slices.Compare(a.Resource, b.Resource))
	})
	return okJSON(list)
}
