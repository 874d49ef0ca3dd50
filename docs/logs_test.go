package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/config"
)

// logLine is what a message is in the code, or what LOGS.md says of it: its levels and the fields of its own.
type logLine struct{ levels, fields map[string]bool }

func (l logLine) String() string {
	return strings.Join(slices.Sorted(maps.Keys(l.levels)), ", ") + ": " + strings.Join(slices.Sorted(maps.Keys(l.fields)), ", ")
}

// spelledOut are the messages of which the code has a part in a variable. Those of *.refused and *.failed are as many as there are
// verbs, and have one row each.
var spelledOut = map[string][]string{
	"config.*": {"config." + string(config.Error), "config." + string(config.Warning), "config." + string(config.Notice)},
	"*.done":   {"bind.done", "unbind.done"},
}

// logMethods are slog's: where the message stands among the arguments, and at which level it is written.
var logMethods = map[string]struct {
	message int
	level   string
}{
	"Info": {0, "info"}, "Warn": {0, "warning"}, "Error": {0, "error"}, "Debug": {0, "debug"},
	"InfoContext": {1, "info"}, "WarnContext": {1, "warning"}, "ErrorContext": {1, "error"}, "DebugContext": {1, "debug"},
	"Log": {2, ""}, "LogAttrs": {2, ""},
}

func TestEveryLogLineIsInTheTableAndIsWritten(t *testing.T) {
	written, told := writtenLines(t), tabledLines(t)
	for message, line := range written {
		switch in, found := told[message]; {
		case !found:
			t.Errorf("LOGS.md says nothing of odb.%s (%s)", message, line)
		case in.String() != line.String():
			t.Errorf("odb.%s has\n%s\nand by LOGS.md\n%s", message, line, in)
		}
	}
	for message := range told {
		if _, found := written[message]; !found {
			t.Errorf("LOGS.md tells of odb.%s, which nothing writes", message)
		}
	}
	if len(written) < 80 {
		t.Errorf("only %d messages were found", len(written))
	}
}

// tableRow is message, level, fields, meaning and what to do.
var tableRow = regexp.MustCompile("(?m)^\\| `odb\\.([a-z*.-]+)` \\| ([a-z, ]+) \\| ([^|]*) \\| [^|]+ \\| [^|]+ \\|$")

func tabledLines(t *testing.T) map[string]logLine {
	t.Helper()
	lines := map[string]logLine{}
	for _, found := range tableRow.FindAllStringSubmatch(read(t, "LOGS.md"), -1) {
		if _, twice := lines[found[1]]; twice {
			t.Errorf("LOGS.md has odb.%s twice", found[1])
		}
		line := logLine{map[string]bool{}, map[string]bool{}}
		for level := range strings.SplitSeq(found[2], ", ") {
			line.levels[level] = true
		}
		for _, field := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(found[3], -1) {
			line.fields[field[1]] = true
		}
		lines[found[1]] = line
	}
	return lines
}

// writtenLines are what the program writes, by message. Lines at debug level are left out: nothing turns them on.
func writtenLines(t *testing.T) map[string]logLine {
	t.Helper()
	lines := map[string]logLine{}
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			mustBeCalledLogger(t, n)
			within, ok := n.(*ast.FuncDecl)
			if !ok {
				return true
			}
			ast.Inspect(within, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					noteLine(lines, within, call)
				}
				return true
			})
			return true
		})
	}
	return lines
}

// sources are the parts of the program, without tests.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	var files []*ast.File
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(path, "../.") || path == "../examples") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		files = append(files, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// mustBeCalledLogger: noteLine knows a logger by its name.
func mustBeCalledLogger(t *testing.T, n ast.Node) {
	t.Helper()
	field, ok := n.(*ast.Field)
	if !ok {
		return
	}
	pointer, ok := field.Type.(*ast.StarExpr)
	if !ok {
		return
	}
	if named, ok := pointer.X.(*ast.SelectorExpr); !ok || named.Sel.Name != "Logger" {
		return
	}
	for _, name := range field.Names {
		if !strings.EqualFold(name.Name, "logger") {
			t.Errorf("a *slog.Logger is called %s, so that its lines aren't found", name.Name)
		}
	}
}

// noteLine adds what a call writes, if it is one of a logger.
func noteLine(lines map[string]logLine, within *ast.FuncDecl, call *ast.CallExpr) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !strings.EqualFold(lastName(method.X), "logger") {
		return
	}
	writes, ok := logMethods[method.Sel.Name]
	if !ok || writes.level == "debug" {
		return
	}
	levels := []string{writes.level}
	if writes.level == "" {
		levels = texts(within, call.Args[1])
	}
	for _, text := range texts(within, call.Args[writes.message]) {
		messages := spelledOut[text]
		if messages == nil {
			messages = []string{text}
		}
		for _, message := range messages {
			noteFields(lines, message, levelsOf(message, levels), within, call)
		}
	}
}

// levelsOf narrows the levels that a call may write at to those of one of its messages, where the two go together.
func levelsOf(message string, levels []string) []string {
	name := map[string]string{"refused": "info", "failed": "error", "warning": "warning", "notice": "warning", "error": "error"}[message[strings.LastIndex(message, ".")+1:]]
	if len(levels) > 1 && slices.Contains(levels, name) {
		return []string{name}
	}
	return levels
}

func noteFields(lines map[string]logLine, message string, levels []string, within *ast.FuncDecl, call *ast.CallExpr) {
	line, found := lines[message]
	if !found {
		line = logLine{map[string]bool{}, map[string]bool{}}
		lines[message] = line
	}
	for _, level := range levels {
		line.levels[level] = true
	}
	from := ast.Node(call)
	if call.Ellipsis != token.NoPos { // the attributes were gathered before
		from = within
	}
	for _, field := range attributesIn(from, call.End()) {
		line.fields[field] = true
	}
}

// attributesIn are the names of what slog.String, slog.Int and the like make within a node, up to an end. A group is one field.
func attributesIn(n ast.Node, end token.Pos) []string {
	var names []string
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Pos() >= end {
			return n == nil || n.Pos() < end
		}
		made, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || lastName(made.X) != "slog" || len(call.Args) == 0 {
			return true
		}
		if name, ok := call.Args[0].(*ast.BasicLit); ok {
			names = append(names, literal(name))
		}
		return made.Sel.Name != "Group"
	})
	return names
}

// texts are what an expression may be in a function, with a * for each part that isn't written out. Levels are told by their names.
func texts(within *ast.FuncDecl, e ast.Expr) []string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return []string{literal(e)}
	case *ast.SelectorExpr:
		if level, found := strings.CutPrefix(e.Sel.Name, "Level"); found {
			return []string{strings.Replace(strings.ToLower(level), "warn", "warning", 1)}
		}
	case *ast.BinaryExpr:
		return []string{texts(within, e.X)[0] + texts(within, e.Y)[0]}
	case *ast.Ident:
		if values := assigned(within, e.Name); len(values) > 0 {
			return values
		}
	}
	return []string{"*"}
}

// assigned are the values that a variable is given in a function.
func assigned(within *ast.FuncDecl, name string) []string {
	var values []string
	ast.Inspect(within, func(n ast.Node) bool {
		if given, ok := n.(*ast.AssignStmt); ok && len(given.Lhs) == len(given.Rhs) {
			for i, to := range given.Lhs {
				if lastName(to) == name {
					values = append(values, texts(within, given.Rhs[i])...)
				}
			}
		}
		return true
	})
	return values
}

func literal(l *ast.BasicLit) string {
	text, err := strconv.Unquote(l.Value)
	if err != nil {
		return l.Value
	}
	return text
}

// lastName is the last part of a.b.c.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
