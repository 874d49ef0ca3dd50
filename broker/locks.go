package broker

import (
	"context"
	"sync"
)

// keyedLocks are locks that come and go with their keys: one instance's work never waits for another's, and
// what is not locked takes no memory.
type keyedLocks struct {
	mu   sync.Mutex
	held map[string]*keyedLock
}

type keyedLock struct {
	free  chan struct{} // holds one token while nobody has the lock
	users int           // holder and waiters, guarded by keyedLocks.mu
}

func newKeyedLocks() *keyedLocks { return &keyedLocks{held: map[string]*keyedLock{}} }

func (k *keyedLocks) join(key string) *keyedLock {
	k.mu.Lock()
	defer k.mu.Unlock()
	lock, ok := k.held[key]
	if !ok {
		lock = &keyedLock{free: make(chan struct{}, 1)}
		lock.free <- struct{}{}
		k.held[key] = lock
	}
	lock.users++
	return lock
}

func (k *keyedLocks) leave(key string, lock *keyedLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if lock.users--; lock.users == 0 {
		delete(k.held, key)
	}
}

// try takes the lock if nobody has it.
func (k *keyedLocks) try(key string) (unlock func(), ok bool) {
	lock := k.join(key)
	select {
	case <-lock.free:
		return k.unlocker(key, lock), true
	default:
		k.leave(key, lock)
		return nil, false
	}
}

// wait takes the lock when it becomes free, or gives up with ctx.
func (k *keyedLocks) wait(ctx context.Context, key string) (unlock func(), err error) {
	lock := k.join(key)
	select {
	case <-lock.free:
		return k.unlocker(key, lock), nil
	case <-ctx.Done():
		k.leave(key, lock)
		return nil, ctx.Err()
	}
}

func (k *keyedLocks) unlocker(key string, lock *keyedLock) func() {
	return func() {
		lock.free <- struct{}{}
		k.leave(key, lock)
	}
}

// lock makes sure that one operation at a time changes an instance. A second one is not made to wait. What is done under the
// lock is done with the context that it returns. Brokers side by side share the lock by a claim in the Director.
func (b *Broker) lock(ctx context.Context, instanceID string) (locked context.Context, unlock func(), refusal *Error) {
	free, ok := b.operations.try(instanceID)
	if !ok {
		return ctx, nil, operationInProgress()
	}
	if !b.Switches.SideBySide {
		return ctx, free, nil
	}
	claimed, release, refusal := b.claimInstance(ctx, instanceID)
	if refusal != nil {
		free()
		return ctx, nil, refusal
	}
	return claimed, func() {
		release()
		free()
	}, nil
}

func operationInProgress() *Error {
	return refuse(Concurrency, "An operation is in progress for your service instance. Please try again later.")
}
