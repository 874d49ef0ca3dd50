package pages

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Page is a document in Markdown.
type Page struct {
	Path   string
	Blocks []Block
	lines  []string // with fencedLine in place of those that belong to blocks
}

// fencedLine stands for the lines of fenced blocks: no line of a page has a newline in it.
const fencedLine = "\n"

// Block is a fenced code block.
type Block struct {
	Page     string
	Line     int    // of the opening fence, from 1
	Language string // the first word behind the fence: sh, console, yaml …
	Label    string // the other words there
	Text     string // without the fences and their indentation, each line with its newline
	Mark     Mark
}

// Mark is what the comment before a block says to do with it. The zero value says nothing: the block is only read.
type Mark struct {
	Run        bool
	Background bool // go on without waiting for the command's end
	Exit       int  // the code that the block's last command ends with
	File       string
}

// place is how errors name the block.
func (b Block) place() string { return fmt.Sprintf("%s:%d", b.Page, b.Line) }

// Runs tells whether there is anything on the page to run.
func (p Page) Runs() bool {
	for _, block := range p.Blocks {
		if block.Mark.Run {
			return true
		}
	}
	return false
}

var (
	fence = regexp.MustCompile("^( *)(```+|~~~+)\\s*([\\w-]*)\\s*([^`]*?)\\s*$")
	mark  = regexp.MustCompile(`^\s*<!-- *((?:run|file)\b.*?) *-->\s*$`)
)

// Read reads a page. Its error names each mark that isn't understood, and a fence that is never closed.
func Read(path string) (Page, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Page{}, fmt.Errorf("reading a page: %w", err)
	}
	return Parse(path, string(text))
}

// Parse is Read for a text that is there already; path names it in errors.
func Parse(path, text string) (Page, error) {
	page := Page{Path: path}
	var pending Mark // what the comment above the next fence says
	var open *Block
	var indent, closing string
	for number, line := range strings.Split(text, "\n") {
		found := fence.FindStringSubmatch(line)
		if open != nil || found != nil {
			page.lines = append(page.lines, fencedLine)
		} else {
			page.lines = append(page.lines, line)
		}
		switch {
		case open != nil && strings.TrimSpace(line) == closing:
			page.Blocks, open, pending = append(page.Blocks, *open), nil, Mark{}
		case open != nil:
			open.Text += strings.TrimPrefix(line, indent) + "\n"
		case found != nil:
			indent, closing = found[1], found[2]
			open = &Block{Page: path, Line: number + 1, Language: found[3], Label: found[4], Mark: pending}
		case mark.MatchString(line):
			var err error
			if pending, err = parseMark(mark.FindStringSubmatch(line)[1]); err != nil {
				return Page{}, fmt.Errorf("%s:%d: %w", path, number+1, err)
			}
		case pending != Mark{} && strings.TrimSpace(line) != "":
			return Page{}, fmt.Errorf("%s:%d: the comment above says what to do with a code block, and here is none", path, number+1)
		}
	}
	if open != nil {
		return Page{}, fmt.Errorf("%s: the code block is never closed", open.place())
	}
	return page, nil
}

// parseMark understands the comments that doc.go lists.
func parseMark(words string) (Mark, error) {
	var m Mark
	switch {
	case words == "run":
		return Mark{Run: true}, nil
	case words == "run in the background":
		return Mark{Run: true, Background: true}, nil
	case strings.HasPrefix(words, "file:"):
		if m.File = strings.TrimSpace(strings.TrimPrefix(words, "file:")); m.File != "" {
			return m, nil
		}
	default:
		if _, err := fmt.Sscanf(words, "run, exits %d", &m.Exit); err == nil {
			m.Run = true
			return m, nil
		}
	}
	return Mark{}, fmt.Errorf("%q is not understood: write run; run, exits CODE; run in the background; or file: PATH", words)
}
