package fleet

import (
	"os"
	"strings"
	"unicode"
)

// Renderer shows a run's events to somebody. Render is what Options.Events wants; Close ends the drawing, and tells the first error
// that there was in writing.
type Renderer interface {
	Render(Event)
	Close() error
}

// ForOutput is the renderer for people: live lines if out is a terminal, and otherwise plain ones. what names the operation
// ("upgrade-all"); plain lines begin with it in brackets.
func ForOutput(out *os.File, what string) Renderer {
	if IsTerminal(out) {
		return NewTerminal(out, what)
	}
	return NewPlain(what, linesTo(out))
}

// IsTerminal says whether out is a terminal on which lines can be drawn anew.
func IsTerminal(out *os.File) bool {
	if kind := os.Getenv("TERM"); kind == "" || kind == "dumb" {
		return false
	}
	at, err := out.Stat()
	if err != nil || at.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(at, null)
}

// linesTo writes lines to out.
func linesTo(out *os.File) func(string) error {
	return func(line string) error {
		_, err := out.WriteString(line + "\n")
		return err
	}
}

// oneLine makes text of others fit for a line of a log or a terminal: no line breaks, and nothing that steers a terminal.
func oneLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)), " ")
}
