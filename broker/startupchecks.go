package broker

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"

	"github.com/on-demand-broker/odb/boshclient"
)

// The Director's versions from which on it can do what a plan asks for. Before 257 it was numbered like a stemcell.
const (
	oldestDirector         = 257
	oldestStemcellNumbered = 3262
	oldestForErrands       = 261
)

var directorVersion = regexp.MustCompile(`^(\d+)(?:\.(\d+))?`)

// checkDirector says in the log what the Director can't do of what the plans ask for. The broker runs all the same: the
// Director may be upgraded under it, and what can't be done fails by itself.
func (b *Broker) checkDirector(info boshclient.Info) []string {
	var problems []string
	if info.User == "" {
		problems = append(problems, "the Director does not accept the broker's credentials")
	}
	found := directorVersion.FindStringSubmatch(info.Version)
	if found == nil {
		return append(problems, fmt.Sprintf("the Director's version %q can't be read", info.Version))
	}
	major, _ := strconv.Atoi(found[1])
	minor, _ := strconv.Atoi(found[2])
	if major == 1 && minor >= 1000 { // 1.3262.0.0 (00000000)
		major = minor
	}
	stemcellNumbered := major >= 1000
	older := func(than int) bool { return major < than || (stemcellNumbered && than > oldestDirector) }
	if older(oldestDirector) || (stemcellNumbered && major < oldestStemcellNumbered) {
		problems = append(problems, fmt.Sprintf("the Director is version %s, at least %d is needed", info.Version, oldestDirector))
	}
	for _, p := range b.offering.Plans {
		if p.LifecycleErrands != nil && older(oldestForErrands) {
			problems = append(problems, fmt.Sprintf("plan %q has lifecycle errands, which need a Director of version %d; it is %s", p.Name, oldestForErrands, info.Version))
		}
		if len(p.BindingWithDNS) > 0 && (older(266) || (major == 266 && minor < 12) || (major == 267 && minor < 6)) {
			problems = append(problems, fmt.Sprintf("plan %q has binding_with_dns, which needs a Director of version 266.12 or 267.6; it is %s", p.Name, info.Version))
		}
	}
	return problems
}

// startChecks asks what can be asked at the start, and says what is odd. It reports whether everybody answered.
func (b *Broker) startChecks(ctx context.Context) bool {
	info, err := b.Health.Info(ctx)
	if err != nil {
		b.Logger.WarnContext(ctx, "start.director-away", slog.String("error", err.Error()))
		return false
	}
	for _, problem := range b.checkDirector(info) {
		b.Logger.WarnContext(ctx, "start.director", slog.String("problem", problem))
	}
	b.checkCredHubs(ctx)
	return true
}

// checkCredHubs says in the log which CredHub can't be used now: a wrong secret is better found after the broker's deploy
// than with the first bind. It is no reason not to serve what needs none.
func (b *Broker) checkCredHubs(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	check := func(section string, credhub interface{ Check(context.Context) error }) func(context.Context) error {
		return func(ctx context.Context) error {
			if credhub == nil {
				return nil
			}
			if err := credhub.Check(ctx); err != nil {
				b.Logger.WarnContext(ctx, "start.credhub-away", slog.String("section", section), slog.String("error", err.Error()))
			}
			return nil
		}
	}
	_ = sideBySide(ctx, check("bosh_credhub", b.ManifestSecrets), check("credhub", b.BindingSecrets)) // what is wrong is in the log
}

// checkPlans says which of the plans that are remembered are no longer in the catalog. The platform knows better, where there is
// one (checkPlatform).
func (b *Broker) checkPlans(ctx context.Context, remembered []record) {
	if b.platform != nil {
		return
	}
	missing := map[string]int{}
	for _, r := range remembered {
		if b.offering.plans[r.PlanID] == nil {
			missing[r.PlanID]++
		}
	}
	b.tellMissing(ctx, missing)
}

// tellMissing says which plans have instances and are no longer in the catalog. Those instances can be unbound and deleted, but
// not updated: that is no reason not to serve the others.
func (b *Broker) tellMissing(ctx context.Context, missing map[string]int) {
	for planID, instances := range missing {
		if instances == 0 {
			continue
		}
		b.Logger.WarnContext(ctx, "start.plan-missing", slog.String("plan_id", planID), slog.Int("instances", instances),
			slog.String("problem", "the plan has instances and is not in the catalog: they can be unbound and deleted, but not updated"))
	}
}
