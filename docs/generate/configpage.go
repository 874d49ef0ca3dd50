package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/on-demand-broker/odb/config"
	"github.com/on-demand-broker/odb/docs/pages"
)

//go:embed CONFIG.tmpl
var configTemplate string

// configPage is CONFIG.md.
func configPage(broker job) ([]byte, error) {
	var sections []section
	for _, group := range config.Reference() {
		sections = append(sections, sectionOf(group, broker))
	}
	page := template.New("CONFIG.tmpl")
	if _, err := page.Parse(configTemplate); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := page.Execute(&text, sections); err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(text.Bytes(), "\n"), '\n'), nil
}

// section is a group of keys on the page.
type section struct {
	Title, Anchor, Text string
	Head                string // what the keys of its table stand beneath
	Rows                []entry
}

// entry is a key on the page.
type entry struct{ Key, Takes, Default, Text, Property string }

func sectionOf(group config.Group, broker job) section {
	s := section{Title: group.Title, Anchor: pages.Anchor(group.Title), Text: group.Text, Head: "key"}
	prefix := commonPath(group.Keys)
	if prefix != "" {
		s.Head = "key of `" + prefix + "`"
	}
	for _, key := range group.Keys {
		if key.Path == prefix {
			continue // the section itself, which the text above is about
		}
		row := entryOf(key, strings.TrimPrefix(key.Path, prefix+"."))
		row.Property = cell(broker.property(key.Path))
		s.Rows = append(s.Rows, row)
	}
	return s
}

func entryOf(key config.Key, name string) entry {
	e := entry{Key: name, Takes: cell(key.Type), Text: cell(key.Meaning()), Default: "–"}
	if len(key.Values) > 0 {
		e.Takes = "`" + strings.Join(key.Values, "`, `") + "`"
	}
	switch {
	case key.Needed:
		e.Default = "**needed**"
	case key.Default != nil:
		e.Default = fmt.Sprintf("`%v`", key.Default)
	}
	if key.Example != "" && key.Instead == "" {
		e.Text += " Example: `" + cell(key.Example) + "`"
	}
	if key.New {
		e.Text = "**New.** " + e.Text
	}
	return e
}

// cell keeps text from breaking the table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// commonPath is what the paths of all keys begin with, up to a key.
func commonPath(keys []config.Key) string {
	common := keys[0].Path
	for _, key := range keys {
		for key.Path != common && !strings.HasPrefix(key.Path, common+".") {
			dot := strings.LastIndex(common, ".")
			if dot < 0 {
				return ""
			}
			common = common[:dot]
		}
	}
	return common
}
