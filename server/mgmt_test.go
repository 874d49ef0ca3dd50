package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/broker"
	"github.com/on-demand-broker/odb/server"
)

// upgrading is a management of one verb.
type upgrading struct {
	server.Management
	upgrade func() (string, error)
}

func (u upgrading) Upgrade(context.Context, string, broker.Maintenance) (string, error) {
	return u.upgrade()
}

func upgrade(t *testing.T, url, body string) (*http.Response, string) {
	t.Helper()
	request, _ := http.NewRequest(http.MethodPatch, url+"/mgmt/service_instances/i-1?operation_type=upgrade", strings.NewReader(body))
	request.SetBasicAuth("u", "p")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// The errands of old know 404, 409, 410 and 500; of everything else they tell status and body, and fail.
func TestKindsOfErrorsUnderManagement(t *testing.T) {
	for kind := broker.Internal; kind <= broker.Unavailable; kind++ {
		want, empty := 500, false
		switch kind {
		case broker.BadRequest:
			want = 400
		case broker.NotFound:
			want = 404
		case broker.Gone:
			want, empty = 410, true
		case broker.Concurrency:
			want, empty = 409, true
		case broker.Unsafe: // of clean-up only
			want = 422
		case broker.Unavailable:
			want = 503
		}
		g := NewWithT(t)
		refused := &broker.Error{Kind: kind, Message: "the user's words", Cause: errors.New("the cause")}
		url, _ := start(t, brokerDouble{Management: upgrading{upgrade: func() (string, error) { return "", refused }}}, nil)
		response, body := upgrade(t, url, `{"plan_id":"p"}`)
		g.Expect(response.StatusCode).To(Equal(want), "kind %d", kind)
		if empty {
			g.Expect(body).To(BeEmpty())
			continue
		}
		g.Expect(response.Header.Get("Content-Type")).To(Equal("application/json"))
		g.Expect(body).To(Equal(`{"description":"the user's words"}` + "\n"))
	}
}

func TestCausesUnderManagement(t *testing.T) {
	double := func(err error) brokerDouble {
		return brokerDouble{Management: upgrading{upgrade: func() (string, error) { return "", err }}}
	}
	t.Run("that nobody foresaw are in the log", func(t *testing.T) {
		g := NewWithT(t)
		url, log := start(t, double(errors.New("hush")), nil)
		_, body := upgrade(t, url, `{}`)
		g.Expect(body).To(And(ContainSubstring("broker-request-id"), Not(ContainSubstring("hush"))))
		g.Expect(log.String()).To(ContainSubstring("hush"))
	})
	t.Run("are shown if the operator wants", func(t *testing.T) {
		g := NewWithT(t)
		url, _ := start(t, double(&broker.Error{Message: "words", Cause: errors.New("the cause")}), func(o *server.Options) { o.ExposeOperationalErrors = true })
		_, body := upgrade(t, url, `{}`)
		g.Expect(body).To(Equal(`{"description":"words - error-message: the cause"}` + "\n"))
	})
}

func TestBodiesUnderManagement(t *testing.T) {
	url, _ := start(t, brokerDouble{Management: upgrading{upgrade: func() (string, error) { return "", nil }}}, nil)
	for body, want := range map[string]int{
		`{"plan_id":"p"}`: 204, "": 422, "{": 422, "[]": 422, `{"plan_id":1}`: 422, `{"context":"` + strings.Repeat("x", 3<<20) + `"}`: 422,
	} {
		response, text := upgrade(t, url, body)
		NewWithT(t).Expect(response.StatusCode).To(Equal(want), "%.20s: %s", body, text)
	}
}
