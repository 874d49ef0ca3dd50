package docs_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commandTree are the commands of a program as its help tells them: the flags of each, by its words ("instances upgrade").
type commandTree map[string]map[string]bool

var (
	helpCommand = regexp.MustCompile(`(?m)^  ([a-z][a-z-]+) {2,}\S`)
	helpFlag    = regexp.MustCompile(`(?m)^ +(?:-(\w), )?--([\w-]+)`)
)

// learn asks a command and all beneath it for their help.
func (c commandTree) learn(t *testing.T, program string, words ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, append(words, "--help")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", words, err, out)
	}
	commands, flags, _ := strings.Cut(string(out), "\nFlags:\n")
	known := map[string]bool{}
	for _, found := range helpFlag.FindAllStringSubmatch(flags, -1) {
		known[found[1]], known[found[2]] = true, true
	}
	c[strings.Join(words, " ")] = known
	_, commands, _ = strings.Cut(commands, "\nUsage:\n")
	for _, found := range helpCommand.FindAllStringSubmatch(commands, -1) {
		if found[1] != "odb" && found[1] != "help" && found[1] != "completion" {
			c.learn(t, program, append(words[:len(words):len(words)], found[1])...)
		}
	}
}

// fault says what a program would not understand of its arguments; empty if nothing. What is in capitals, or holds …, stands for
// something else, and what follows a command's words is its own.
func (c commandTree) fault(arguments []string) string {
	command := ""
	for i, argument := range arguments {
		switch longer := strings.TrimSpace(command + " " + argument); {
		case strings.HasPrefix(argument, ">") || strings.HasPrefix(argument, "2>"):
			return ""
		case strings.HasPrefix(argument, "-"):
			name, _, _ := strings.Cut(strings.TrimLeft(argument, "-"), "=")
			if name = strings.TrimRight(name, ",.…"); name != "" && !c[command][name] {
				return "odb " + command + " has no flag " + argument
			}
		case c[longer] != nil && !hasFlag(arguments[:i]):
			command = longer
		case c.hasCommands(command) && !hasFlag(arguments[:i]) && regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(argument):
			return "odb " + command + " has no command " + argument
		}
	}
	return ""
}

func (c commandTree) hasCommands(command string) bool {
	for other := range c {
		if other != command && strings.HasPrefix(other, strings.TrimLeft(command+" ", " ")) {
			return true
		}
	}
	return false
}

func hasFlag(arguments []string) bool {
	for _, argument := range arguments {
		if strings.HasPrefix(argument, "-") {
			return true
		}
	}
	return false
}

func TestPagesNameCommandsThatThereAre(t *testing.T) {
	t.Parallel()
	tree := commandTree{}
	tree.learn(t, filepath.Join(buildODB(t), "odb"))
	for command, fault := range map[string]string{
		"config check --config broker.yml": "", "config chekc": "no command", "serve --confg x": "no flag", "instances upgrade ID --dry-run": "", "nonsense": "no command",
		"serve -configFilePath x": "", "instances show ID --dif": "no flag", "orphan-deployments -configPath c.yml": "",
	} {
		if got := tree.fault(strings.Fields(command)); (got == "") != (fault == "") || !strings.Contains(got, fault) {
			t.Errorf("odb %s: %q, and not %q", command, got, fault)
		}
	}
	checkAllAreTold(t, tree)
	checked := 0
	for path, page := range readAll(t) {
		for _, command := range page.Commands("odb") {
			checked++
			if fault := tree.fault(command.Words[1:]); fault != "" {
				t.Errorf("%s:%d: %s: %s", path, command.Line, strings.Join(command.Words, " "), fault)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d commands were found", checked)
	}
}

// checkAllAreTold looks for each command on the page of commands: with the words before it, or by its last one alone.
func checkAllAreTold(t *testing.T, tree commandTree) {
	t.Helper()
	page := read(t, "COMMANDS.md")
	for command := range tree {
		words := strings.Fields(command)
		if tree.hasCommands(command) || len(words) == 0 {
			continue
		}
		if !strings.Contains(page, "`odb "+command) && !strings.Contains(page, "`"+words[len(words)-1]+"`") {
			t.Errorf("COMMANDS.md says nothing of odb %s", command)
		}
	}
}
