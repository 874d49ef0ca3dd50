package broker

import (
	"context"
	"fmt"
	"runtime/debug"
)

// sideBySide does independent requests at the same time, the last of them on the caller's own goroutine. The first
// failure in the order of the list is the one returned, so that what is reported doesn't depend on who was faster.
func sideBySide(ctx context.Context, requests ...func(context.Context) error) error {
	errs := make([]error, len(requests))
	last := len(requests) - 1
	done := make(chan struct{}, last)
	for i, request := range requests[:last] {
		go func() {
			defer func() {
				if cause := recover(); cause != nil { // on a goroutine of its own it would end the process
					errs[i] = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
				}
				done <- struct{}{}
			}()
			errs[i] = request(ctx)
		}()
	}
	errs[last] = requests[last](ctx)
	for range last {
		<-done
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
