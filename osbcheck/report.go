package osbcheck

// Outcome is how a check ended.
type Outcome string

// The outcomes.
const (
	Passed       Outcome = "pass"
	Failed       Outcome = "fail"
	Skipped      Outcome = "skipped"       // Why says what it lacked
	NotCheckable Outcome = "not checkable" // from outside; Why says what it would take
)

// Result is what became of one row.
type Result struct {
	Row     string  `json:"row"`
	Level   Level   `json:"level"`
	Title   string  `json:"title"`
	Holds   string  `json:"holds"`
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why,omitempty"`
	// Test is where this project shows what can't be checked from outside.
	Test string `json:"test,omitempty"`
	// Exchange is what a failed check was answered.
	Exchange *Exchange `json:"exchange,omitempty"`
}

// Report is a whole run.
type Report struct {
	URL       string   `json:"url"`
	ServiceID string   `json:"service_id"`
	PlanID    string   `json:"plan_id"`
	Results   []Result `json:"results"`
	// Broken says why the shared instance didn't come through the run, so that checks had to be skipped; empty if it did.
	Broken string `json:"broken,omitempty"`
	// Left are the instances that could not be removed, each with the reason.
	Left []string `json:"left,omitempty"`
}

// Count is how many rows have an outcome.
func (r Report) Count(outcome Outcome) int {
	count := 0
	for _, result := range r.Results {
		if result.Outcome == outcome {
			count++
		}
	}
	return count
}

// OK tells whether nothing failed, neither a check nor the instance that most of them look at, and nothing was left behind.
func (r Report) OK() bool { return r.Count(Failed) == 0 && r.Broken == "" && len(r.Left) == 0 }
