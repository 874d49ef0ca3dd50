package devdirector

import (
	"cmp"
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

// linkProvider is a link that a job of a deployment offers.
type linkProvider struct {
	ID             int
	Name, Original string // Original is the job's own name of the link
	Shared         bool
	Group, Job     string
	Networks       []string
}

// linkConsumer is a link that a job of a deployment asks for.
type linkConsumer struct {
	ID         int
	Name, Type string
	Group, Job string
}

// link ties an external consumer to a provider. It is kept in the state folder.
type link struct {
	ID, Provider, Consumer int
	Name, ConsumerName     string
	Deployment             string
	Created                time.Time
}

// linkStore remembers the links that were made over the API.
type linkStore struct {
	links        map[int]*link
	byDeployment map[string][]*link
	providers    map[int]string // id → deployment
	lastProvider int
	lastConsumer int
	lastLink     int
}

func newLinkStore() linkStore {
	return linkStore{links: map[int]*link{}, byDeployment: map[string][]*link{}, providers: map[int]string{}}
}

func (s *linkStore) add(l *link) {
	s.links[l.ID] = l
	s.byDeployment[l.Deployment] = append(s.byDeployment[l.Deployment], l)
	s.lastLink, s.lastConsumer = max(s.lastLink, l.ID), max(s.lastConsumer, l.Consumer)
}

// addDeployment notes whose the deployment's providers are.
func (s *linkStore) addDeployment(dep *deployment) {
	for _, p := range dep.Providers {
		s.providers[p.ID] = dep.Name
		s.lastProvider = max(s.lastProvider, p.ID)
	}
	for _, c := range dep.Consumers {
		s.lastConsumer = max(s.lastConsumer, c.ID)
	}
}

// updateLinks finds the providers and consumers of a manifest; those that were there keep their ids.
func (w *world) updateLinks(dep *deployment, m *manifest) {
	var providers []linkProvider
	var consumers []linkConsumer
	for _, group := range m.Groups {
		for _, job := range group.Jobs {
			providers = append(providers, w.providersOf(dep, group, job)...)
			consumers = append(consumers, w.consumersOf(dep, group, job)...)
		}
	}
	for _, p := range dep.Providers {
		delete(w.links.providers, p.ID)
	}
	dep.Providers, dep.Consumers = providers, consumers
	w.links.addDeployment(dep)
}

func (w *world) providersOf(dep *deployment, group manifestGroup, job manifestJob) []linkProvider {
	var list []linkProvider
	for original, value := range job.Provides {
		if value.Kind != yaml.MappingNode {
			continue // nil: the job is told not to provide it
		}
		p := linkProvider{Name: original, Original: original, Group: group.Name, Job: job.Name}
		if as := child(&value, "as"); as != nil {
			p.Name = as.Value
		}
		if shared := child(&value, "shared"); shared != nil {
			p.Shared = shared.Value == "true"
		}
		for _, n := range group.Networks {
			p.Networks = append(p.Networks, n.Name)
		}
		known := slices.IndexFunc(dep.Providers, func(old linkProvider) bool {
			return old.Group == p.Group && old.Job == p.Job && old.Original == p.Original
		})
		if known >= 0 {
			p.ID = dep.Providers[known].ID
		} else {
			w.links.lastProvider++
			p.ID = w.links.lastProvider
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b linkProvider) int { return cmp.Compare(a.Original, b.Original) })
	return list
}

func (w *world) consumersOf(dep *deployment, group manifestGroup, job manifestJob) []linkConsumer {
	var list []linkConsumer
	for _, release := range w.options.Releases {
		if release.Name != job.Release {
			continue
		}
		for name, kind := range release.Consumes[job.Name] {
			c := linkConsumer{Name: name, Type: kind, Group: group.Name, Job: job.Name}
			known := slices.IndexFunc(dep.Consumers, func(old linkConsumer) bool {
				return old.Group == c.Group && old.Job == c.Job && old.Name == c.Name
			})
			if known >= 0 {
				c.ID = dep.Consumers[known].ID
			} else {
				w.links.lastConsumer++
				c.ID = w.links.lastConsumer
			}
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b linkConsumer) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// removeLinks forgets the links of a deployment that goes.
func (w *world) removeLinks(dep *deployment) {
	for _, p := range dep.Providers {
		delete(w.links.providers, p.ID)
	}
	for _, l := range w.links.byDeployment[dep.Name] {
		delete(w.links.links, l.ID)
		w.store.drop(linkRecord, itoa(l.ID))
	}
	delete(w.links.byDeployment, dep.Name)
	w.keepCounters()
}
