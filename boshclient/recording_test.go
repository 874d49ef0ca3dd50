package boshclient_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	. "github.com/onsi/gomega"
)

// recording is an exchange with a real Director (v282.1.17), as testdata holds them.
type recording struct {
	method, path string
	query        map[string][]string
	header       http.Header
	body         string
	status       int
	answerHeader http.Header
	answer       []byte
}

// load reads testdata/NUMBER-*.http, or NUMBER if that is a whole file name without the ending.
func load(name string) recording {
	files, err := filepath.Glob(filepath.Join("testdata", name+"*.http"))
	Expect(err).NotTo(HaveOccurred())
	Expect(files).To(HaveLen(1), name)
	text, err := os.ReadFile(files[0])
	Expect(err).NotTo(HaveOccurred())
	_, text, _ = bytes.Cut(text, []byte("## request\n"))
	asked, answered, found := bytes.Cut(text, []byte("\n## response\n"))
	Expect(found).To(BeTrue(), files[0])

	// curl's notation has no body length where there is no body, which is what ReadRequest wants.
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(asked, '\n'))))
	Expect(err).NotTo(HaveOccurred(), files[0])
	body, err := io.ReadAll(request.Body)
	Expect(err).NotTo(HaveOccurred(), files[0])
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answered)), request)
	Expect(err).NotTo(HaveOccurred(), files[0])
	answer, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred(), files[0])
	return recording{
		method: request.Method, path: request.URL.EscapedPath(), query: request.URL.Query(), header: request.Header,
		body: string(body), status: response.StatusCode, answerHeader: response.Header, answer: answer,
	}
}

func (r recording) play(w http.ResponseWriter, _ *http.Request) {
	for name, values := range r.answerHeader {
		if name != "Connection" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.answer)
}

// playing answers the requests with the recordings, one after the other; one more is a 418.
func playing(names ...string) http.HandlerFunc {
	var next atomic.Int64
	recordings := make([]recording, len(names))
	for i, name := range names {
		recordings[i] = load(name)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if i := int(next.Add(1)) - 1; i < len(recordings) {
			recordings[i].play(w, r)
			return
		}
		http.Error(w, "the recordings are used up", http.StatusTeapot)
	}
}

// wire is a request in one comparable line per part: what matters to the Director.
func wire(method, path string, query map[string][]string, header http.Header, body string) string {
	return strings.Join([]string{
		method + " " + path, fmt.Sprint(query), "Content-Type: " + header.Get("Content-Type"),
		"X-Bosh-Context-Id: " + header.Get("X-Bosh-Context-Id"), "Range: " + header.Get("Range"), body,
	}, "\n")
}
