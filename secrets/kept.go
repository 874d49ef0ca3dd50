package secrets

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// KeptOfInstance lists what DeleteInstance would delete, without the values.
func (c *Client) KeptOfInstance(ctx context.Context, instance Instance, director string) ([]Kept, error) {
	paths, err := instance.paths(director)
	if err != nil {
		return nil, err
	}
	found, errs := make([][]Kept, len(paths)), make([]error, len(paths))
	sideBySide(len(paths), func(i int) { found[i], errs[i] = c.keptBelow(ctx, paths[i]) })
	return slices.Concat(found...), errors.Join(errs...)
}

// DeploymentsWithSecrets lists the deployments that have ODB-managed secrets of an offering.
func (c *Client) DeploymentsWithSecrets(ctx context.Context, serviceID string) ([]string, error) {
	return c.segmentsBelow(ctx, "odb", serviceID)
}

// KeptOfBindings lists the credentials of an instance's bindings, without the values.
func (c *Client) KeptOfBindings(ctx context.Context, serviceID, instanceID string) ([]Kept, error) {
	path, err := joinPath("c", serviceID, instanceID)
	if err != nil {
		return nil, err
	}
	return c.keptBelow(ctx, path)
}

// InstancesWithBindings lists the instances of an offering whose bindings have credentials.
func (c *Client) InstancesWithBindings(ctx context.Context, serviceID string) ([]string, error) {
	return c.segmentsBelow(ctx, "c", serviceID)
}

// DeleteBindings deletes the credentials of all bindings of an instance. That there are none is fine.
func (c *Client) DeleteBindings(ctx context.Context, serviceID, instanceID string) error {
	path, err := joinPath("c", serviceID, instanceID)
	if err != nil {
		return err
	}
	return c.DeleteBelow(ctx, path)
}

// segmentsBelow lists the segments that follow a path, each once.
func (c *Client) segmentsBelow(ctx context.Context, segments ...string) ([]string, error) {
	path, err := joinPath(segments...)
	if err != nil {
		return nil, err
	}
	kept, err := c.keptBelow(ctx, path)
	if err != nil {
		return nil, err
	}
	next := make([]string, len(kept))
	for i, each := range kept {
		next[i], _, _ = strings.Cut(strings.TrimPrefix(each.Name, path+"/"), "/")
	}
	slices.Sort(next)
	return slices.Compact(next), nil
}
