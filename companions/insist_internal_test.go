package companions

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/on-demand-broker/odb/cfclient"
)

func TestInsist(t *testing.T) {
	t.Parallel()
	away := &cfclient.Unavailable{Cause: errors.New("cut")}
	refused := &cfclient.Rejected{Status: 422}
	for name, c := range map[string]struct {
		answers []error
		want    error
		tries   int
		took    time.Duration
	}{
		"an answer":             {[]error{nil}, nil, 1, 0},
		"an answer in the end":  {[]error{away, away, nil}, nil, 3, 1500 * time.Millisecond},
		"a refusal":             {[]error{refused}, refused, 1, 0},
		"a refusal in the end":  {[]error{away, refused}, refused, 2, 500 * time.Millisecond},
		"nobody there":          {[]error{away, away, away, away}, away, 4, 3500 * time.Millisecond},
		"nobody there for long": {nil, context.DeadlineExceeded, 1, insistLimit},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, tries := time.Now(), 0
			err := insist(t.Context(), func(ctx context.Context) error {
				tries++
				if c.answers == nil {
					<-ctx.Done()
					return ctx.Err()
				}
				return c.answers[tries-1]
			})
			if !errors.Is(err, c.want) || tries != c.tries || time.Since(began) != c.took {
				t.Errorf("%s: got %v after %d tries and %s, want %v after %d and %s", name, err, tries, time.Since(began), c.want, c.tries, c.took)
			}
		})
	}
}
