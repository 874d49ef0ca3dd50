package devdirector

import (
	"slices"
	"time"
)

// config is one version of a named config. The exported fields are kept in the state folder.
type config struct {
	ID                  int
	Type, Name, Content string
	Team                string
	Created             time.Time
}

type configKey struct{ kind, name string }

// configStore remembers the configs. A config that was deleted is gone with its whole history.
type configStore struct {
	versions map[configKey][]*config // oldest first
	ids      map[int]*config
	lastID   int
	merged   *cloud           // what all current cloud configs say; nil: to be found out
	current  map[string][]int // by type: the ids of the latest versions; absent: to be found out
}

func newConfigStore() configStore {
	return configStore{versions: map[configKey][]*config{}, ids: map[int]*config{}, current: map[string][]int{}}
}

func (s *configStore) byID(id int) *config { return s.ids[id] }

func (s *configStore) latest(key configKey) *config {
	versions := s.versions[key]
	if len(versions) == 0 {
		return nil
	}
	return versions[len(versions)-1]
}

func (s *configStore) add(c *config) {
	key := configKey{c.Type, c.Name}
	s.versions[key] = append(s.versions[key], c)
	s.ids[c.ID] = c
	s.lastID = max(s.lastID, c.ID)
	s.changed(c.Type)
}

func (s *configStore) changed(kind string) {
	delete(s.current, kind)
	if kind == "cloud" {
		s.merged = nil
	}
}

// currentIDs are the ids of the latest version of each config of a type.
func (s *configStore) currentIDs(kind string) []int {
	if known, is := s.current[kind]; is {
		return known
	}
	ids := []int{}
	for key, versions := range s.versions {
		if key.kind == kind {
			ids = append(ids, versions[len(versions)-1].ID)
		}
	}
	slices.Sort(ids)
	s.current[kind] = ids
	return ids
}

// cloud is what all current cloud configs say together. A config that is a hash, but not one of a cloud config, says
// nothing.
func (s *configStore) cloud() *cloud {
	if s.merged == nil {
		s.merged = &cloud{}
		for _, id := range s.currentIDs("cloud") {
			if c, err := parseCloud(s.ids[id].Content); err == nil {
				s.merged.merge(c)
			}
		}
	}
	return s.merged
}
