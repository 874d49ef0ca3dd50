package broker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// ErrStopped is the cause by which work ends that was still running when the broker was stopped.
var ErrStopped = errors.New("the broker is shutting down")

// stopPatience is how long work that is stopped is waited for: longer than an adapter has between SIGTERM and SIGKILL.
const stopPatience = 8 * time.Second

// work counts what is under way.
type work struct {
	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

func (w *work) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.running.Add(1)
	}
	return !w.stopped
}

func (w *work) stop() (ended <-chan struct{}) {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	return done
}

// detached is the context of work that must not be left half-done because the platform hung up. It ends with the broker,
// and each request and adapter run inside has its own deadline.
func (b *Broker) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	detached, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	if !b.work.begin() {
		cancel(ErrStopped)
		return detached, func() {}
	}
	unhook := context.AfterFunc(b.lifetime, func() { cancel(ErrStopped) })
	return detached, func() {
		unhook()
		cancel(nil)
		b.work.running.Done()
	}
}

// Stop ends the work that is still running and waits for it: adapters are stopped, requests to the Director given up.
func (b *Broker) Stop() {
	ended := b.work.stop()
	b.stop(ErrStopped)
	select {
	case <-ended:
	case <-time.After(stopPatience):
		b.Logger.Warn("work.left", slog.String("problem", "some work did not end in time"))
	}
}
