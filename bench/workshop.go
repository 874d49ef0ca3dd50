package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/on-demand-broker/odb/adapterclient/adaptertest"
)

// workshop is what all scenarios share: the programs, and a folder that goes when the run ends.
type workshop struct {
	options
	dir     string
	adapter string              // path of the executable
	double  *adaptertest.Double // the same, unless an adapter of somebody's own was given
}

func newWorkshop(ctx context.Context, o options) (*workshop, error) {
	dir, err := os.MkdirTemp("", "odb-bench-*")
	if err != nil {
		return nil, err
	}
	w := &workshop{options: o, dir: dir, adapter: o.adapter}
	if o.adapter == "" {
		if err := w.buildDouble(ctx); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

func (w *workshop) buildDouble(ctx context.Context) error {
	program, err := adaptertest.Build(ctx, w.dir)
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp(w.dir, "adapter-*")
	if err != nil {
		return err
	}
	if w.double, err = program.Install(home); err != nil {
		return err
	}
	w.adapter = w.double.Path
	return w.double.Record(false)
}

func (w *workshop) close() error { return os.RemoveAll(w.dir) }

// stand is a broker on a Director of its own, both fresh.
type stand struct {
	director *director
	broker   *broker
	running  string // the operation of runningInstance, once it is there
}

// open starts a stand whose Director has that many deployments.
func (w *workshop) open(ctx context.Context, deployments int) (*stand, error) {
	d, err := startDirector(ctx, w.odb)
	if err != nil {
		return nil, err
	}
	if err := d.seed(ctx, deployments); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	setup, err := w.brokerOn(d)
	if err != nil {
		return nil, errors.Join(err, d.stop())
	}
	b, err := startBroker(ctx, setup)
	if err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return &stand{director: d, broker: b}, nil
}

func (w *workshop) brokerOn(d *director) (brokerSetup, error) {
	port, err := freePort()
	return brokerSetup{odb: w.odb, dir: w.dir, adapter: w.adapter, director: d, port: port}, err
}

func (s *stand) close() error { return errors.Join(s.broker.stop(), s.director.stop()) }

// on opens a stand, lets use work on it and closes it.
func (w *workshop) on(ctx context.Context, deployments int, use func(*stand) error) (err error) {
	s, err := w.open(ctx, deployments)
	if err != nil {
		return fmt.Errorf("setting up with %d deployments: %w", deployments, err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return use(s)
}
