package logs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/on-demand-broker/odb/logs"
)

func TestLinesCarryWhatTheContextGathered(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	logger := logs.New(&out, "odb", slog.LevelInfo)

	ctx := logs.With(context.Background(), slog.String("request_id", "r-1"))
	inner := logs.With(ctx, slog.Int("task_id", 7))
	logger.WarnContext(inner, "deploy.slow", "seconds", 3)
	logger.InfoContext(ctx, "next")
	logger.DebugContext(ctx, "not shown")

	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	g.Expect(lines).To(HaveLen(2))
	var line struct {
		Level, Source, Message string
		Data                   map[string]any
	}
	g.Expect(json.Unmarshal(lines[0], &line)).To(Succeed())
	g.Expect(line.Level).To(Equal("info"))
	g.Expect(line.Source).To(Equal("odb"))
	g.Expect(line.Message).To(Equal("odb.deploy.slow"))
	g.Expect(line.Data).To(And(HaveKeyWithValue("request_id", "r-1"), HaveKeyWithValue("task_id", BeNumerically("==", 7)),
		HaveKeyWithValue("seconds", BeNumerically("==", 3)), HaveKeyWithValue("warning", true)))
	g.Expect(string(lines[1])).NotTo(ContainSubstring("task_id"), "what an inner context adds must not leak to the outer one")
}

func TestReadableLines(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	logger := logs.Readable(&out, slog.LevelInfo).With("a", 1).WithGroup("g").With("b", "two")
	ctx := logs.With(context.Background(), slog.String("instance_id", "i"))
	logger.InfoContext(ctx, "adapter.ran", "ms", 3, "stderr", "one line\nanother\n")
	logger.Error("adapter.failed")
	logger.Debug("not shown")
	g.Expect(out.String()).To(MatchRegexp(`^\d\d:\d\d:\d\d adapter.ran a=1 g.b=two g.ms=3 g.instance_id=i
    g.stderr: one line
      another
\d\d:\d\d:\d\d adapter.failed \(error\) a=1 g.b=two
$`))
}
