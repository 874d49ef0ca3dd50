// Command generate writes the pages of docs that are made from the program: `make docs`. Their tests fail when they are stale.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/on-demand-broker/odb/config"
)

func main() {
	root := flag.String("root", ".", "the checkout")
	flag.Parse()
	if err := write(*root); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	files, err := generated(root)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, "docs", name), text, 0o644); err != nil {
			return fmt.Errorf("writing a page: %w", err)
		}
	}
	return nil
}

// generated are the files by their names in docs.
func generated(root string) (map[string][]byte, error) {
	broker, err := readJob(filepath.Join(root, "boshrelease/jobs/broker/spec"))
	if err != nil {
		return nil, err
	}
	page, err := configPage(broker)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"CONFIG.md": page, "broker.schema.json": config.Schema()}, nil
}
