package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/on-demand-broker/odb/boshclient"
)

// taskProgress is what was read of a task's events so far: the next poll asks for the rest only.
type taskProgress struct {
	offset int64
	stage  string
}

// further keeps what a poll read, unless another poll got further meanwhile.
func (p taskProgress) further(known taskProgress) taskProgress {
	if known.offset > p.offset {
		return known
	}
	return p
}

// stage says in a few words where a task is, for the description of the operation. It is empty if that can't be told,
// which is no reason to fail a poll.
func (b *Broker) stage(ctx context.Context, o Operation, task boshclient.Task) string {
	if o.cancels(task) {
		return "cancelling its provisioning"
	}
	switch task.State {
	case "": // another request is just starting the next step
		return ""
	case boshclient.StateQueued:
		return "waiting for a BOSH worker"
	case boshclient.StateCancelling:
		return "being cancelled"
	}
	if errand, _, found := strings.Cut(strings.TrimPrefix(task.Description, errandPrefix), " from deployment "); found {
		return "Running errand " + errand
	}
	known := b.progress.get(task.ID)
	events, next, err := b.Tasks.TaskEvents(ctx, task.ID, known.offset)
	if err != nil {
		if !errors.Is(err, boshclient.ErrNotFound) {
			b.Logger.DebugContext(ctx, "last-operation.no-stage", slog.String("error", err.Error()))
		}
		return known.stage
	}
	for _, event := range events {
		if text := describe(event); text != "" {
			known.stage = text
		}
	}
	known.offset = next
	b.progress.change(task.ID, known.further)
	return known.stage
}

var (
	// instanceTask matches an event's task that names an instance: group/id (index), maybe (canary).
	instanceTask = regexp.MustCompile(`^(\S+)/\S+ \((\d+)\)`)
	// packageTask matches one that names a package: name/fingerprint.
	packageTask = regexp.MustCompile(`^(\S+)/[0-9a-f]{32,}$`)
)

// describe words one event: `Updating instance redis/0 (2 of 3)`. Events of a task that goes well are of interest when
// something starts; that it goes on or ends adds nothing.
func describe(event boshclient.TaskEvent) string {
	if event.State != "started" || event.Stage == "" {
		return ""
	}
	text := event.Stage
	if names := instanceTask.FindStringSubmatch(event.Task); names != nil {
		text += " " + names[1] + "/" + names[2]
	} else if names := packageTask.FindStringSubmatch(event.Task); names != nil {
		text += ": " + names[1]
	} else if event.Task != "" && event.Task != event.Stage {
		text += ": " + event.Task
	}
	if event.Total > 1 && event.Index <= event.Total {
		text += fmt.Sprintf(" (%d of %d)", event.Index, event.Total)
	}
	return text
}
