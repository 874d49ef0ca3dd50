package devdirector

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// FaultKind is a way in which a request can go wrong.
type FaultKind string

// The kinds of faults.
const (
	FaultRefuse FaultKind = "refuse" // the connection is reset, nothing is answered
	FaultHang   FaultKind = "hang"   // nothing happens until the client goes or the faults are cleared
	FaultCut    FaultKind = "cut"    // the request is handled, half of the answer is sent, the connection closed
	FaultStatus FaultKind = "status" // Status and Body are answered
	FaultDelay  FaultKind = "delay"  // the answer comes later, by Delay of real time
)

// Fault lets requests go wrong.
type Fault struct {
	Kind FaultKind
	// Method and Path (a regular expression for the escaped path) select requests; "" is any.
	Method string
	Path   string
	// Skip lets so many requests that fit pass first; Times is for how many after that the fault holds, 0: always.
	Skip, Times int
	// Status and Body of FaultStatus. A 401 without a Body has the Director's.
	Status int
	Body   string
	Delay  time.Duration
	// AfterHandling: the Director has done what it was asked, and only the answer is lost. FaultCut always is so.
	AfterHandling bool
}

// ErrFault is what AddFault answers for a fault that can't be.
var ErrFault = errors.New("not a fault")

type activeFault struct {
	Fault
	path       *regexp.Regexp
	skip, left int
}

type faultList struct {
	mu      sync.Mutex
	active  []*activeFault
	changed chan struct{} // closed when the faults are cleared
}

// AddFault adds a fault; of several that fit a request the one that was added first counts.
func (d *Director) AddFault(f Fault) error {
	if !slices.Contains([]FaultKind{FaultRefuse, FaultHang, FaultCut, FaultStatus, FaultDelay}, f.Kind) {
		return fmt.Errorf("%w: kind %q", ErrFault, f.Kind)
	}
	if f.Kind == FaultStatus && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("%w: status %d", ErrFault, f.Status)
	}
	path, err := regexp.Compile(f.Path)
	if err != nil {
		return fmt.Errorf("%w: path: %w", ErrFault, err)
	}
	d.faults.mu.Lock()
	defer d.faults.mu.Unlock()
	d.faults.active = append(d.faults.active, &activeFault{Fault: f, path: path, skip: f.Skip, left: f.Times})
	return nil
}

// ClearFaults ends all faults, and lets go the requests that hang.
func (d *Director) ClearFaults() {
	d.faults.mu.Lock()
	defer d.faults.mu.Unlock()
	d.faults.active = nil
	close(d.faults.changed)
	d.faults.changed = make(chan struct{})
}

// match finds the fault of a request, nil for none.
func (l *faultList) match(method, path string) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, f := range l.active {
		if (f.Method != "" && f.Method != method) || !f.path.MatchString(path) {
			continue
		}
		if f.skip > 0 {
			f.skip--
			continue
		}
		if f.Times > 0 {
			f.left--
			if f.left == 0 {
				l.active = slices.Delete(l.active, n, n+1)
			}
		}
		return &f.Fault
	}
	return nil
}

func (l *faultList) cleared() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// handlesFirst tells whether the request is handled before it goes wrong.
func (f *Fault) handlesFirst() bool { return f.AfterHandling || f.Kind == FaultCut }

// inflict does what the fault is about. It may have something to answer instead; or it is over, and nothing is to be
// answered any more.
func (d *Director) inflict(f *Fault, w http.ResponseWriter, r *http.Request, handled *response) (instead *response, over bool) {
	switch f.Kind {
	case FaultRefuse:
		breakConnection(w, nil)
		return nil, true
	case FaultCut:
		whole := handled.wire(r, d.options.RedirectStatus)
		breakConnection(w, whole[:len(whole)/2])
		return nil, true
	case FaultHang:
		select {
		case <-d.faults.cleared():
		case <-d.closed:
		case <-r.Context().Done():
		}
	case FaultDelay:
		d.wait(r.Context(), f.Delay)
	case FaultStatus:
		told := text(f.Status, f.Body)
		if f.Status == http.StatusUnauthorized && f.Body == "" {
			told = notAuthorized(r.URL.EscapedPath())
		}
		return &told, false
	}
	return nil, r.Context().Err() != nil
}

// breakConnection sends what there is to send, then closes; with nothing to send, it resets.
func breakConnection(w http.ResponseWriter, last []byte) {
	hijacker, is := w.(http.Hijacker)
	if !is {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	if len(last) > 0 {
		_, _ = conn.Write(last) // it is going to be broken anyway
		return
	}
	plain := conn
	if secured, is := conn.(*tls.Conn); is {
		plain = secured.NetConn()
	}
	if tcp, is := plain.(*net.TCPConn); is {
		_ = tcp.SetLinger(0) // else it ends less abruptly
		_ = tcp.Close()
	}
}

// wire is the answer as it would go over the wire.
func (a *response) wire(r *http.Request, redirectStatus int) []byte {
	recorded := &recorder{header: http.Header{}}
	a.write(recorded, r, redirectStatus)
	b := []byte("HTTP/1.1 " + strconv.Itoa(recorded.status) + " " + http.StatusText(recorded.status) + "\r\n")
	for name, values := range recorded.header {
		b = append(b, name+": "+values[0]+"\r\n"...)
	}
	return append(append(b, "\r\n"...), recorded.body...)
}

type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }
func (r *recorder) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return len(b), nil
}
