// Package ci_test checks the pipeline in this folder by Concourse's rules, and plays its tasks through with doubles of the
// programs that they call.
package ci_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestConcourseWouldTakeThePipeline(t *testing.T) {
	for _, problem := range problemsOf([]byte(read(t, "pipeline.yml"))) {
		t.Error(problem)
	}
}

// Each of these is a slip of the kind that otherwise shows when the pipeline is set, or hours after.
func TestTheRulesFindWhatIsWrong(t *testing.T) {
	text := read(t, "pipeline.yml")
	for name, slip := range map[string]struct{ right, wrong, want string }{
		"a key that isn't Concourse's":    {"serial: true", "seriall: true", "field seriall not found"},
		"a resource that nobody declares": {"- get: environment", "- get: environments", "job accept, get environments: there is no such resource"},
		"a resource that nobody uses":     {"    - get: environment\n      trigger: true\n", "", "resource environment is not used"},
		"a type that there isn't":         {"type: semver", "type: semvers", `resource version: "semvers" is no type of Concourse's own`},
		"a job that there isn't":          {"passed: [accept]", "passed: [acceptance]", "there is no job acceptance before this one to pass"},
		"a job without the resource":      {"      trigger: true\n      passed: [release]", "      trigger: true\n      passed: [test]", "job accept, get candidate: job test neither gets nor puts it"},
		"a group without a job":           {"accept, promote]", "accept]", "job promote is in no group"},
		"a task file that there isn't":    {"tasks/promote.yml", "tasks/promotion.yml", "job promote, task promote: open ../ci/tasks/promotion.yml"},
		"a param that is missing":         {"      PLAN: ((service.plan))\n", "", "job accept, task acceptance: the param PLAN is missing"},
		"a param too many":                {"      CF_ORG:", "      CF_SPACE: x\n      CF_ORG:", "job accept, task acceptance: the task has no param CF_SPACE"},
		"an input from nowhere":           {"    - get: version\n      params: {bump: patch}\n", "", "job release, task release: nothing provides the input version"},
		"an output that there isn't":      {"file: final/on-demand", "file: finally/on-demand", "finally is not among the inputs"},
		"no image":                        {"    image: toolbox\n    file: source/ci/tasks/test.yml", "    file: source/ci/tasks/test.yml", "job test, task test: nothing provides the image"},
		"no time limit":                   {"timeout: 2h", "timeout: two hours", `job accept, task acceptance: "two hours" is no timeout`},
		"two steps in one":                {"- put: promoted", "- put: promoted\n    get: promoted", "a step is one of get, put, task and in_parallel"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(text, slip.right) {
				t.Fatalf("the pipeline has no %q", slip.right)
			}
			problems := problemsOf([]byte(strings.Replace(text, slip.right, slip.wrong, 1)))
			if !strings.Contains(strings.Join(problems, "\n"), slip.want) {
				t.Errorf("got %q, wanted %q", problems, slip.want)
			}
		})
	}
}

// Somebody decides what owners get; all before goes by itself.
func TestOnlyPromotionWaitsForSomebody(t *testing.T) {
	var p pipeline
	if err := strictly([]byte(read(t, "pipeline.yml")), &p); err != nil {
		t.Fatal(err)
	}
	var byHand []string
	for _, j := range p.Jobs {
		if !slices.ContainsFunc(slices.Collect(j.steps()), func(s step) bool { return s.Trigger }) {
			byHand = append(byHand, j.Name)
		}
	}
	if !slices.Equal(byHand, []string{"promote"}) {
		t.Errorf("by hand are started %q", byHand)
	}
}

func TestTheReadmeExplainsEachVariable(t *testing.T) {
	used, explained := map[string]bool{}, map[string]bool{}
	for _, found := range regexp.MustCompile(`\(\((.+?)\)\)`).FindAllStringSubmatch(strings.ReplaceAll(read(t, "pipeline.yml"), "((variables))", ""), -1) {
		used[found[1]] = true
	}
	for _, found := range regexp.MustCompile("`([a-z]+\\.[a-z_]+)`").FindAllStringSubmatch(read(t, "README.md"), -1) {
		explained[found[1]] = true
	}
	for _, file := range []string{"manifest.yml", "vars.yml", "pipeline.yml"} {
		delete(explained, file)
	}
	if !maps.Equal(used, explained) {
		t.Errorf("used are %q, explained %q", slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(explained)))
	}
}
