// Package tracecontext is W3C Trace Context (https://www.w3.org/TR/trace-context/): which trace a request belongs to, read from
// its headers, kept in a context.Context, and handed on. The broker records no spans, so it hands on the parent that it was given: what
// it asks of others hangs below the platform's span, with no gap in between. It knows no room beside it.
package tracecontext

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
)

// The headers, as net/http spells them.
const (
	traceparentHeader = "Traceparent"
	tracestateHeader  = "Tracestate"
)

// Trace is what a request hands on. The zero value is none.
type Trace struct {
	parent string // a traceparent of version 00
	state  string // a tracestate; may be empty
}

// New begins a trace. Its id is the given one, 16 bytes, that something else is known by already.
func New(id [16]byte) Trace {
	var span [8]byte
	rand.Read(span[:]) // never fails
	return Trace{parent: "00-" + hex.EncodeToString(id[:]) + "-" + hex.EncodeToString(span[:]) + "-01"}
}

// traceparentForm is what all versions begin with; what may follow begins with a dash.
var traceparentForm = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

const (
	zeroTrace, zeroParent = "00000000000000000000000000000000", "0000000000000000"
	maxTraceparent        = 256  // bytes; of version 00 there are 55
	knownFlags            = 0x03 // sampled, random
)

// Read takes the trace from a request's headers. There is none if traceparent is missing, there twice, or not as the
// specification has it; of a later version what version 00 knows is taken. A tracestate that can't be right is left out.
func Read(header http.Header) (t Trace, ok bool) {
	given := header.Values(traceparentHeader)
	if len(given) != 1 || len(given[0]) > maxTraceparent {
		return Trace{}, false
	}
	parts := traceparentForm.FindStringSubmatch(strings.Trim(given[0], " \t"))
	if parts == nil {
		return Trace{}, false
	}
	version, traceID, parentID, rest := parts[1], parts[2], parts[3], parts[5]
	if version == "ff" || (version == "00" && rest != "") || traceID == zeroTrace || parentID == zeroParent {
		return Trace{}, false
	}
	flags, err := hex.DecodeString(parts[4])
	if err != nil {
		return Trace{}, false
	}
	flags[0] &= knownFlags
	return Trace{
		parent: "00-" + traceID + "-" + parentID + "-" + hex.EncodeToString(flags),
		state:  readState(header.Values(tracestateHeader)),
	}, true
}

// ID is the trace's id, 32 hexadecimal digits; empty for no trace.
func (t Trace) ID() string {
	if t.parent == "" {
		return ""
	}
	return t.parent[3 : 3+len(zeroTrace)]
}

// Parent is the trace as a traceparent; empty for no trace.
func (t Trace) Parent() string { return t.parent }

// State is what belongs to it as a tracestate; often empty.
func (t Trace) State() string { return t.state }

// Write sets the headers of a request that belongs to the trace.
func (t Trace) Write(header http.Header) {
	if t.parent == "" {
		return
	}
	header.Set(traceparentHeader, t.parent)
	if t.state != "" {
		header.Set(tracestateHeader, t.state)
	}
}

type traceKey struct{}

// With returns a context whose requests belong to the trace.
func With(ctx context.Context, t Trace) context.Context { return context.WithValue(ctx, traceKey{}, t) }

// From is the trace that ctx belongs to; the zero value for none.
func From(ctx context.Context) Trace {
	t, _ := ctx.Value(traceKey{}).(Trace)
	return t
}
