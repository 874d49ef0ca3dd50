package devdirector

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

type configBody struct {
	Content   string  `json:"content"`
	ID        string  `json:"id"`
	Type      string  `json:"type"`
	Name      string  `json:"name"`
	Team      *string `json:"team"`
	CreatedAt string  `json:"created_at"`
	Current   bool    `json:"current"`
}

const createdAtLayout = "2006-01-02 15:04:05 MST"

func (s *configStore) body(c *config) configBody {
	return configBody{
		Content: c.Content, ID: itoa(c.ID), Type: c.Type, Name: c.Name, Team: optional(c.Team),
		CreatedAt: c.Created.UTC().Format(createdAtLayout), Current: s.latest(configKey{c.Type, c.Name}) == c,
	}
}

func (id *identity) maySeeConfig(c *config) bool {
	return id.read || (c.Team != "" && id.mayRead([]string{c.Team}))
}

// listConfigs lists the latest versions; with latest=false or a limit, older ones too.
func (d *Director) listConfigs(q *request) response {
	latest, limit := q.query.Get("latest"), 1
	if latest != "" && latest != "true" && latest != "false" {
		return refuse(http.StatusBadRequest, codeConfigParameter, "'latest' must be 'true' or 'false'")
	}
	if latest == "false" {
		limit = 1 << 30
	}
	if given := q.query.Get("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 {
			return refuse(http.StatusBadRequest, codeConfigParameter, "'limit' must be a number")
		}
		limit = n
	}
	d.enter()
	defer d.leave()
	s := &d.world.configs
	list := []configBody{}
	for _, key := range s.keys(q.query.Get("type"), q.query.Get("name")) {
		shown := 0
		for _, c := range slices.Backward(s.versions[key]) {
			if shown < limit && q.user.maySeeConfig(c) {
				list = append(list, s.body(c))
				shown++
			}
		}
	}
	return ok(list)
}

// keys are the configs that fit, sorted.
func (s *configStore) keys(kind, name string) []configKey {
	if kind != "" && name != "" {
		return []configKey{{kind, name}}
	}
	var keys []configKey
	for key := range s.versions {
		if (kind == "" || key.kind == kind) && (name == "" || key.name == name) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b configKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	})
	return keys
}

// The Director's codes about configs.
const (
	codeConfigParameter = 440010
	codeConfigContent   = 440011
	codeNoConfig        = 440012
)

type newConfig struct {
	Type             *string `json:"type"`
	Name             *string `json:"name"`
	Content          *string `json:"content"`
	ExpectedLatestID any     `json:"expected_latest_id"`
}

func (n *newConfig) missing() string {
	for _, field := range []struct {
		name  string
		value *string
	}{{"type", n.Type}, {"name", n.Name}, {"content", n.Content}} {
		if field.value == nil || *field.value == "" {
			return field.name
		}
	}
	return ""
}

// checkConfigContent tells what is wrong with a config's text, and what the Director keeps of it: an empty hash is
// written anew, anything else stays as it is.
func checkConfigContent(content string) (kept string, refusal *response) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(content), &document); err != nil {
		r := refuse(http.StatusBadRequest, codeConfigContent, "Config must be valid YAML: "+syntaxError(err))
		return "", &r
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		r := refuse(http.StatusBadRequest, codeConfigContent, "YAML hash expected")
		return "", &r
	}
	if len(document.Content[0].Content) == 0 {
		return "--- {}\n", nil
	}
	return content, nil
}

func (d *Director) createConfig(q *request) response {
	var given newConfig
	if err := json.Unmarshal(q.body, &given); err != nil {
		return invalidJSON(q.body)
	}
	if name := given.missing(); name != "" {
		return refuse(http.StatusBadRequest, codeConfigParameter, "'"+name+"' is required")
	}
	content, refusal := checkConfigContent(*given.Content)
	if refusal != nil {
		return *refusal
	}
	key := configKey{*given.Type, *given.Name}
	if given.ExpectedLatestID != nil {
		if refusal := d.checkExpected(q.http.Context(), key, idText(given.ExpectedLatestID)); refusal != nil {
			return *refusal
		}
	}
	return response{status: http.StatusCreated, body: encode(d.storeConfig(q.user, key, content))}
}

// idText prints an id that may have come as a number.
func idText(id any) string {
	if number, is := id.(float64); is {
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	text, _ := id.(string)
	return text
}

type configConflict struct {
	LatestID         string `json:"latest_id"`
	ExpectedLatestID string `json:"expected_latest_id"`
	Description      string `json:"description"`
}

// checkExpected compares the latest id with the expected one. The insert comes later, in a step of its own: what
// happens in between (ConfigClaimWindow) is not seen, as in the Director.
func (d *Director) checkExpected(ctx context.Context, key configKey, expected string) *response {
	d.enter()
	latest := "0"
	if c := d.world.configs.latest(key); c != nil {
		latest = itoa(c.ID)
	}
	d.leave()
	if latest == expected {
		d.wait(ctx, d.options.ConfigClaimWindow)
		return nil
	}
	return &response{status: http.StatusPreconditionFailed, body: encode(configConflict{
		latest, expected, "Latest Id: '" + latest + "' does not match expected latest id",
	})}
}

// storeConfig makes a new version, unless the latest one says the same.
func (d *Director) storeConfig(user *identity, key configKey, content string) configBody {
	d.enter()
	defer d.leave()
	s := &d.world.configs
	if same := s.latest(key); same != nil && same.Content == content {
		return s.body(same)
	}
	made := &config{ID: s.lastID + 1, Type: key.kind, Name: key.name, Content: content, Created: d.world.now}
	if owners := user.owners(); len(owners) > 0 {
		made.Team = owners[0]
	}
	s.add(made)
	d.world.store.put(configRecord, itoa(made.ID), made)
	return s.body(made)
}

func (d *Director) findConfig(q *request) (*config, *response) {
	id, err := strconv.Atoi(q.param(0))
	if err == nil {
		if found := d.world.configs.byID(id); found != nil && q.user.maySeeConfig(found) {
			return found, nil
		}
	}
	refusal := refuse(http.StatusNotFound, codeNoConfig, "Config "+q.param(0)+" not found")
	return nil, &refusal
}

func (d *Director) showConfig(q *request) response {
	d.enter()
	defer d.leave()
	found, refusal := d.findConfig(q)
	if refusal != nil {
		return *refusal
	}
	return ok(d.world.configs.body(found))
}

func (d *Director) deleteConfigByID(q *request) response {
	d.enter()
	defer d.leave()
	found, refusal := d.findConfig(q)
	if refusal != nil {
		return *refusal
	}
	d.world.dropConfigs(configKey{found.Type, found.Name}, func(c *config) bool { return c == found })
	return noContent()
}

// deleteConfigs deletes a config with its history.
func (d *Director) deleteConfigs(q *request) response {
	for _, name := range []string{"type", "name"} {
		if q.query.Get(name) == "" {
			return refuse(http.StatusBadRequest, codeConfigParameter, "'"+name+"' is required")
		}
	}
	key := configKey{q.query.Get("type"), q.query.Get("name")}
	d.enter()
	defer d.leave()
	found := d.world.configs.latest(key)
	if found == nil || !q.user.maySeeConfig(found) {
		missing := endpointNotFound(strings.TrimSuffix(q.path, "/"))
		missing.cascade = false
		return missing
	}
	d.world.dropConfigs(key, func(*config) bool { return true })
	return noContent()
}

func (w *world) dropConfigs(key configKey, drop func(*config) bool) {
	s := &w.configs
	s.versions[key] = slices.DeleteFunc(s.versions[key], func(c *config) bool {
		if !drop(c) {
			return false
		}
		delete(s.ids, c.ID)
		w.store.drop(configRecord, itoa(c.ID))
		return true
	})
	if len(s.versions[key]) == 0 {
		delete(s.versions, key)
	}
	s.changed(key.kind)
	w.keepCounters()
}

type oldConfigBody struct {
	Properties string `json:"properties"`
	CreatedAt  string `json:"created_at"`
}

// listOldConfigs serves /cloud_configs and /runtime_configs, the API from before there were named configs.
func listOldConfigs(kind string) func(*Director, *request) response {
	return func(d *Director, q *request) response {
		d.enter()
		defer d.leave()
		list := []oldConfigBody{}
		if c := d.world.configs.latest(configKey{kind, oldConfigName(q)}); c != nil {
			list = append(list, oldConfigBody{c.Content, c.Created.UTC().Format(createdAtLayout)})
		}
		return ok(list)
	}
}

func oldConfigName(q *request) string { return cmp.Or(q.query.Get("name"), "default") }

// updateOldConfig is bosh update-cloud-config and update-runtime-config.
func updateOldConfig(kind string) func(*Director, *request) response {
	return func(d *Director, q *request) response {
		content, refusal := checkConfigContent(string(q.body))
		if refusal != nil {
			return *refusal
		}
		d.storeConfig(q.user, configKey{kind, oldConfigName(q)}, content)
		return response{status: http.StatusCreated}
	}
}

type deploymentConfig struct {
	ID         int       `json:"id"`
	Deployment string    `json:"deployment"`
	Config     configRef `json:"config"`
}

type configRef struct {
	ID   int    `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
}

func (d *Director) listDeploymentConfigs(q *request) response {
	d.enter()
	defer d.leave()
	list := []deploymentConfig{}
	for _, name := range q.query["deployment[]"] {
		dep, is := d.world.deployments[name]
		if !is || !q.user.mayRead(dep.Teams) {
			continue
		}
		for _, id := range slices.Concat(dep.CloudConfigs, dep.RuntimeConfigs) {
			if c := d.world.configs.byID(id); c != nil {
				list = append(list, deploymentConfig{len(list) + 1, name, configRef{id, c.Type, c.Name}})
			}
		}
	}
	return ok(list)
}
