package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// listing is a command that lists many instances.
type listing struct {
	name    string
	command ran
}

// measureListings has instances listed that Cloud Foundry knows; there are no deployments, as no more is asked of them.
func (w *workshop) measureListings(ctx context.Context) (measured []listing, err error) {
	f, err := w.openFleet(ctx, w.listed)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	f.announce()
	for _, l := range []struct {
		name string
		args []string
	}{
		{"instances list", []string{"list"}},
		{"instances upgrade --dry-run", []string{"upgrade", "--dry-run", "--max-in-flight", strconv.Itoa(inFlight)}},
	} {
		command, err := runCommand(ctx, w.odb, append([]string{"instances", "--config", f.file}, l.args...)...)
		if err != nil {
			return nil, err
		}
		if command.lines != w.listed+1 {
			return nil, fmt.Errorf("odb %s printed %d lines for %d instances", l.name, command.lines, w.listed)
		}
		measured = append(measured, listing{l.name, command})
	}
	return measured, nil
}
