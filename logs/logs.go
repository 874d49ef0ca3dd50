// Package logs is the one log of the process: lager's JSON lines (or, for who watches, readable ones), written through log/slog, with the
// attributes that a request gathers on its way (request id, instance, plan, operation, task) on each of
// its lines. It knows nothing of what is logged; what must not be (credentials, parameters, manifests)
// is the caller's duty.
package logs

import (
	"context"
	"io"
	"log/slog"

	"code.cloudfoundry.org/lager/v3"
)

// New returns a logger that writes lager JSON lines to w, each with the component's name as its source.
// Lines below level are dropped.
func New(w io.Writer, component string, level slog.Level) *slog.Logger {
	logger := lager.NewLogger(component)
	logger.RegisterSink(lager.NewPrettySink(w, lagerLevel(level)))
	return slog.New(handler{Handler: lager.NewHandler(logger), level: level})
}

func lagerLevel(level slog.Level) lager.LogLevel {
	switch {
	case level <= slog.LevelDebug:
		return lager.DEBUG
	case level <= slog.LevelWarn:
		return lager.INFO
	default:
		return lager.ERROR
	}
}

type attrsKey struct{}

// With returns a context whose log lines carry attrs besides those that ctx carries already.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	carried := attrsOf(ctx)
	all := make([]slog.Attr, 0, len(carried)+len(attrs))
	return context.WithValue(ctx, attrsKey{}, append(append(all, carried...), attrs...))
}

func attrsOf(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return attrs
}

// handler adds what the context carries. Lager knows no warnings and would call them errors: they are information with
// an attribute.
type handler struct {
	slog.Handler
	level slog.Level
}

func (h handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h handler) Handle(ctx context.Context, record slog.Record) error {
	if attrs := attrsOf(ctx); len(attrs) > 0 {
		record.AddAttrs(attrs...)
	}
	if record.Level == slog.LevelWarn {
		record.Level = slog.LevelInfo
		record.AddAttrs(slog.Bool("warning", true))
	}
	return h.Handler.Handle(ctx, record)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{Handler: h.Handler.WithAttrs(attrs), level: h.level}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{Handler: h.Handler.WithGroup(name), level: h.level}
}
