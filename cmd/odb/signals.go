package main

import (
	"context"
	"os/signal"
)

// leaving is for work that a first signal, which ends ctx, only keeps from going on: the context that it returns is ended by
// the second one.
func leaving(ctx context.Context) (context.Context, context.CancelFunc) {
	leave, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		second, stop := signal.NotifyContext(leave, stopSignals()...)
		defer stop()
		<-second.Done()
		cancel()
	})
	return leave, cancel
}
