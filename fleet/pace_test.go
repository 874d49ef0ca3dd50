package fleet

import (
	"testing"
	"time"
)

func TestPollPause(t *testing.T) {
	for name, c := range map[string]struct{ age, usual, interval, want time.Duration }{
		"young":                                     {0, 0, time.Minute, time.Second},
		"no longer so young":                        {time.Second, 0, time.Minute, 250 * time.Millisecond},
		"a part of its age":                         {12 * time.Second, 0, time.Minute, time.Second},
		"old":                                       {time.Hour, 0, time.Minute, time.Minute},
		"when such operations usually end":          {10 * time.Second, 40 * time.Second, time.Minute, 30 * time.Second},
		"not later than the polling interval":       {10 * time.Second, 10 * time.Minute, time.Minute, time.Minute},
		"a short polling interval":                  {0, 0, 50 * time.Millisecond, 50 * time.Millisecond},
		"just before it usually ends":               {time.Minute - time.Millisecond, time.Minute, time.Minute, 250 * time.Millisecond},
		"longer than such operations usually take":  {time.Minute, 30 * time.Second, time.Minute, 5 * time.Second},
		"exactly as such operations usually take":   {time.Minute, time.Minute, time.Minute, 2500 * time.Millisecond},
		"a little longer than usual":                {63 * time.Second, time.Minute, time.Minute, 3 * time.Second},
		"short ones that take longer than usual":    {2 * time.Second, 1950 * time.Millisecond, time.Minute, 100 * time.Millisecond},
		"young, and such operations take no time":   {0, time.Millisecond, time.Minute, 250 * time.Millisecond},
		"old, where the polling interval is longer": {time.Hour, 0, time.Hour, 5 * time.Minute},
	} {
		if got := pollPause(c.age, c.usual, c.interval); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestPausesGrow(t *testing.T) {
	for busy, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute, 3: 4 * time.Minute, 4: 8 * time.Minute, 5: 8 * time.Minute, 1000: 8 * time.Minute} {
		if got := attemptPause(time.Minute, busy); got != want {
			t.Errorf("busy %d times: %s, want %s", busy, got, want)
		}
	}
	for calls, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 7: time.Minute, 1000: time.Minute} {
		if got := troublePause(calls, time.Minute); got != want {
			t.Errorf("%d calls without an answer: %s, want %s", calls, got, want)
		}
	}
}

func TestUsualDurations(t *testing.T) {
	d := newDurations()
	if got := d.usual("small"); got != 0 {
		t.Errorf("of none: %s", got)
	}
	for i := range 100 {
		d.add("small", time.Hour)
		if i >= 84 {
			d.add("small", time.Duration(i)*time.Second)
		}
	}
	d.add("big", 100*time.Second)
	if got := d.usual("big"); got != 98*time.Second {
		t.Errorf("of one: %s", got)
	}
	if got := d.usual("small"); got != 96*98*time.Second/100 {
		t.Errorf("of many, the lower quartile of the latest: %s", got)
	}
}

func TestTimeLeft(t *testing.T) {
	minutes := func(ages ...time.Duration) []time.Duration {
		for i := range ages {
			ages[i] *= time.Minute
		}
		return ages
	}
	for name, c := range map[string]struct {
		outlook outlook
		want    time.Duration
		known   bool
	}{
		"nothing has ended":     {outlook{workers: 5, pending: 10}, 0, false},
		"nothing is left":       {outlook{workers: 5, ended: 2, took: 20 * time.Minute}, 0, true},
		"as it went before":     {outlook{workers: 5, pending: 10, ended: 2, took: 20 * time.Minute}, 20 * time.Minute, true},
		"what runs is half way": {outlook{workers: 2, pending: 2, ages: minutes(5, 5), ended: 1, took: 10 * time.Minute}, 15 * time.Minute, true},
		"the last one":          {outlook{workers: 50, ages: minutes(4), ended: 9, took: 90 * time.Minute}, 6 * time.Minute, true},
		"what runs is overdue":  {outlook{workers: 1, ages: minutes(40), ended: 1, took: 10 * time.Minute}, 0, true},
		"those that were skipped took no time, but what runs isn't one of them": {
			outlook{workers: 1, pending: 10, ages: minutes(0), ended: 10, took: 10 * time.Minute, ran: 1, ranTook: 10 * time.Minute}, 20 * time.Minute, true},
	} {
		if got, known := c.outlook.left(); got != c.want || known != c.known {
			t.Errorf("%s: %s %v, want %s %v", name, got, known, c.want, c.known)
		}
	}
}
