package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pivotal-cf/brokerapi/v11/domain"

	"github.com/on-demand-broker/odb/boshclient"
	"github.com/on-demand-broker/odb/secrets"
)

// DeploymentState is what the Director has of an instance's deployment.
type DeploymentState string

// The states of a deployment.
const (
	Deployed      DeploymentState = "deployed"
	NeverDeployed DeploymentState = "never_deployed" // the first deploy has not succeeded
	Missing       DeploymentState = "missing"
)

// facts are what each of those who know something of an instance say of it. Whoever gathered them says what the platform does.
type facts struct {
	instanceID string
	platform   Knowledge
	said       Knowledge // by the caller; its own list tells only which of this service's instances the platform knows

	deployment DeploymentState
	tasks      []boshclient.Task // that have not ended
	lastTask   *boshclient.Task
	configs    instanceConfigs
	standing   *RecordedOperation // how the last operation stands; nil if none is remembered

	credentials credentialFacts
	client      clientFacts
}

// credentialFacts are what the CredHubs hold of an instance.
type credentialFacts struct {
	asked             bool
	err               error // one of them couldn't be asked
	secrets, bindings []secrets.Kept
}

// clientFacts are what the platform's UAA holds of an instance.
type clientFacts struct {
	asked, found bool
	err          error // it couldn't be asked
}

// look asks Director, CredHub and UAA about an instance, and changes nothing. Without the Director there are no facts.
func (b *Broker) look(ctx context.Context, instanceID string) (facts, error) {
	f := facts{instanceID: instanceID}
	err := sideBySide(ctx,
		func(ctx context.Context) error { return b.askDirector(ctx, &f) },
		func(ctx context.Context) error { f.client = b.clientFacts(ctx, instanceID); return nil },
		func(ctx context.Context) error { f.credentials = b.credentialFacts(ctx, instanceID); return nil },
	)
	return f, err
}

// askDirector gathers the Director's part.
func (b *Broker) askDirector(ctx context.Context, f *facts) error {
	name := deploymentName(f.instanceID)
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) {
			f.tasks, err = b.Tasks.TasksInProgress(ctx, name)
			return err
		},
		func(ctx context.Context) error {
			latest, found, err := b.Maintaining.LatestTask(ctx, name)
			if found {
				f.lastTask = &latest
			}
			return err
		},
		func(ctx context.Context) (err error) {
			f.configs, err = b.readConfigs(ctx, name)
			return err
		},
		func(ctx context.Context) (err error) {
			f.deployment, err = b.deploymentState(ctx, name)
			return err
		},
	)
	if err != nil {
		return fmt.Errorf("looking at deployment %s: %w", name, err)
	}
	f.standing, err = b.lastStanding(ctx, f.instanceID, f.configs.record)
	return err
}

func (b *Broker) deploymentState(ctx context.Context, name string) (DeploymentState, error) {
	switch deployed, err := b.Deployments.Deployment(ctx, name); {
	case errors.Is(err, boshclient.ErrNotFound):
		return Missing, nil
	case err != nil:
		return "", err
	case deployed.BeingCreated:
		return NeverDeployed, nil
	default:
		return Deployed, nil
	}
}

// lastStanding tells how the last operation stands: the one that is remembered, or one that is carried and isn't, as deletions
// of one step.
func (b *Broker) lastStanding(ctx context.Context, instanceID string, known *record) (*RecordedOperation, error) {
	carried, isCarried := b.carrier.of(instanceID)
	remembered := known != nil && known.Operation.ContextID != ""
	switch {
	case isCarried && (!remembered || !known.Operation.unfinished()):
		return b.recordedOperation(ctx, instanceID, recordOf(carried, b.Now().UTC()))
	case remembered:
		return b.recordedOperation(ctx, instanceID, known.Operation)
	default:
		return nil, nil
	}
}

func (b *Broker) credentialFacts(ctx context.Context, instanceID string) credentialFacts {
	var found credentialFacts
	found.err = sideBySide(ctx,
		func(ctx context.Context) (err error) {
			if b.ManifestSecrets == nil {
				return nil
			}
			director, err := b.Health.Info(ctx)
			if err == nil {
				found.secrets, err = b.ManifestSecrets.KeptOfInstance(ctx, b.secretsOf(instanceID), director.Name)
			}
			return err
		},
		func(ctx context.Context) (err error) {
			if b.BindingSecrets != nil {
				found.bindings, err = b.BindingSecrets.KeptOfBindings(ctx, b.offering.ID, instanceID)
			}
			return err
		},
	)
	if found.err != nil {
		return credentialFacts{err: fmt.Errorf("looking for what CredHub has of %s: %w", deploymentName(instanceID), found.err)}
	}
	found.asked = b.ManifestSecrets != nil || b.BindingSecrets != nil
	return found
}

func (b *Broker) clientFacts(ctx context.Context, instanceID string) clientFacts {
	if b.UAAClients == nil {
		return clientFacts{}
	}
	client, err := b.UAAClients.Find(ctx, instanceID)
	return clientFacts{asked: err == nil, found: client != nil, err: err}
}

// busy says what runs; empty if nothing does.
func (f facts) busy() string {
	switch {
	case len(f.tasks) > 0:
		return fmt.Sprintf("task %d runs: %s", f.tasks[0].ID, f.tasks[0].Description)
	case f.standing != nil && f.standing.State == string(domain.InProgress):
		return fmt.Sprintf("the %s has steps left that the broker will take", operationNouns[f.standing.Type])
	}
	return ""
}

// isOthers says why the instance may be another service's; empty if nothing says so.
func (f facts) isOthers(serviceID string) string {
	switch {
	case f.configs.record != nil && f.configs.record.ServiceID != serviceID:
		return fmt.Sprintf("it is remembered as an instance of service %q, which this broker doesn't offer", f.configs.record.ServiceID)
	case f.configs.record == nil && f.configs.text != "":
		return fmt.Sprintf("its config of type %s can't be read, so that nobody knows whose it is", recordType)
	}
	return ""
}

// isOurs tells whether anything shows that it is an instance of this service.
func (f facts) isOurs(serviceID string) bool {
	if known := f.configs.record; known != nil {
		return known.ServiceID == serviceID
	}
	return len(f.credentials.bindings) > 0 || slices.ContainsFunc(f.credentials.secrets, func(kept secrets.Kept) bool {
		return strings.HasPrefix(kept.Name, "/odb/"+serviceID+"/")
	})
}

// incomplete is why something isn't known.
func (f facts) incomplete() error { return errors.Join(f.credentials.err, f.client.err) }

// changedAt is when anything of the instance is known to have changed last; zero if nothing tells.
func (f facts) changedAt() time.Time {
	times := []time.Time{f.configs.storedAt}
	if f.configs.record != nil {
		times = append(times, f.configs.record.UpdatedAt)
	}
	if f.lastTask != nil {
		times = append(times, f.lastTask.StartedAt, f.lastTask.UpdatedAt)
	}
	for _, kept := range slices.Concat(f.credentials.secrets, f.credentials.bindings) {
		times = append(times, kept.WrittenAt)
	}
	return slices.MaxFunc(times, time.Time.Compare)
}
