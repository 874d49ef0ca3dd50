package secrets

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Instance names a service instance by what its secrets' paths are made of.
type Instance struct {
	ServiceID  string // of the offering
	Deployment string
}

func (i Instance) path() (string, error) { return joinPath("odb", i.ServiceID, i.Deployment) }

// Managed are ODB-managed secrets: what an adapter returned beside a manifest.
type Managed struct {
	Instance Instance
	// Referenced are the names in the manifest's ((odb_secret:NAME)). A secret that nothing refers to is not kept.
	Referenced []string
	Secrets    map[string]json.RawMessage // by name; any JSON but null
}

// wanted lists the names that are referenced and have a value, after checking all of them.
func (m Managed) wanted() (base string, names []string, err error) {
	base, err = m.Instance.path()
	if err != nil {
		return "", nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(m.Secrets)) {
		if !slices.Contains(m.Referenced, name) {
			continue
		}
		if err := checkName(base + "/" + name); err != nil {
			return "", nil, err
		}
		if _, err := typeOf(m.Secrets[name]); err != nil {
			return "", nil, fmt.Errorf("secret %s: %w", name, err)
		}
		names = append(names, name)
	}
	return base, names, nil
}

// Stored tells the paths, by name, of the secrets that CredHub holds already with just these values. It writes nothing: it
// shows what a manifest would look like without deploying it.
func (c *Client) Stored(ctx context.Context, managed Managed) (paths map[string]string, err error) {
	return c.placeAll(ctx, managed, func(_ context.Context, found place, _ json.RawMessage) (string, error) { return found.path, nil })
}

// Store makes sure that CredHub holds the secrets and tells their paths by name, to be written into the manifest. A value
// that is there already is not written again, and a path once written is never given another value (see the package
// comment). Nothing is undone after a failure: no deployed manifest refers to what was written.
func (c *Client) Store(ctx context.Context, managed Managed) (paths map[string]string, err error) {
	return c.placeAll(ctx, managed, func(ctx context.Context, found place, value json.RawMessage) (string, error) {
		if found.path != "" {
			return found.path, nil
		}
		return found.free, c.Set(ctx, found.free, value)
	})
}

// place is where a secret is, or where it may be written.
type place struct {
	path string // that holds the value; empty: none does
	free string // that holds nothing
}

type settle func(ctx context.Context, found place, value json.RawMessage) (path string, err error)

func (c *Client) placeAll(ctx context.Context, managed Managed, do settle) (map[string]string, error) {
	base, names, err := managed.wanted()
	if err != nil {
		return nil, err
	}
	settled, errs := make([]string, len(names)), make([]error, len(names))
	sideBySide(len(names), func(i int) {
		value := managed.Secrets[names[i]]
		found, err := c.lookFor(ctx, base+"/"+names[i], value)
		if err == nil {
			settled[i], err = do(ctx, found, value)
		}
		errs[i] = err
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	paths := make(map[string]string, len(names))
	for i, path := range settled {
		if path != "" {
			paths[names[i]] = path
		}
	}
	return paths, nil
}

// lookFor finds the value at the secret's own path or, if another value stands there, at the newest path below it that was
// made for a later value.
func (c *Client) lookFor(ctx context.Context, path string, value json.RawMessage) (place, error) {
	switch held, err := c.Latest(ctx, path); {
	case errors.Is(err, ErrNotFound):
		return place{free: path}, nil
	case err != nil:
		return place{}, err
	case sameJSON(held.Value, value):
		return place{path: path}, nil
	}
	below, err := c.Below(ctx, path)
	if err != nil {
		return place{}, err
	}
	later := slices.IndexFunc(below, func(name string) bool { return laterPattern.MatchString(strings.TrimPrefix(name, path)) })
	if later >= 0 {
		held, err := c.Latest(ctx, below[later])
		if err != nil && !errors.Is(err, ErrNotFound) {
			return place{}, err
		}
		if err == nil && sameJSON(held.Value, value) {
			return place{path: below[later]}, nil
		}
	}
	return place{free: path + laterSegment()}, nil
}

// A later value of a secret stands at NAME/v-RANDOM. Random, so that two brokers never write to the same one.
var laterPattern = regexp.MustCompile(`^/v-[0-9a-f]{12}$`)

func laterSegment() string {
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails
	return "/v-" + hex.EncodeToString(random)
}

// sameJSON compares what two texts mean, after CredHub may have written a fraction in its own way.
func sameJSON(a, b json.RawMessage) bool {
	first, errFirst := decodeJSON(a)
	second, errSecond := decodeJSON(b)
	return errFirst == nil && errSecond == nil && reflect.DeepEqual(withFractions(first), withFractions(second))
}

// withFractions turns fractions into floating point, and leaves whole numbers in their digits, however many.
func withFractions(value any) any {
	switch v := value.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			return v
		}
		if fraction, err := v.Float64(); err == nil {
			return fraction
		}
	case []any:
		for i := range v {
			v[i] = withFractions(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = withFractions(v[key])
		}
	}
	return value
}

// paths are those below which CredHub holds what is an instance's: its ODB-managed secrets, and the variables that the
// Director made for its deployment, if the Director's name is given.
func (i Instance) paths(director string) ([]string, error) {
	managed, err := i.path()
	if err != nil || director == "" {
		return []string{managed}, err
	}
	generated, err := joinPath(director, i.Deployment)
	return []string{managed, generated}, err
}

// DeleteInstance deletes what CredHub holds of an instance: its ODB-managed secrets, and the variables that the Director
// made for its deployment, if the Director's name is given (its GET /info tells it; BOSH leaves them behind). Nothing
// outside of these two paths is touched.
func (c *Client) DeleteInstance(ctx context.Context, instance Instance, director string) error {
	paths, err := instance.paths(director)
	if err != nil {
		return err
	}
	errs := make([]error, len(paths))
	sideBySide(len(paths), func(i int) { errs[i] = c.DeleteBelow(ctx, paths[i]) })
	return errors.Join(errs...)
}
