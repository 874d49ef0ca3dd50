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
