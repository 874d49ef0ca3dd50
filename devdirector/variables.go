package devdirector

import (
	"net/http"
	"slices"
	"time"
)

// variable is one that the Director has made in its config server for a deployment.
type variable struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// generateVariables makes the manifest's variables that the deployment doesn't have yet; those that the manifest
// doesn't define any more are gone from the deployment.
func (w *world) generateVariables(dep *deployment, m *manifest, t *task, at time.Time) {
	var now []variable
	for _, defined := range m.Variables {
		full := variableName(w.options.Name, m.Name, defined.Name)
		known := slices.IndexFunc(dep.Variables, func(v variable) bool { return v.Name == full })
		if known >= 0 {
			now = append(now, dep.Variables[known])
			continue
		}
		w.lastVariable++
		made := variable{itoa(w.lastVariable), full}
		now = append(now, made)
		w.recordVariable(t, made, at)
	}
	dep.Variables = now
}

func (d *Director) listVariables(_ *request, dep *deployment) response {
	return ok(notNull(dep.Variables))
}

// listCertificates answers with nothing: the variables here have no values, so no certificate expires.
func (d *Director) listCertificates(*request, *deployment) response {
	return ok([]any{})
}

type variableUse struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// deployedVariable tells which deployments use a variable.
func (d *Director) deployedVariable(q *request) response {
	d.enter()
	defer d.leave()
	uses := []variableUse{}
	for _, dep := range d.world.ordered {
		for _, v := range dep.Variables {
			if v.Name == q.param(0) {
				uses = append(uses, variableUse{dep.Name, v.ID})
			}
		}
	}
	return response{status: http.StatusOK, body: encode(map[string]any{"deployments": uses})}
}
