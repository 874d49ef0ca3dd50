package config

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity grades a Problem; the package comment says what each grade is for.
type Severity string

// The grades, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Notice  Severity = "notice"
)

// Problem is one thing that is wrong, or worth knowing, about one key of the file. It never holds a secret value.
type Problem struct {
	File     string   `json:"file"`
	Line     int      `json:"line"` // from 1
	Path     string   `json:"path"` // service_catalog.plans[2].name; indices count from 0; empty for the file as a whole
	What     string   `json:"problem"`
	Want     string   `json:"want"` // what would be right
	Severity Severity `json:"severity"`
}

// String gives "file:line: path: problem, what would be right". What is missing where there is no file has no place in one.
func (p Problem) String() string {
	where := ""
	if p.File != "" {
		where = fmt.Sprintf("%s:%d: ", p.File, p.Line)
	}
	if p.Path != "" {
		where += p.Path + ": "
	}
	return where + p.What + ", " + p.Want
}

// Problems is the error of Load and Parse: all problems for which they refused the file, by line.
type Problems struct {
	All []Problem
}

// Error gives one line for each problem.
func (p *Problems) Error() string {
	lines := make([]string, 0, len(p.All))
	for _, problem := range p.All {
		lines = append(lines, problem.String())
	}
	return strings.Join(lines, "\n")
}

// SortByLine puts problems from several sources into the order of the file; those of one line keep theirs.
func SortByLine(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}

// format is how to speak of one of the kinds of files.
type format struct {
	reader string // who reads it
	advice string // for one that is none of its kind at all
}

// brokerFile is the format of broker.yml.
func brokerFile() format {
	return format{reader: "the broker", advice: "start from the file that `odb config example` prints"}
}

// document is the file while it is read: its problems, and the lines and kinds of what stands in it.
type document struct {
	name     string
	format   format
	last     int             // number of the last line
	lines    map[string]int  // path → line
	null     map[string]bool // paths at which null stands
	broken   map[string]bool // paths at which something stands that can't be read
	problems []Problem
}

// newDocument is a file of which nothing has been read yet.
func newDocument(name string, text []byte) *document {
	last := bytes.Count(text, []byte("\n"))
	if !bytes.HasSuffix(text, []byte("\n")) {
		last++
	}
	return &document{name: name, format: brokerFile(), last: last, lines: map[string]int{}, null: map[string]bool{}, broken: map[string]bool{}}
}

func (d *document) note(path string, line int, null bool) { d.lines[path], d.null[path] = line, null }

func (d *document) report(line int, path string, severity Severity, what, want string) {
	line = min(max(line, 1), d.last)
	d.problems = append(d.problems, Problem{File: d.name, Line: line, Path: path, What: what, Want: want, Severity: severity})
}

// refuseWarnings makes errors of warnings.
func (d *document) refuseWarnings() {
	for i := range d.problems {
		if d.problems[i].Severity == Warning {
			d.problems[i].Severity = Error
		}
	}
}

// refusal tells the errors from the rest, in the order of the file.
func (d *document) refusal() (rest []Problem, err error) {
	SortByLine(d.problems)
	var refused []Problem
	for _, p := range d.problems {
		if p.Severity == Error {
			refused = append(refused, p)
		} else {
			rest = append(rest, p)
		}
	}
	if refused != nil {
		return rest, &Problems{All: refused}
	}
	return rest, nil
}

// section is a place in the file from which checks speak.
type section struct {
	doc  *document
	path string
}

func (s section) key(names ...string) section {
	for _, name := range names {
		s.path = joinKey(s.path, name)
	}
	return s
}

func (s section) item(i int) section { return section{s.doc, fmt.Sprintf("%s[%d]", s.path, i)} }

// line is where the section stands in the file or, if it isn't there, where the nearest thing around it does.
func (s section) line() int {
	for path := s.path; path != ""; path = parentPath(path) {
		if line, ok := s.doc.lines[path]; ok {
			return line
		}
	}
	return 1
}

func (s section) isNull() bool { return s.doc.null[s.path] }

// broken tells whether something stands there that can't be read.
func (s section) broken() bool { return s.doc.broken[s.path] }

func (s section) report(severity Severity, what, want string) {
	s.doc.report(s.line(), s.path, severity, what, want)
}

func (s section) refuse(what, want string) { s.report(Error, what, want) }
func (s section) warn(what, want string)   { s.report(Warning, what, want) }
func (s section) notice(what, want string) { s.report(Notice, what, want) }

// given tells whether the section stands in the file with a value that isn't null.
func (s section) given() bool {
	_, there := s.doc.lines[s.path]
	return there && !s.isNull()
}

// need reports a key without a value, unless what stands there, or around it, couldn't be read.
func (s section) need(severity Severity, given bool, want string) {
	if given || s.doc.broken[""] {
		return
	}
	for path := s.path; path != ""; path = parentPath(path) {
		if s.doc.broken[path] {
			return
		}
	}
	s.report(severity, "is missing or empty", want)
}

// oneOfThese lists what would be right.
func oneOfThese(values []string) string {
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}

// joinKey makes a path that a reader can tell apart: keys that hold more than the usual characters are quoted.
func joinKey(path, key string) string {
	plain := key != "" && strings.IndexFunc(key, func(r rune) bool {
		return !(r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}) < 0
	switch {
	case !plain:
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	default:
		return path + "." + key
	}
}

// parentPath cuts the last key or index off.
func parentPath(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }
