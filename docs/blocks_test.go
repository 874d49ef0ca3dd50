package docs_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/on-demand-broker/odb/docs/pages"
)

// Blocks that aren't run are read, at least, by those that they are for.
func TestCodeBlocksCanBeRead(t *testing.T) {
	t.Parallel()
	checked := 0
	for path, page := range readAll(t) {
		for _, block := range page.Blocks {
			checked++
			if err := unreadable(t, block); err != nil {
				t.Errorf("%s:%d: %v", path, block.Line, err)
			}
		}
	}
	if checked == 0 {
		t.Error("no block was found")
	}
}

func unreadable(t *testing.T, block pages.Block) error {
	t.Helper()
	switch block.Language {
	case "yaml":
		documents := yaml.NewDecoder(strings.NewReader(block.Text))
		for {
			var tree any
			if err := documents.Decode(&tree); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	case "json":
		var tree any
		return json.Unmarshal([]byte(block.Text), &tree)
	case "sh", "bash", "console":
		command := exec.CommandContext(t.Context(), "bash", "-n")
		command.Stdin = strings.NewReader(block.Script())
		if out, err := command.CombinedOutput(); err != nil {
			return errors.New(string(out))
		}
	case "":
		return errors.New("the fence doesn't say what the block is: sh, console, yaml, json, text …")
	}
	return nil
}
