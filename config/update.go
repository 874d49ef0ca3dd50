package config

import (
	"regexp"
	"slices"
)

// Update is how BOSH is to go through a plan's instances. Adapters may use it; see BOSH's manifest documentation.
type Update struct {
	Canaries        int    `yaml:"canaries"`
	MaxInFlight     any    `yaml:"max_in_flight"`     // int, or a percentage like "10%"
	CanaryWatchTime string `yaml:"canary_watch_time"` // milliseconds, or a range like 1000-30000
	UpdateWatchTime string `yaml:"update_watch_time"` // idem
	// Serial is nil if the operator doesn't say.
	Serial                        *bool  `yaml:"serial"`
	InitialDeployAZUpdateStrategy string `yaml:"initial_deploy_az_update_strategy"` // serial, parallel or empty
}

var (
	percentInside = regexp.MustCompile(`\d+%`) // what the existing broker asks for
	percent       = regexp.MustCompile(`^\d+%$`)
	watchTime     = regexp.MustCompile(`^\s*\d+(\s*-\s*\d+)?\s*$`)
)

func (u *Update) given() bool { return u != nil && *u != Update{} }

func (u *Update) check(at section) {
	if !u.given() {
		return
	}
	checkMaxInFlight(at.key("max_in_flight"), u.MaxInFlight)
	checkWatchTime(at.key("canary_watch_time"), u.CanaryWatchTime)
	checkWatchTime(at.key("update_watch_time"), u.UpdateWatchTime)
	if given := u.InitialDeployAZUpdateStrategy; given != "" && !slices.Contains(updateStrategies(), given) {
		at.key("initial_deploy_az_update_strategy").warn("is no strategy that BOSH knows", "use "+oneOfThese(updateStrategies()))
	}
}

func updateStrategies() []string { return []string{"serial", "parallel"} }

func checkMaxInFlight(at section, given any) {
	const want = "give a whole number, or a percentage like 10%"
	switch value := given.(type) {
	case nil:
		at.need(Error, false, want)
	case int:
	case string:
		if !percentInside.MatchString(value) {
			at.refuse("is neither a number nor a percentage", want)
		} else if !percent.MatchString(value) {
			at.warn("is a percentage with something around it, which BOSH refuses", want)
		}
	default:
		at.refuse("is neither a number nor a percentage", want)
	}
}

func checkWatchTime(at section, given string) {
	if given != "" && !watchTime.MatchString(given) {
		at.warn("is no time that BOSH understands", "give milliseconds, or a range like 1000-30000")
	}
}
