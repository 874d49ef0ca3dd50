package boshclient

import (
	"bytes"
	"context"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A log that is read in two parts, cut anywhere, must give the same events as the whole.
func FuzzEvents(f *testing.F) {
	recorded, err := os.ReadFile("testdata/136-fail-render-event.http")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recorded, 1000)
	f.Add([]byte("{\"time\":1,\"tags\":null,\"total\":null}\nnull\n[]\n{\"time\":1e300}\n{"), 3)
	f.Fuzz(func(t *testing.T, log []byte, cut int) {
		whole, consumed := parseEvents(log)
		if consumed > 0 && log[consumed-1] != '\n' || bytes.IndexByte(log[consumed:], '\n') >= 0 {
			t.Fatalf("consumed %d of %q", consumed, log)
		}
		if cut < 0 || cut > len(log) {
			return
		}
		first, n := parseEvents(log[:cut])
		second, m := parseEvents(log[n:])
		if n+m != consumed || !reflect.DeepEqual(append(first, second...), whole) {
			t.Errorf("in two parts %d+%d bytes, whole %d", n, m, consumed)
		}
	})
}

func FuzzAddresses(f *testing.F) {
	f.Add([]byte(`{"id":"a","ips":["10.0.0.1"],"job_name":"server","index":0}` + "\n" + `{"id":"b","ips":null}`))
	f.Add([]byte(``))
	f.Add([]byte(`{"id":`))
	f.Fuzz(func(t *testing.T, result []byte) {
		addresses, err := addressesByInstance(result)
		if (addresses == nil) == (err == nil) {
			t.Errorf("%v and %v", addresses, err)
		}
	})
}

func FuzzTaskID(f *testing.F) {
	for _, location := range []string{"https://127.0.0.1:25555/tasks/3", "/tasks/3/", "tasks/3", "/tasks/-1", "/tasks/99999999999999999999", "//h/tasks/1"} {
		f.Add(location)
	}
	f.Fuzz(func(t *testing.T, location string) {
		id, err := taskIDFrom(location)
		if (err == nil) != (id > 0) {
			t.Errorf("%q: %d, %v", location, id, err)
		}
	})
}

func TestShortenKeepsWholeCharacters(t *testing.T) {
	t.Parallel()
	for length := maxDescription - 4; length < maxDescription+4; length++ {
		got := shorten(strings.Repeat("a", length%3) + strings.Repeat("日", length))
		if !utf8.ValidString(got) || len(got) > maxDescription+len("...") {
			t.Errorf("%d bytes, valid %v", len(got), utf8.ValidString(got))
		}
	}
}

func TestNoPauseGoesPastTheDeadline(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := time.Now()
	if sleep(ctx, 61*time.Second) || time.Since(start) > 30*time.Second {
		t.Error("it waited")
	}
	if got := beforeDeadline(ctx, time.Hour); got > 45*time.Second {
		t.Errorf("a pause of %v", got)
	}
	if got := beforeDeadline(t.Context(), time.Hour); got != time.Hour {
		t.Errorf("without a deadline a pause of %v", got)
	}
}
