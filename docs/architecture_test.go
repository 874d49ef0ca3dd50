package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/on-demand-broker/odb/"

// roomRow is a row of the rooms' table: name, what lives there, imports of ours, what tests import besides.
var roomRow = regexp.MustCompile("(?m)^\\| `([a-z/0-9-]+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$")

// imports are the rooms that a room's code needs, and those that only its tests need.
type imports struct{ code, tests map[string]bool }

func TestEveryRoomIsInTheTableWithItsImports(t *testing.T) {
	told := map[string]imports{}
	for _, row := range roomRow.FindAllStringSubmatch(read(t, "ARCHITECTURE.md"), -1) {
		told[row[1]] = imports{namesIn(row[3]), namesIn(row[4])}
	}
	rooms := roomsOfTheModule(t)
	for name, is := range rooms {
		says, found := told[name]
		if !found {
			t.Errorf("ARCHITECTURE.md has no row for the room %s", name)
			continue
		}
		for what, both := range map[string][2]map[string]bool{"imports": {is.code, says.code}, "tests import": {is.tests, says.tests}} {
			if !maps.Equal(both[0], both[1]) {
				t.Errorf("%s: %s\n%s\nand by ARCHITECTURE.md\n%s", name, what, listed(both[0]), listed(both[1]))
			}
		}
	}
	for name := range told {
		if _, found := rooms[name]; !found {
			t.Errorf("ARCHITECTURE.md tells of a room %s, which isn't there", name)
		}
	}
}

func listed(names map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(names)), ", ") }

func namesIn(cell string) map[string]bool {
	names := map[string]bool{}
	for name := range strings.SplitSeq(cell, ", ") {
		if name != "–" {
			names[name] = true
		}
	}
	return names
}

// roomsOfTheModule are its packages, by path, with what they import of one another.
func roomsOfTheModule(t *testing.T) map[string]imports {
	t.Helper()
	rooms := map[string]imports{}
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || (entry.IsDir() && foreign(file, entry)) {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if filepath.Ext(file) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		noteImports(rooms, strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../"), parsed, strings.HasSuffix(file, "_test.go"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range rooms {
		maps.DeleteFunc(room.tests, func(name string, _ bool) bool { return room.code[name] })
	}
	return rooms
}

// foreign tells whether what is in a directory belongs to no room: test data, other modules, what was built.
func foreign(dir string, entry fs.DirEntry) bool {
	if dir == ".." {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil || strings.HasPrefix(entry.Name(), ".") || slices.Contains([]string{"testdata", "bin", "src"}, entry.Name())
}

func noteImports(rooms map[string]imports, name string, file *ast.File, isTest bool) {
	room, found := rooms[name]
	if !found {
		room = imports{map[string]bool{}, map[string]bool{}}
		rooms[name] = room
	}
	into := room.code
	if isTest {
		into = room.tests
	}
	for _, spec := range file.Imports {
		if ours, is := strings.CutPrefix(literal(spec.Path), module); is && ours != name {
			into[ours] = true
		}
	}
}

var (
	mermaidBlock = regexp.MustCompile("(?s)```mermaid\n(.*?)\n```")
	// mermaidFunction is a function in a diagram: with its parentheses, after its room if that isn't plain.
	mermaidFunction = regexp.MustCompile(`\b([A-Za-z]\w+)\(\)`)
	functionDecl    = regexp.MustCompile(`(?m)^func (?:\([^)]*\) )?([A-Za-z]\w*)[\[(]`)
	participant     = regexp.MustCompile(`^(?:participant|actor) (\w+)(?: as (.+))?$`)
	message         = regexp.MustCompile(`^(\w+)-?->>[+-]?(\w+): [^;#]+$`)
	sequenceOther   = regexp.MustCompile(`^(?:Note (?:over|right of|left of) \w+(?:,\w+)?: [^;#]+|(?:alt|else|opt|loop|par|and|end)\b[^;#]*)$`)
	flowchartLine   = regexp.MustCompile(`^(?:\w+(?:\["[^"]+"\]|\{"[^"]+"\}|\(\["[^"]+"\]\))?(?: (?:-->|-\.->|---)(?:\|"[^"|]+"\|)? \w+(?:\["[^"]+"\]|\{"[^"]+"\}|\(\["[^"]+"\]\))?)*|subgraph \w+\["[^"]+"\]|end)$`)
	stateLine       = regexp.MustCompile(`^(?:\[\*\]|\w+) --> (?:\[\*\]|\w+)(?:: [^;#]+)?$`)
)

// Diagrams render on GitHub only if every line of them can be read, and help only if what they name is there.
func TestDiagramsCanBeDrawnAndNameWhatIsThere(t *testing.T) {
	functions := functionsOfTheModule(t)
	drawn := 0
	for _, document := range documents(t) {
		for _, block := range mermaidBlock.FindAllStringSubmatch(read(t, document), -1) {
			drawn++
			checkDiagram(t, document, strings.Split(block[1], "\n"))
			for _, named := range mermaidFunction.FindAllStringSubmatch(block[1], -1) {
				if !functions[named[1]] {
					t.Errorf("%s: a diagram names a function %s, which isn't there", document, named[1])
				}
			}
		}
	}
	if drawn < 5 {
		t.Errorf("only %d diagrams were found", drawn)
	}
}

func checkDiagram(t *testing.T, document string, lines []string) {
	t.Helper()
	kind, participants, open := lines[0], map[string]bool{}, 0
	for _, line := range lines[1:] {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if regexp.MustCompile(`^(?:alt|opt|loop|par|subgraph)\b`).MatchString(line) {
			open++
		} else if line == "end" {
			open--
		}
		if !drawable(kind, line, participants) {
			t.Errorf("%s: a %s can't have the line %q", document, kind, line)
		}
	}
	if open != 0 {
		t.Errorf("%s: a %s has blocks without an end, or ends without a block", document, kind)
	}
}

func drawable(kind, line string, participants map[string]bool) bool {
	switch kind {
	case "sequenceDiagram":
		if found := participant.FindStringSubmatch(line); found != nil {
			participants[found[1]] = true
			return true
		}
		if found := message.FindStringSubmatch(line); found != nil {
			return participants[found[1]] && participants[found[2]]
		}
		return sequenceOther.MatchString(line)
	case "flowchart LR", "flowchart TD":
		return flowchartLine.MatchString(line)
	case "stateDiagram-v2":
		return stateLine.MatchString(line)
	}
	return false
}

func functionsOfTheModule(t *testing.T) map[string]bool {
	t.Helper()
	functions := map[string]bool{}
	for room := range roomsOfTheModule(t) {
		files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, found := range functionDecl.FindAllStringSubmatch(read(t, file), -1) {
				functions[found[1]] = true
			}
		}
	}
	return functions
}

// fileNamed is a file in prose, as `broker/deploy.go`.
var fileNamed = regexp.MustCompile("`((?:[a-z0-9_]+/)+[A-Za-z0-9_.-]+\\.[a-z]+)`")

func TestArchitectureNamesFilesThatThereAre(t *testing.T) {
	named := fileNamed.FindAllStringSubmatch(read(t, "ARCHITECTURE.md"), -1)
	for _, file := range named {
		if _, err := os.Stat(path.Join("..", file[1])); err != nil {
			t.Error(err)
		}
	}
	if len(named) < 30 {
		t.Errorf("only %d files were found", len(named))
	}
}
