package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// Readable returns a logger for somebody who watches: what happened and when, with its attributes behind it, and texts beneath.
func Readable(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(handler{Handler: &readable{w: w, writing: &sync.Mutex{}}, level: level})
}

type readable struct {
	w       io.Writer
	writing *sync.Mutex // shared by all that write to w
	group   string
	attrs   []slog.Attr
}

func (h *readable) Enabled(context.Context, slog.Level) bool { return true } // handler asked already

func (h *readable) Handle(_ context.Context, record slog.Record) error {
	var line, beneath strings.Builder
	fmt.Fprintf(&line, "%s %s", record.Time.Format(time.TimeOnly), record.Message)
	if record.Level >= slog.LevelError {
		line.WriteString(" (error)")
	}
	show := func(attr slog.Attr) bool {
		text := attr.Value.Resolve().String()
		if strings.ContainsAny(text, " \n") {
			fmt.Fprintf(&beneath, "\n    %s: %s", attr.Key, strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n      "))
		} else {
			fmt.Fprintf(&line, " %s=%s", attr.Key, text)
		}
		return true
	}
	for _, attr := range h.attrs {
		show(attr)
	}
	record.Attrs(func(attr slog.Attr) bool { return show(h.named(attr)) })
	h.writing.Lock()
	defer h.writing.Unlock()
	_, err := fmt.Fprintf(h.w, "%s%s\n", line.String(), beneath.String())
	return err
}

func (h *readable) named(attr slog.Attr) slog.Attr {
	attr.Key = h.group + attr.Key
	return attr
}

func (h *readable) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = slices.Clone(h.attrs)
	for _, attr := range attrs {
		with.attrs = append(with.attrs, h.named(attr))
	}
	return &with
}

func (h *readable) WithGroup(name string) slog.Handler {
	with := *h
	with.group += name + "."
	return &with
}
