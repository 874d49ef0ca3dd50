package cftest

import (
	"time"

	"github.com/google/uuid"
)

// world is everything a Cloud Controller remembers. It is guarded by CloudController.mu.
type world struct {
	organizations table[*organization]
	spaces        table[*space]
	apps          map[string]*app
	brokers       table[*broker]
	offerings     table[*offering]
	plans         table[*plan]
	instances     table[*instance]
	bindings      table[*binding]
	jobs          map[string]*job

	simulation simulation
}

func newWorld(duration time.Duration) world {
	return world{
		organizations: newTable[*organization](), spaces: newTable[*space](), apps: map[string]*app{},
		brokers: newTable[*broker](), offerings: newTable[*offering](), plans: newTable[*plan](),
		instances: newTable[*instance](), bindings: newTable[*binding](), jobs: map[string]*job{},
		simulation: simulation{duration: duration},
	}
}

// newRecord makes what every resource has, with a GUID of its own if none is given.
func (c *CloudController) newRecord(guid, name string) record {
	if guid == "" {
		guid = uuid.NewString()
	}
	now := c.options.Now()
	return record{guid: guid, name: name, created: now, updated: now}
}

// recordView is how every resource begins.
type recordView struct {
	GUID    string `json:"guid"`
	Created string `json:"created_at"`
	Updated string `json:"updated_at"`
}

func (r *record) head() recordView {
	return recordView{GUID: r.guid, Created: stamp(r.created), Updated: stamp(r.updated)}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// metadata is what labels and annotations look like when there are none.
type metadata struct {
	Labels      struct{} `json:"labels"`
	Annotations struct{} `json:"annotations"`
}

type reference struct {
	GUID string `json:"guid"`
}

// relation is a relationship to one resource, or to none.
type relation struct {
	Data *reference `json:"data"`
}

func relatedTo(guid string) relation { return relation{Data: &reference{GUID: guid}} }
