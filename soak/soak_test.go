package soak

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/on-demand-broker/odb/boshclient"
)

var (
	duration = flag.Duration("soak", 20*time.Second, "how long the clients work")
	seed     = flag.Uint64("seed", 1, "of the clients' wishes and of the kills")
)

const (
	clients = 32
	wanted  = 16 // instance ids
	// rest is how long what the clients left may take, also on a machine that does other things: a killed broker's claim lasts two
	// minutes of the Director's time.
	rest = 3 * time.Minute
)

// TestSideBySide lets two brokers serve 32 clients while they are killed at random. No step may run twice, the quota may not
// be exceeded, each operation has to end as its tasks say, and nothing may be left after all is deleted.
func TestSideBySide(t *testing.T) {
	t.Logf("-seed %d -soak %s", *seed, *duration)
	ctx, cancel := context.WithTimeout(t.Context(), *duration+3*rest)
	defer cancel()
	w := newWorld(ctx, t, 2)
	j := &journal{operations: map[string]*operation{}, statuses: map[int]int{}}
	ids := make([]string, wanted)
	for i := range ids {
		ids[i] = fmt.Sprint("i-", i)
	}

	working, done := context.WithTimeout(ctx, *duration)
	defer done()
	var all sync.WaitGroup
	for i := range clients {
		c := newClient(w, j, ids, uint64(i))
		all.Go(func() { c.work(working) })
	}
	all.Go(func() { w.killAtRandom(ctx, working, t) })
	all.Go(func() { w.countDeployments(working, j) })
	all.Wait()

	newClient(w, j, ids, clients).seeEnds(ctx)
	for i, id := range ids {
		all.Go(func() { newClient(w, j, ids, clients+1+uint64(i)).deleteWhole(ctx, id) })
	}
	all.Wait()
	j.judge(ctx, w.bosh)
	w.lookForLeftovers(ctx, j)

	t.Logf("%d operations; answers by status: %v; Director: %v", len(j.operations), j.statuses, w.director.Stats().Tasks)
	w.tellWhatWasWrong(t, j)
}

// tellWhatWasWrong fails the test for each complaint, the same one once, after what the brokers logged of the first instance that
// has any: all of their log would bury it.
func (w *world) tellWhatWasWrong(t *testing.T, j *journal) {
	times := map[complaint]int{}
	for _, c := range j.wrong {
		c.text = uuid.ReplaceAllString(c.text, "…")
		times[c]++
	}
	if i := slices.IndexFunc(j.wrong, func(c complaint) bool { return c.instance != "" }); i >= 0 {
		for number, b := range w.brokers {
			b.kill() // it writes no more
			t.Logf("broker %d of %s:\n%s", number, j.wrong[i].instance, b.linesAbout(j.wrong[i].instance))
		}
	}
	for c, n := range times {
		t.Errorf("%s: %s (%d times)", c.instance, c.text, n)
	}
}

// uuid differs where all else of a complaint is the same.
var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func newClient(w *world, j *journal, ids []string, number uint64) *client {
	return &client{world: w, journal: j, ids: ids, rng: rand.New(rand.NewPCG(*seed, number)),
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// killAtRandom kills a broker every now and then, sometimes both, and starts it again after a while.
func (w *world) killAtRandom(ctx, working context.Context, t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 1000))
	for {
		pause(working, time.Duration(1000+rng.IntN(4000))*time.Millisecond)
		if working.Err() != nil {
			return
		}
		b := w.brokers[rng.IntN(len(w.brokers))]
		b.kill()
		pause(working, time.Duration(rng.IntN(1000))*time.Millisecond)
		b.start(ctx, t)
	}
}

// countDeployments looks all the time whether there are more than the quota allows.
func (w *world) countDeployments(working context.Context, j *journal) {
	for working.Err() == nil {
		deployments, err := w.bosh.Deployments(working)
		if err == nil && len(deployments) > limit {
			j.note("", "%d deployments, although %d are allowed", len(deployments), limit)
		}
		pause(working, 20*time.Millisecond)
	}
}

// seeEnds polls what nobody followed to its end.
func (c *client) seeEnds(ctx context.Context) {
	for deadline := time.Now().Add(rest); ; pause(ctx, 100*time.Millisecond) {
		open := c.journal.open()
		for text, o := range open {
			if state, known := c.poll(ctx, o.instance, text); known && state != inProgress {
				c.journal.ended(text, state)
			}
		}
		if len(open) == 0 || time.Now().After(deadline) {
			return // what is open is told by the judge
		}
	}
}

// deleteWhole deletes an instance until it is gone.
func (c *client) deleteWhole(ctx context.Context, id string) {
	for deadline := time.Now().Add(rest); ; pause(ctx, 100*time.Millisecond) {
		a, ok := c.ask(ctx, "DELETE", id, "", plan(), nil)
		switch {
		case ok && a.status == http.StatusGone:
			return
		case ok && a.status == http.StatusAccepted:
			c.follow(ctx, id, a.body.Operation, rest)
		case time.Now().After(deadline):
			c.journal.note(id, "can't be deleted: %d %s", a.status, a.text)
			return
		}
	}
}

func (w *world) lookForLeftovers(ctx context.Context, j *journal) {
	deployments, err := w.bosh.Deployments(ctx)
	if err != nil || len(deployments) > 0 {
		j.note("", "left: deployments %v, %v", deployments, err)
	}
	configs, err := w.bosh.Configs(ctx, boshclient.ConfigFilter{})
	if err != nil {
		j.note("", "the configs can't be read: %v", err)
	}
	for _, c := range configs {
		j.note("", "left: config %s %s", c.Type, c.Name)
	}
}
