// Package monitoring_test evaluates the queries of alerts.yml and dashboard.json, with Prometheus' engine, on what a running
// broker was scraped for.
package monitoring_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// history is what Prometheus would have: samples of the last quarter of an hour, by series.
type history struct {
	at     time.Time
	series map[string]sampled
}

type sampled struct {
	labels labels.Labels
	values []float64
}

const (
	samples  = 60
	interval = 15 * time.Second
)

// scraped is a history in which the broker did nothing, and then what happened between two scrapes.
func scraped(t *testing.T, before, after string) history {
	t.Helper()
	h := history{time.Now(), map[string]sampled{}}
	then := valuesOf(t, before)
	for key, now := range valuesOf(t, after) {
		first := 0.0 // as rate() takes a series that wasn't there
		if was, found := then[key]; found {
			first = was.values[0]
		}
		values := slices.Repeat([]float64{first}, samples/2)
		h.series[key] = sampled{now.labels, append(values, slices.Repeat(now.values, samples/2)...)}
	}
	return h
}

// valuesOf reads a scrape; what Prometheus adds is added.
func valuesOf(t *testing.T, scrape string) map[string]sampled {
	t.Helper()
	found := map[string]sampled{}
	add := func(l labels.Labels, value float64) {
		with := labels.NewBuilder(l).Set("job", "odb").Set("instance", "broker:8080").Labels()
		found[with.String()] = sampled{with, []float64{value}}
	}
	lines := textparse.NewPromParser([]byte(scrape), labels.NewSymbolTable(), false)
	for {
		entry, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry == textparse.EntrySeries {
			var l labels.Labels
			_, _, value := lines.Series()
			lines.Labels(&l)
			add(l, value)
		}
	}
	add(labels.FromStrings(labels.MetricName, "up"), 1)
	return found
}

// with is the history with other series, in the notation of Prometheus' unit tests.
func (h history) with(t *testing.T, others ...string) history {
	t.Helper()
	changed := history{h.at, map[string]sampled{}}
	for key, s := range h.series {
		changed.series[key] = s
	}
	for _, other := range others {
		l, values, err := queries().ParseSeriesDesc(other)
		if err != nil {
			t.Fatalf("%s: %v", other, err)
		}
		b := labels.NewBuilder(l).Set("job", "odb")
		if !l.Has("instance") {
			b.Set("instance", "broker:8080")
		}
		s := sampled{labels: b.Labels()}
		for _, v := range values {
			s.values = append(s.values, v.Value)
		}
		changed.series[s.labels.String()] = s
	}
	return changed
}

func (h history) selected(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var found []storage.Series
	for _, s := range h.series {
		if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			continue
		}
		series := promql.Series{Metric: s.labels}
		for i, value := range s.values {
			series.Floats = append(series.Floats, promql.FPoint{T: h.at.Add(-interval * time.Duration(len(s.values)-1-i)).UnixMilli(), F: value})
		}
		found = append(found, promql.NewStorageSeries(series))
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &set{series: found}
}

func queries() parser.Parser { return parser.NewParser(parser.Options{}) }

// ask evaluates a query at the end of the history.
func (h history) ask(t *testing.T, query string) promql.Vector {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: queries()})
	defer engine.Close()
	q, err := engine.NewInstantQuery(context.Background(), &storage.MockQueryable{MockQuerier: &storage.MockQuerier{SelectMockFunction: h.selected}}, nil, query, h.at)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer q.Close()
	result, err := q.Exec(context.Background()).Vector()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return result
}

// names tells of each selector of a query whether the scrape has its metric with its labels, whatever their values.
func (h history) names(t *testing.T, query string) {
	t.Helper()
	expression, err := queries().ParseExpr(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	for _, selector := range parser.ExtractSelectors(expression) {
		known := false
		for _, s := range h.series {
			known = known || !slices.ContainsFunc(selector, func(m *labels.Matcher) bool {
				return !s.labels.Has(m.Name) || (m.Name == labels.MetricName && !m.Matches(s.labels.Get(m.Name)))
			})
		}
		if !known {
			t.Errorf("%s: nothing that the broker tells is like %v", query, selector)
		}
	}
}

func TestQueries(t *testing.T) {
	b := startBroker(t)
	before := b.scrape()
	b.live()
	h := scraped(t, before, b.scrapeCounted())
	t.Run("alerts", func(t *testing.T) { checkAlerts(t, h) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, h) })
}

// troubles are what each alert is there for.
var troubles = map[string][]string{
	"OdbDown":                 {`up 0x59`},
	"OdbDependencyAway":       {`odb_dependency_ready{dependency="director"} 0x59`},
	"OdbRequestsFail":         {`odb_http_requests_total{route="/v2/catalog",method="GET",status="500"} 0+5x59`},
	"OdbOperationsFail":       {`odb_operations_total{type="create",plan="small",result="failed"} 0+1x59`},
	"OdbOperationsSlow":       {`odb_operation_duration_seconds_bucket{type="upgrade",plan="small",le="3600"} 0x59`, `odb_operation_duration_seconds_bucket{type="upgrade",plan="small",le="7200"} 0+1x59`, `odb_operation_duration_seconds_bucket{type="upgrade",plan="small",le="+Inf"} 0+1x59`},
	"OdbQuotaNearlyUsed":      {`odb_quota_used{plan="",resource="service_instances"} 3.5x59`},
	"OdbQuotaUsed":            {`odb_quota_used{plan="",resource="service_instances"} 4x59`},
	"OdbInstancesNotCounted":  {`odb_service_instances_counted_timestamp_seconds 1000x59`},
	"OdbAdapterFails":         {`odb_adapter_runs_total{subcommand="create-binding",exit="1"} 0+1x59`},
	"OdbDirectorFails":        {`odb_director_requests_total{endpoint="/tasks",method="GET",status="none"} 0+5x59`},
	"OdbConfigurationsDiffer": {`odb_config_info{instance="broker-2:8080",service="cache",hash="another"} 1x59`},
}

// checkAlerts wants each to be quiet while all is well, and to fire when it is not.
func checkAlerts(t *testing.T, h history) {
	groups, problems := rulefmt.ParseFile("alerts.yml", false, model.UTF8Validation, queries(), slog.New(slog.DiscardHandler))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	alerts := 0
	for _, rule := range groups.Groups[0].Rules {
		alerts++
		h.names(t, rule.Expr)
		if firing := h.ask(t, rule.Expr); len(firing) > 0 {
			t.Errorf("%s fires though all is well: %v", rule.Alert, firing)
		}
		trouble := troubles[rule.Alert]
		if trouble == nil {
			t.Errorf("%s: nobody says what it is there for", rule.Alert)
		} else if len(h.with(t, trouble...).ask(t, rule.Expr)) == 0 {
			t.Errorf("%s doesn't fire with %s", rule.Alert, trouble)
		}
	}
	if alerts != len(troubles) {
		t.Errorf("there are %d alerts, and troubles for %d", alerts, len(troubles))
	}
}

// checkDashboard wants each panel to show something.
func checkDashboard(t *testing.T, h history) {
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title, Type string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			shown++
			query := strings.ReplaceAll(target.Expr, "$job", "odb")
			h.names(t, query)
			if len(h.ask(t, query)) == 0 {
				t.Errorf("%s shows nothing: %s", panel.Title, query)
			}
		}
	}
	if shown == 0 {
		t.Error("there are no panels")
	}
}
