package cftest_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// exchange is one recorded request with its answer.
type exchange struct {
	name    string
	method  string
	path    string
	header  http.Header
	body    string
	status  int
	answer  http.Header
	content string
}

// toBroker tells whether Cloud Controller sent it to its broker, rather than a client to Cloud Controller.
func (e *exchange) toBroker() bool { return strings.HasPrefix(e.name, "5") }

// readExchanges reads the recordings by name, which is nearly the order in which they were made.
func readExchanges(t *testing.T) []*exchange {
	t.Helper()
	files, err := filepath.Glob("testdata/recorded/*.http")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var list []*exchange
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := parseExchange(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		e.name = strings.TrimSuffix(filepath.Base(file), ".http")
		list = append(list, e)
	}
	return list
}

// parseExchange reads the format of the recordings, whose lines end in \n.
func parseExchange(text string) (*exchange, error) {
	_, rest, _ := strings.Cut(text, "## request\n")
	request, answer, found := strings.Cut(rest, "\n## response\n")
	if !found {
		return nil, fmt.Errorf("no response")
	}
	e := &exchange{}
	head, body, _ := strings.Cut(request, "\n\n")
	first, lines, _ := strings.Cut(head, "\n")
	words := strings.Fields(first)
	if len(words) != 3 {
		return nil, fmt.Errorf("request line %q", first)
	}
	e.method, e.path, e.header = words[0], words[1], parseHeader(lines)
	if length, err := strconv.Atoi(e.header.Get("Content-Length")); err == nil {
		e.body = body[:min(length, len(body))]
	}
	head, e.content, _ = strings.Cut(answer, "\n\n")
	status, lines, _ := strings.Cut(head, "\n")
	if _, err := fmt.Sscanf(status, "HTTP/1.1 %d", &e.status); err != nil {
		return nil, fmt.Errorf("status line %q: %w", status, err)
	}
	e.answer = parseHeader(lines)
	return e, nil
}

func parseHeader(lines string) http.Header {
	h := http.Header{}
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		h.Add(strings.TrimSuffix(name, ":"), value)
	}
	return h
}
