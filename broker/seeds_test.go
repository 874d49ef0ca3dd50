package broker

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// replay is the environment variable that names the one seed to live through again, with all that happens:
// INTERLEAVING=4711 go test ./broker -run 'Interleavings$' -v
// or the seeds to live through instead of the usual ones, the last one included, some thousands a minute:
// INTERLEAVING=100000-179999 go test ./broker -run 'Interleavings$' -timeout 0
const replay = "INTERLEAVING"

const interleavings = 10_000

// seeds are those from the first one to the last one.
type seeds struct{ first, last int64 }

// asked are the seeds that the environment names; these if it names none.
func (s seeds) asked(t *testing.T) seeds {
	text := os.Getenv(replay)
	if text == "" {
		return s
	}
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	var err, errLast error
	s.first, err = strconv.ParseInt(first, 10, 64)
	s.last, errLast = strconv.ParseInt(last, 10, 64)
	if err != nil || errLast != nil {
		t.Fatalf("%s=%q: name one seed, or the first and the last one, such as 100000-179999", replay, text)
	}
	return s
}

func liveThrough(t *testing.T, usual seeds, sideBySide bool) {
	wanted := usual.asked(t)
	if wanted.first == wanted.last {
		synctest.Test(t, func(t *testing.T) { newHistory(t, wanted.first, sideBySide, true).live() })
		return
	}
	const chunks = 8
	for chunk := range int64(chunks) {
		t.Run(fmt.Sprint(chunk), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for seed := wanted.first + chunk; seed <= wanted.last; seed += chunks {
					newHistory(t, seed, sideBySide, false).live()
				}
			})
		})
	}
}
