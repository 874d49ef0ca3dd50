package pages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Run does what a page says.
type Run struct {
	Page Page
	// Dir is an empty directory, where the shell begins.
	Dir string
	// Env is the shell's environment.
	Env []string
	// Replace are texts of the page, by pairs, with what takes their place here: a port, a path.
	Replace []string
}

// patience is how long a command may take, and a process in the background until it has printed what the page shows. It is generous:
// commands compile programs, and machines are busy.
const patience = 5 * time.Minute

// Do runs the page's blocks and returns the first thing that isn't as the page says. It ends all that the page started.
func (r Run) Do(ctx context.Context) (err error) {
	here := strings.NewReplacer(r.Replace...)
	shell, err := startShell(r.Dir, r.Env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shell.stop()) }()
	for _, block := range r.Page.Blocks {
		block.Text = here.Replace(block.Text)
		if err := r.block(ctx, shell, block); err != nil {
			return fmt.Errorf("%s: %w", block.place(), err)
		}
	}
	return nil
}

func (r Run) block(ctx context.Context, shell *shell, block Block) error {
	switch {
	case block.Mark.File != "":
		return r.write(block)
	case !block.Mark.Run:
		return nil
	case block.Mark.Background:
		return r.background(ctx, shell, block)
	}
	steps := steps(block)
	for i, step := range steps {
		exit := 0
		if i == len(steps)-1 {
			exit = block.Mark.Exit
		}
		if err := step.run(ctx, shell, exit); err != nil {
			return err
		}
	}
	return nil
}

func (r Run) write(block Block) error {
	if !filepath.IsLocal(block.Mark.File) {
		return fmt.Errorf("%s is not beneath the shell's first directory", block.Mark.File)
	}
	path := filepath.Join(r.Dir, block.Mark.File)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(block.Text), 0o644)
}

// background starts a block's only command and waits for what the page shows of its output.
func (r Run) background(ctx context.Context, shell *shell, block Block) error {
	steps := steps(block)
	if len(steps) != 1 {
		return fmt.Errorf("has %d commands to run in the background; give each a block of its own", len(steps))
	}
	output, err := shell.background(ctx, steps[0].command)
	if err != nil {
		return err
	}
	shown := steps[0].pattern("")
	deadline := time.After(patience)
	for {
		printed, err := os.ReadFile(output)
		if err != nil {
			return err
		}
		if !steps[0].compared || shown.MatchString(tidy(string(printed))) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; so far it printed\n%s", steps[0].command, ctx.Err(), printed)
		case <-deadline:
			return fmt.Errorf("%s: it printed\n%s\nand not\n%s", steps[0].command, printed, steps[0].output)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// step is a command and what the page shows of its output.
type step struct {
	command  string
	output   string
	compared bool
}

// steps takes a block apart: a console's into its commands, a script is one.
func steps(block Block) []step {
	if block.Language != "console" {
		return []step{{command: block.Text}}
	}
	var all []step
	continues := false // the last line belongs to a command
	for line := range strings.Lines(block.Text) {
		command, prompted := strings.CutPrefix(line, "$ ")
		more, continued := strings.CutPrefix(line, "> ")
		switch last := len(all) - 1; {
		case prompted:
			all = append(all, step{command: command, compared: true})
			continues = true
		case last < 0:
			all = append(all, step{command: "false # a console begins with a command behind \"$ \"", compared: true})
		case continues && continued:
			all[last].command += more
		case continues && strings.HasSuffix(all[last].command, "\\\n"):
			all[last].command += line
		default:
			all[last].output += line
			continues = false
		}
	}
	return all
}

// Script is what a reader types of a block of commands: a console's without the prompts and what is printed.
func (b Block) Script() string {
	var script strings.Builder
	for _, step := range steps(b) {
		script.WriteString(step.command)
	}
	return script.String()
}

func (s step) run(ctx context.Context, shell *shell, exit int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	printed, code, err := shell.run(ctx, s.command)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w; it printed\n%s", s.command, err, printed)
	case code != exit:
		return fmt.Errorf("%s: it ended with %d, not %d, and printed\n%s", s.command, code, exit, printed)
	case s.compared && !s.pattern("$").MatchString(tidy(printed)):
		return fmt.Errorf("%s: it printed\n%s\nand not\n%s", s.command, printed, s.output)
	default:
		return nil
	}
}

// pattern matches what the page shows, from the beginning and up to what end says.
func (s step) pattern(end string) *regexp.Regexp {
	var pattern strings.Builder
	for line := range strings.Lines(tidy(s.output)) {
		if line == "…\n" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*"))
	}
	return regexp.MustCompile("^" + pattern.String() + end)
}

// tidy takes away what a page can't show: blanks at the ends of lines, empty lines at the end. All lines end with a newline.
func tidy(text string) string {
	var tidied strings.Builder
	for line := range strings.Lines(text) {
		tidied.WriteString(strings.TrimRight(line, " \t\r\n") + "\n")
	}
	if text = strings.TrimRight(tidied.String(), "\n"); text != "" {
		text += "\n"
	}
	return text
}
