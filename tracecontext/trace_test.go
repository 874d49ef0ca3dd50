package tracecontext_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/tracecontext"
)

const (
	id     = "0af7651916cd43dd8448eb211c80319c"
	parent = "b7ad6b7169203331"
	whole  = "00-" + id + "-" + parent + "-01"
)

func header(name string, values ...string) http.Header {
	h := http.Header{}
	for _, value := range values {
		h.Add(name, value)
	}
	return h
}

func TestReadTraceparent(t *testing.T) {
	for given, want := range map[string]string{
		whole:                             whole,
		" " + whole + "\t":                whole,
		"00-" + id + "-" + parent + "-00": "00-" + id + "-" + parent + "-00",
		"00-" + id + "-" + parent + "-fb": "00-" + id + "-" + parent + "-03", // flags that nobody knows yet
		"01-" + id + "-" + parent + "-01": whole,                             // a later version, which may have more
		"cc-" + id + "-" + parent + "-01-what-the-future-will-be-like": whole,

		"":                                     "",
		"rubbish":                              "",
		whole + "-":                            "",
		"00-" + id + "-" + parent + "-01-more": "",
		"cc-" + id + "-" + parent + "-01.more": "",
		"ff-" + id + "-" + parent + "-01":      "",
		"0-" + id + "-" + parent + "-01":       "",
		"00-" + strings.Repeat("0", 32) + "-" + parent + "-01":        "",
		"00-" + id + "-" + strings.Repeat("0", 16) + "-01":            "",
		"00-" + strings.ToUpper(id) + "-" + parent + "-01":            "",
		"00-" + id[1:] + "-" + parent + "-01":                         "",
		"00-" + id + "-" + parent + "-1":                              "",
		"00-" + id + "-" + parent + "-xx":                             "",
		"cc-" + id + "-" + parent + "-01-" + strings.Repeat("x", 300): "",
	} {
		got, ok := tracecontext.Read(header("Traceparent", given))
		if got.Parent() != want || ok != (want != "") {
			t.Errorf("%q: %q, not %q", given, got.Parent(), want)
		}
		if ok && got.ID() != id {
			t.Errorf("%q: its id is %q", given, got.ID())
		}
	}
	if _, ok := tracecontext.Read(header("Traceparent", whole, whole)); ok {
		t.Error("of two none counts")
	}
}

func TestReadTracestate(t *testing.T) {
	long := func(key string, length int) string { return key + "=" + strings.Repeat("v", length-len(key)-1) }
	for _, c := range []struct {
		given []string
		want  string
	}{
		{nil, ""},
		{[]string{"rojo=00f067aa0ba902b7"}, "rojo=00f067aa0ba902b7"},
		{[]string{"rojo=1,congo=t61rcWkgMzE"}, "rojo=1,congo=t61rcWkgMzE"},
		{[]string{"rojo=1", "congo=2"}, "rojo=1,congo=2"},
		{[]string{" rojo=1 ,\t, congo=2"}, "rojo=1,congo=2"},
		{[]string{"tenant@vendor=a b", "0a*/_-=~"}, "tenant@vendor=a b,0a*/_-=~"},
		{[]string{"rojo=1,rojo=2"}, ""},
		{[]string{"Rojo=1"}, ""},
		{[]string{"rojo"}, ""},
		{[]string{"rojo="}, ""},
		{[]string{"rojo=a=b"}, ""},
		{[]string{"rojo=\x7f"}, ""},
		{[]string{"@vendor=1"}, ""},
		{[]string{long("a", 259)}, ""}, // a value of 257
		{[]string{strings.TrimSuffix(strings.Repeat("x,", 33), ",")}, ""},
		{[]string{strings.Repeat(",", 17<<10)}, ""},
		{[]string{long("a", 120), long("b", 200), long("c", 120), long("d", 120), long("e", 120)}, strings.Join([]string{long("a", 120), long("c", 120), long("d", 120), long("e", 120)}, ",")},
		{[]string{long("a", 120), long("b", 120), long("c", 120), long("d", 120), long("e", 120)}, strings.Join([]string{long("a", 120), long("b", 120), long("c", 120), long("d", 120)}, ",")},
	} {
		h := header("Tracestate", c.given...)
		h.Set("Traceparent", whole)
		got, ok := tracecontext.Read(h)
		if !ok || got.State() != c.want {
			t.Errorf("%q: %q, not %q", c.given, got.State(), c.want)
		}
	}
	if got, _ := tracecontext.Read(header("Tracestate", "rojo=1")); got.State() != "" {
		t.Error("without a traceparent there is no tracestate")
	}
}

func TestATraceIsHandedOn(t *testing.T) {
	g := NewWithT(t)
	h := header("Traceparent", whole)
	h.Set("Tracestate", "rojo=1")
	given, _ := tracecontext.Read(h)
	next := http.Header{}
	tracecontext.From(tracecontext.With(context.Background(), given)).Write(next)
	g.Expect(next).To(Equal(h))

	none := http.Header{}
	tracecontext.From(context.Background()).Write(none)
	g.Expect(none).To(BeEmpty())
	g.Expect(tracecontext.From(context.Background()).ID()).To(BeEmpty())
}

func TestANewTraceIsKnownByItsID(t *testing.T) {
	g := NewWithT(t)
	made := tracecontext.New([16]byte{1, 2, 3})
	g.Expect(made.ID()).To(Equal("01020300000000000000000000000000"))
	read, ok := tracecontext.Read(header("Traceparent", made.Parent()))
	g.Expect(ok).To(BeTrue())
	g.Expect(read).To(Equal(made))
}

func FuzzRead(f *testing.F) {
	f.Add(whole, "rojo=1,congo=2")
	f.Add("cc-"+id+"-"+parent+"-01-x", " a=b ,, c@d=e")
	f.Fuzz(func(t *testing.T, traceparent, tracestate string) {
		h := header("Traceparent", traceparent)
		h.Set("Tracestate", tracestate)
		read, ok := tracecontext.Read(h)
		if !ok {
			if read != (tracecontext.Trace{}) {
				t.Errorf("none was read, and there is %+v", read)
			}
			return
		}
		if len(read.Parent()) != len(whole) || len(read.State()) > 512 {
			t.Errorf("%q %q is too long", read.Parent(), read.State())
		}
		again := http.Header{}
		read.Write(again)
		if reread, ok := tracecontext.Read(again); !ok || reread != read {
			t.Errorf("%+v was handed on as %+v", read, reread)
		}
	})
}
