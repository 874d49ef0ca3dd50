package pages_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/on-demand-broker/odb/docs/pages"
)

// fenced makes pages readable here, where a fence ends the text: ”' stands for one.
func fenced(text string) string { return strings.ReplaceAll(text, "'''", "```") }

func do(t *testing.T, text string, replace ...string) error {
	t.Helper()
	page, err := pages.Parse("PAGE.md", fenced(text))
	if err != nil {
		t.Fatal(err)
	}
	return pages.Run{Page: page, Dir: t.TempDir(), Env: append(os.Environ(), "LC_ALL=C"), Replace: replace}.Do(t.Context())
}

func TestPagesThatAreTrue(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"output":              "<!-- run -->\n'''console\n$ echo one; echo two >&2\none\ntwo\n$ true\n'''\n",
		"what differs":        "<!-- run -->\n'''console\n$ seq 9; echo pid 17 on port 8080\n1\n…\n9\npid … on port …\n'''\n",
		"nothing in between":  "<!-- run -->\n'''console\n$ printf 'a\\nb\\n'\na\n…\nb\n'''\n",
		"an exit code":        "<!-- run, exits 3 -->\n'''console\n$ echo no; (exit 3)\nno\n'''\n",
		"several lines":       "<!-- run -->\n'''console\n$ echo a \\\n    b\na b\n$ cat <<EOF\n> it's text\n> EOF\nit's text\n'''\n",
		"one shell":           "<!-- run -->\n'''sh\nmkdir d && cd d\nexport WORD=kept\n'''\ntext\n\n<!-- run -->\n'''console\n$ echo $WORD in $(basename $PWD)\nkept in d\n'''\n",
		"a script's output":   "<!-- run -->\n'''sh\necho whatever\n'''\n",
		"a file":              "<!-- file: d/hello -->\n'''\nhello\n  you\n'''\n\n<!-- run -->\n'''console\n$ cat d/hello\nhello\n  you\n'''\n",
		"in a list":           "1. first\n\n   <!-- run -->\n   '''console\n   $ printf 'a\\n  b\\n'\n   a\n     b\n   '''\n",
		"in the background":   "<!-- run in the background -->\n'''console\n$ for i in 1 2 3; do echo line $i; sleep 0.05; done; exec sleep 1000\nline 1\n…\nline 3\n'''\n",
		"what isn't marked":   "'''console\n$ false\n'''\n",
		"no standard input":   "<!-- run -->\n'''console\n$ cat\n'''\n",
		"a condition":         "<!-- run -->\n'''sh\nif false; then echo; fi\nfalse || true\n'''\n",
		"what runs elsewhere": "<!-- run -->\n'''console\n$ echo port 8080\nport 8080\n'''\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := do(t, text, "port 8080", "port 4711"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPagesThatAreNotTrue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"other output":          {"text\n\n<!-- run -->\n'''console\n$ echo one\ntwo\n'''\n", "PAGE.md:4: echo one\n: it printed\none\n\nand not\ntwo"},
		"more output":           {"<!-- run -->\n'''console\n$ echo one; echo two\none\n'''\n", "it printed\none\ntwo"},
		"less output":           {"<!-- run -->\n'''console\n$ echo one\none\ntwo\n'''\n", "and not\none\ntwo"},
		"output not shown":      {"<!-- run -->\n'''console\n$ echo one\n'''\n", "it printed\none"},
		"failure":               {"<!-- run -->\n'''console\n$ false\n$ true\n'''\n", "it ended with 1, not 0"},
		"another exit code":     {"<!-- run, exits 2 -->\n'''console\n$ (exit 3)\n'''\n", "it ended with 3, not 2"},
		"success":               {"<!-- run, exits 2 -->\n'''console\n$ true\n'''\n", "it ended with 0, not 2"},
		"a script that fails":   {"<!-- run -->\n'''sh\nls /nowhere\necho done\n'''\n", "/nowhere"},
		"a syntax error":        {"<!-- run -->\n'''sh\nif\n'''\n", "syntax error"},
		"the end of the shell":  {"<!-- run -->\n'''sh\necho bye; exit 0\n'''\n", "bye"},
		"no prompt":             {"<!-- run -->\n'''console\necho one\n'''\n", "begins with a command"},
		"a file elsewhere":      {"<!-- file: ../x -->\n'''\nx\n'''\n", "../x is not beneath"},
		"two in the background": {"<!-- run in the background -->\n'''console\n$ true\n$ true\n'''\n", "has 2 commands"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := do(t, c.text); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, and not %q", err, c.says)
			}
		})
	}
}

func TestWhatWasStartedInTheBackgroundIsToldToEnd(t *testing.T) {
	t.Parallel()
	ended := filepath.Join(t.TempDir(), "ended")
	err := do(t, "<!-- run in the background -->\n'''console\n$ trap 'echo > "+ended+"; exit' TERM; echo ready; while true; do sleep 0.05; done\nready\n'''\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ended); err != nil {
		t.Error(err)
	}
}

func TestPagesThatCantBeRead(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"<!-- runs -->\n'''\n'''":        "",
		"\n<!-- run fast -->\n'''\n'''":  `PAGE.md:2: "run fast" is not understood`,
		"<!-- file: -->\n'''\n'''":       "not understood",
		"<!-- run -->\n\ntext":           "PAGE.md:3: the comment above",
		"'''sh\necho\n":                  "PAGE.md:1: the code block is never closed",
		"<!-- run, exits x -->\n'''\n''": "not understood",
	} {
		_, err := pages.Parse("PAGE.md", fenced(text))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, and not %q", text, err, says)
		}
	}
}

const written = `# One page
See [there](other/PAGE.md#a-part), [here](#twice-1) and [elsewhere](https://example.com/#x), not \x60[code](nowhere)\x60.
## \x60odb serve\x60, [linked](x): what it's for
## Twice
## Twice
<a id="named"></a>Text. \x60odb instances list --config "a file.yml" | jq .\x60

    $ A=b bin/odb serve > log && odb version   # odb nothing

'''sh
# not a heading
[no](link) || odb config \
  check
'''
`

func TestWhatAPageRefersTo(t *testing.T) {
	t.Parallel()
	page, err := pages.Parse("PAGE.md", fenced(strings.ReplaceAll(written, `\x60`, "`")))
	if err != nil {
		t.Fatal(err)
	}
	links := []pages.Link{{Line: 2, Path: "other/PAGE.md", Anchor: "a-part"}, {Line: 2, Anchor: "twice-1"}, {Line: 3, Path: "x"}}
	if got := page.Links(); !slices.Equal(got, links) {
		t.Errorf("links: %+v", got)
	}
	if got := slices.Sorted(maps.Keys(page.Anchors())); !slices.Equal(got, []string{"named", "odb-serve-linked-what-its-for", "one-page", "twice", "twice-1"}) {
		t.Errorf("anchors: %q", got)
	}
	var commands []string
	for _, command := range page.Commands("odb") {
		commands = append(commands, fmt.Sprintf("%d: %s", command.Line, strings.Join(command.Words, "|")))
	}
	slices.Sort(commands)
	want := []string{"10: odb|config|check", "3: odb|serve", `6: odb|instances|list|--config|"a file.yml"`, "8: bin/odb|serve|>|log", "8: odb|version"}
	if !slices.Equal(commands, want) {
		t.Errorf("commands: %q", commands)
	}
}
