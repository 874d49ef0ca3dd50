package broker

import (
	"context"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
)

func TestLocksAreOfOneKeyOnly(t *testing.T) {
	g := NewWithT(t)
	locks := newKeyedLocks()
	unlock, ok := locks.try("a")
	g.Expect(ok).To(BeTrue())
	_, again := locks.try("a")
	g.Expect(again).To(BeFalse())
	other, ok := locks.try("b")
	g.Expect(ok).To(BeTrue())
	other()
	unlock()
	unlock, ok = locks.try("a")
	g.Expect(ok).To(BeTrue())
	unlock()
	g.Expect(locks.held).To(BeEmpty(), "what is free takes no memory")
}

func TestLockIsWaitedForUntilTheContextEnds(t *testing.T) {
	g := NewWithT(t)
	locks := newKeyedLocks()
	unlock, _ := locks.try("a")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := locks.wait(ctx, "a")
	g.Expect(err).To(MatchError(context.Canceled))
	unlock()
	g.Expect(locks.held).To(BeEmpty())
}

func TestLockExcludes(t *testing.T) {
	g := NewWithT(t)
	locks := newKeyedLocks()
	inside, total := 0, 0
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			unlock, err := locks.wait(context.Background(), "a")
			if err != nil {
				panic(err)
			}
			inside++
			if inside > 1 {
				panic("two inside")
			}
			total++
			inside--
			unlock()
		})
	}
	all.Wait()
	g.Expect(total).To(Equal(50))
	g.Expect(locks.held).To(BeEmpty())
}
