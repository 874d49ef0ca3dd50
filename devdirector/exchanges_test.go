package devdirector_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
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

func (e *exchange) port() string {
	_, port, _ := strings.Cut(e.header.Get("Host"), ":")
	return port
}

func (e *exchange) when(t *testing.T) time.Time {
	t.Helper()
	raw := e.answer.Get("Date")
	for _, layout := range []string{http.TimeFormat, time.RFC1123Z} {
		if parsed, err := time.Parse(layout, raw); err == nil {
			return parsed
		}
	}
	t.Fatalf("%s: date %q", e.name, raw)
	return time.Time{}
}

// recordedTask is the id in the Location of the recorded answer, "" if there is none.
func (e *exchange) recordedTask() string { return taskInLocation(e.answer) }

func taskInLocation(h http.Header) string {
	_, id, _ := strings.Cut(h.Get("Location"), "/tasks/")
	return id
}

// readExchanges reads the recordings in the order in which they were made.
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
	slices.SortStableFunc(list, func(a, b *exchange) int { return strings.Compare(a.name, b.name) })
	slices.SortStableFunc(list, func(a, b *exchange) int { return a.when(t).Compare(b.when(t)) })
	return list
}

// parseExchange reads the format of the recordings. Their lines end in \n, and lengths are of the bodies before they
// were cut, so neither can be read as HTTP; of a redirect that was followed only the first answer counts.
func parseExchange(text string) (*exchange, error) {
	_, rest, _ := strings.Cut(text, "## request\n")
	request, answer, found := strings.Cut(rest, "\n## response\n")
	if !found {
		return nil, fmt.Errorf("no response")
	}
	e := &exchange{}
	head, body, _ := strings.Cut(request, "\n\n")
	first, lines, _ := strings.Cut(head, "\n")
	e.method, e.path, _ = strings.Cut(first, " ")
	e.path, _, _ = strings.Cut(e.path, " ")
	var err error
	if e.header, err = parseHeader(lines); err != nil {
		return nil, err
	}
	if length, err := strconv.Atoi(e.header.Get("Content-Length")); err == nil {
		e.body = body[:min(length, len(body))]
	}
	head, e.content, _ = strings.Cut(answer, "\n\n")
	if strings.HasPrefix(e.content, "HTTP/1.1 ") {
		e.content = "" // the answer to the redirect that was followed
	}
	status, lines, _ := strings.Cut(head, "\n")
	if _, err := fmt.Sscanf(status, "HTTP/1.1 %d", &e.status); err != nil {
		return nil, fmt.Errorf("status line %q: %w", status, err)
	}
	e.answer, err = parseHeader(lines)
	return e, err
}

func parseHeader(lines string) (http.Header, error) {
	h := http.Header{}
	scanner := bufio.NewScanner(strings.NewReader(lines))
	for scanner.Scan() {
		name, value, found := strings.Cut(scanner.Text(), ": ")
		if !found {
			break // the next request of a redirect that was followed
		}
		h.Add(name, value)
	}
	return h, scanner.Err()
}

var (
	uuidPattern   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	hexPattern    = regexp.MustCompile(`\b[0-9a-f]{16,}\b`)
	taskIDPattern = regexp.MustCompile(`([Tt]ask |task id is |tasks/)\d+`)
)

// ids translates what the recorded Director called things into what the replayed one calls them.
type ids struct {
	tasks, uuids, providers map[string]string
}

func newIDs() *ids {
	return &ids{tasks: map[string]string{}, uuids: map[string]string{}, providers: map[string]string{}}
}

var (
	taskPath     = regexp.MustCompile(`^/tasks?/(\d+)`)
	providerBody = regexp.MustCompile(`("link_provider_id":")(\d+)`)
)

func (x *ids) request(e *exchange) (path, body string) {
	path = e.path
	if found := taskPath.FindStringSubmatchIndex(path); found != nil {
		if known, is := x.tasks[path[found[2]:found[3]]]; is {
			path = path[:found[2]] + known + path[found[3]:]
		}
	}
	path = uuidPattern.ReplaceAllStringFunc(path, func(u string) string {
		if known, is := x.uuids[u]; is {
			return known
		}
		return u
	})
	body = providerBody.ReplaceAllStringFunc(e.body, func(found string) string {
		parts := providerBody.FindStringSubmatch(found)
		if known, is := x.providers[parts[2]]; is {
			return parts[1] + known
		}
		return found
	})
	return path, body
}

// replay sends the recorded request.
func replay(client *http.Client, base, token string, e *exchange, x *ids) (answer, error) {
	path, body := x.request(e)
	request, err := http.NewRequest(e.method, base+path, bytes.NewBufferString(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range e.header {
		switch name {
		case "Host", "Content-Length", "Connection":
		default:
			request.Header[name] = values
		}
	}
	if token != "" {
		kind, _, _ := strings.Cut(e.header.Get("Authorization"), " ")
		request.Header.Set("Authorization", kind+" "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}
