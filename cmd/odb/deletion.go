package main

import (
	"context"
	"fmt"

	"github.com/on-demand-broker/odb/cfclient"
	"github.com/on-demand-broker/odb/companions"
	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/fleet"
)

// deleteAllName is what the log calls the deletion of many instances.
const deleteAllName = "delete-all"

// deletion is the deletion of many instances, whoever asked for it by which name.
type deletion struct {
	// file says whom to talk to, which offering's instances are meant, and how to go through them.
	file      *config.Companion
	selection fleet.Selection
	stopAfter int
	telling   companions.Telling

	platform *cfclient.Client
	doomed   *companions.Doomed
}

// find connects and finds the offering, but not its instances.
func (d *deletion) find(ctx context.Context) (err error) {
	if d.platform, err = newCloudFoundry(d.file.CF, onlooker{}); err != nil {
		return err
	}
	d.doomed, err = companions.FindDoomed(ctx, d.platform, d.file.ServiceCatalog.ID, d.file.BrokerName)
	if err == nil && !d.doomed.Found {
		d.telling.Tell(fmt.Sprintf("No broker offers the service with the id %s: there is nothing to delete", d.file.ServiceCatalog.ID))
	}
	return err
}

// prepare lists the instances, and says who is meant and how to go about it.
func (d *deletion) prepare(ctx context.Context) (work *companions.Deletion, options fleet.Options, err error) {
	if err = d.doomed.List(ctx); err != nil {
		return nil, options, err
	}
	options = fleetOptions(d.file, d.stopAfter)
	options.Members, err = d.selection.Of(d.doomed.Members)
	return companions.NewDeletion(d.platform, d.doomed), options, err
}

// run deletes, and looks whether any remain. The error of the last look is companions.ErrRemain if there are.
func (d *deletion) run(ctx context.Context, work *companions.Deletion, options fleet.Options, renderer fleet.Renderer) (fleet.Summary, error) {
	summary, err := carryOut(ctx, options, work, renderer)
	if err != nil || summary.End() != fleet.EndWell {
		return summary, err
	}
	return summary, d.doomed.CheckNoneRemains(ctx, options.Members)
}
