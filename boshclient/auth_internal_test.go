package boshclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// jwt is an unsigned token with the claims; nobody here checks signatures.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(claims)) + ".c2ln"
}

func TestTokenIsRefreshedBeforeItExpires(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	fetched, failing := 0, false
	session := &tokenSession{timeout: time.Minute, now: func() time.Time { return now }}
	session.fetch = func(context.Context) (string, error) {
		fetched++
		if failing {
			return "", errors.New("the UAA is away")
		}
		// The UAA's clock is a day behind ours: only the lifetime of ten minutes counts.
		issued := now.Add(-24 * time.Hour).Unix()
		return jwt(fmt.Sprintf(`{"iat":%d,"exp":%d,"n":%d}`, issued, issued+600, fetched)), nil
	}
	steps := []struct {
		name    string
		after   time.Duration
		failing bool
		fetched int
		fails   bool
	}{
		{name: "the first call fetches", fetched: 1},
		{name: "a fresh token is used", after: 9 * time.Minute, fetched: 1},
		{name: "in its last 30 seconds it is exchanged", after: 31 * time.Second, fetched: 2},
		{name: "a failed early exchange leaves the old one in use", after: 9*time.Minute + 35*time.Second, failing: true, fetched: 3},
		{name: "and is not repeated at each call", after: 5 * time.Second, failing: true, fetched: 3},
		{name: "but soon", after: 10 * time.Second, failing: true, fetched: 4},
		{name: "an expired token is not used", after: 20 * time.Second, failing: true, fetched: 5, fails: true},
		{name: "the UAA is back", fetched: 6},
	}
	for _, step := range steps {
		now, failing = now.Add(step.after), step.failing
		header, err := session.header(t.Context(), "")
		if (err != nil) != step.fails || (header == "") != step.fails {
			t.Errorf("%s: header %q, error %v", step.name, header, err)
		}
		if fetched != step.fetched {
			t.Errorf("%s: fetched %d times, want %d", step.name, fetched, step.fetched)
		}
	}
}

func TestRefusedTokenIsNeverUsedAgain(t *testing.T) {
	t.Parallel()
	session := &tokenSession{timeout: time.Minute, now: time.Now}
	session.fetch = func(context.Context) (string, error) { return "opaque", nil }
	refused, err := session.header(t.Context(), "")
	if err != nil || refused != "bearer opaque" {
		t.Fatalf("got %q, %v", refused, err)
	}
	session.fetch = func(context.Context) (string, error) { return "", errors.New("away") }
	if header, err := session.header(t.Context(), refused); err == nil || header != "" {
		t.Errorf("got %q after it was refused", header)
	}
}

func TestTokenLifetime(t *testing.T) {
	t.Parallel()
	for claims, want := range map[string]time.Duration{
		`{"iat":1000,"exp":1600}`:                10 * time.Minute,
		`{"exp":1600}`:                           0,
		`{"iat":1600,"exp":1600}`:                0,
		`{"iat":1,"exp":9223372036854775807}`:    0,
		`{"iat":-9223372036854775808,"exp":100}`: 0,
		`[]`:                                     0,
	} {
		if got := jwtLifetime(jwt(claims)); got != want {
			t.Errorf("%s: %v, want %v", claims, got, want)
		}
	}
	for _, opaque := range []string{"", "opaque", "a.b", "a.!.c", strings.Repeat(".", 10)} {
		if got := jwtLifetime(opaque); got != 0 {
			t.Errorf("%q: %v, want 0", opaque, got)
		}
	}
}

func FuzzTokenLifetime(f *testing.F) {
	f.Add(jwt(`{"iat":1000,"exp":1600}`))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, value string) {
		now := time.Unix(1_800_000_000, 0)
		got := newToken(value, now)
		if !got.expires.IsZero() && (!got.refreshAt.After(now) || got.refreshAt.After(got.expires)) {
			t.Errorf("refresh at %v, expires %v", got.refreshAt, got.expires)
		}
	})
}
