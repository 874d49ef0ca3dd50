package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/on-demand-broker/odb/config"
)

// reloadAt reads the configuration anew at each signal, until ctx ends. What is wrong with it is in the log, and the broker goes
// on with what it has.
func (d *daemon) reloadAt(ctx context.Context, signals <-chan os.Signal, path string) {
	for {
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		if err := d.reload(ctx, path); err != nil && ctx.Err() == nil {
			d.logger.Error("config.not-reloaded", slog.String("error", err.Error()), slog.String("consequence", "the broker goes on with the configuration that it has"))
		}
	}
}

// reload lets what comes from now on be served as the file says. If any of it can't be, nothing changes.
func (d *daemon) reload(ctx context.Context, path string) error {
	wanted, warnings, err := config.Load(path)
	logProblems(d.logger, warnings)
	var refused *config.Problems
	if errors.As(err, &refused) {
		logProblems(d.logger, refused.All)
		return fmt.Errorf("%s has problems: %d", path, len(refused.All))
	}
	if err != nil {
		return err
	}
	if keys := foundations(d.config, wanted); len(keys) > 0 {
		return fmt.Errorf("%s can't change while the broker runs, and what else the file says depends on it: change it back, or restart the broker", strings.Join(keys, ", "))
	}
	next := takenOn(d.config, wanted)
	changed, needRestart := config.Changes(d.config, next), config.Changes(next, wanted)
	if err := d.reconfigure(ctx, next); err != nil {
		return err
	}
	if len(needRestart) > 0 {
		d.logger.Warn("config.restart-needed", slog.Any("keys", needRestart), slog.String("problem", "these keys have changed and can't while the broker runs: restart it, or change them back"))
	}
	tellOddities(next, d.logger)
	d.logger.Info("config.reloaded", slog.Any("changed", changed))
	return nil
}

// reconfigure lets another broker and its server's options take the place of those of before, which finish what they have begun.
func (d *daemon) reconfigure(ctx context.Context, next *config.Config) error {
	options, err := d.brokerOptions(ctx, next)
	if err != nil {
		return err
	}
	b, err := d.broker.Reconfigured(options)
	if err != nil {
		return err
	}
	if err := d.Reconfigure(d.serverOptions(next, b)); err != nil {
		return err
	}
	d.broker.ContinueAs(b)
	d.broker, d.config = b, next
	return d.tellConfiguration()
}

// foundations are the keys that have changed of those that all others are right or wrong by: whose the instances are, how
// brokers keep out of each other's way, and who knows of the instances.
func foundations(running, wanted *config.Config) []string {
	kept := *wanted
	kept.ServiceCatalog.ID = running.ServiceCatalog.ID
	kept.Broker.SideBySide, kept.Broker.DisableBOSHConfigs = running.Broker.SideBySide, running.Broker.DisableBOSHConfigs
	kept.Broker.DisableCFStartupChecks = running.Broker.DisableCFStartupChecks
	return config.Changes(&kept, wanted)
}

// takenOn is what a running broker can take on of a configuration with the same foundations. Where it is reached and which
// Director and Cloud Foundry it works on stays as it is, with all that is said of these: other ones know none of the instances.
func takenOn(running, wanted *config.Config) *config.Config {
	next := *wanted
	next.Broker.Host, next.Broker.Port = running.Broker.Host, running.Broker.Port
	if next.Broker.TLS.Enabled() != running.Broker.TLS.Enabled() {
		next.Broker.TLS = running.Broker.TLS
	}
	if next.BOSH.URL != running.BOSH.URL {
		next.BOSH = running.BOSH
	}
	if next.CF.URL != running.CF.URL {
		next.CF = running.CF
	}
	return &next
}
