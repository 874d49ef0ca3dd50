package pages

import (
	"iter"
	"regexp"
	"strings"
)

// Command is what a page tells its readers to type.
type Command struct {
	Line  int
	Words []string // the program and its arguments; without what a shell makes of quotes, redirections and variables set before it
}

var (
	assignment = regexp.MustCompile(`^[A-Za-z_]\w*=`)
	word       = regexp.MustCompile(`'[^']*'|"(?:\\.|[^"\\])*"|&&|\|\||[|;&]|[^\s'"|;&]+(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"|;&]+)*`)
)

// Commands are the page's commands of one program: in code blocks, fenced or indented, and within text.
func (p Page) Commands(program string) []Command {
	var all []Command
	add := func(line int, text string) {
		for _, words := range statements(text) {
			if len(words) > 0 && (words[0] == program || strings.HasSuffix(words[0], "/"+program)) {
				all = append(all, Command{line, words})
			}
		}
	}
	for _, block := range p.Blocks {
		if !block.shell() {
			continue
		}
		joined := strings.ReplaceAll(block.Text, "\\\n", " ")
		for line := range strings.Lines(joined) {
			add(block.Line, strings.TrimPrefix(strings.TrimSpace(line), "$ "))
		}
	}
	for number, line := range p.prose() {
		if code, indented := strings.CutPrefix(line, "    "); indented {
			add(number, strings.TrimPrefix(strings.TrimSpace(code), "$ "))
			continue
		}
		for _, code := range inlineCode.FindAllString(line, -1) {
			add(number, strings.Trim(code, "`"))
		}
	}
	return all
}

func (b Block) shell() bool {
	return b.Language == "sh" || b.Language == "bash" || b.Language == "console"
}

// prose is the page without its fenced blocks, by line numbers.
func (p Page) prose() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i, line := range p.lines {
			if line != fencedLine && !yield(i+1, line) {
				return
			}
		}
	}
}

// statements takes a line apart as a shell does, roughly: at pipes and what joins commands, up to a comment.
func statements(line string) [][]string {
	var all [][]string
	var words []string
	for _, found := range word.FindAllString(line, -1) {
		switch {
		case strings.HasPrefix(found, "#"):
			return append(all, words)
		case strings.Trim(found, "&|;") == "":
			all, words = append(all, words), nil
		case len(words) == 0 && assignment.MatchString(found):
		default:
			words = append(words, found)
		}
	}
	return append(all, words)
}
