package fleet

import (
	"fmt"
	"strings"
)

// Planned is who a run with these Options would work on, in the order in which they would be begun.
type Planned struct {
	// Canaries come first. Where anybody may be one, the next of the Rest take the place of those that turn out to be busy, deleted
	// or orphans.
	Canaries []Member
	Rest     []Member
}

// Plan says who would be worked on in which phase, and begins nothing. Its errors are those of Run.
func Plan(options Options) (Planned, error) {
	options, err := options.withDefaults()
	if err != nil {
		return Planned{}, err
	}
	lineup, err := lineUp(options)
	if err != nil {
		return Planned{}, err
	}
	if lineup.wanted == 0 {
		return Planned{Rest: options.Members}, nil
	}
	planned := Planned{}
	canary := make([]bool, len(options.Members))
	for _, i := range lineup.candidates[:lineup.wanted] {
		canary[i] = true
		planned.Canaries = append(planned.Canaries, options.Members[i])
	}
	for i, member := range options.Members {
		if !canary[i] {
			planned.Rest = append(planned.Rest, member)
		}
	}
	return planned, nil
}

// lineup is who may be a canary, by index, and how many of them have to end well. Without canaries both are empty.
type lineup struct {
	candidates []int32
	wanted     int
}

// lineUp checks the members and finds the canaries among them (spec/errands.md §3, "Iterator algorithm" 2).
func lineUp(options Options) (lineup, error) {
	if err := checkMembers(options.Members); err != nil {
		return lineup{}, err
	}
	canaries := options.Canaries
	if len(options.Members) == 0 || (canaries.Number == 0 && canaries.Selection.Empty()) {
		return lineup{}, nil
	}
	var candidates []int32
	for i, member := range options.Members {
		if canaries.Selection.Matches(member) {
			candidates = append(candidates, int32(i))
		}
	}
	if len(candidates) == 0 {
		return lineup{}, fmt.Errorf("%w: %s", ErrNoCanary, options.Canaries.Criteria)
	}
	if unknown := canaries.Selection.unknownIDs(options.Members); len(unknown) > 0 {
		return lineup{}, fmt.Errorf("%w: %s", ErrUnknownCanary, strings.Join(unknown, ", "))
	}
	wanted := len(candidates)
	if canaries.Number > 0 {
		wanted = min(wanted, canaries.Number)
	}
	return lineup{candidates: candidates, wanted: wanted}, nil
}

// checkMembers makes sure that no member can be begun twice.
func checkMembers(members []Member) error {
	seen := make(map[string]struct{}, len(members))
	for i, member := range members {
		if member.ID == "" {
			return fmt.Errorf("%w: member %d of %d has no id", ErrOptions, i+1, len(members))
		}
		if _, twice := seen[member.ID]; twice {
			return fmt.Errorf("%w: service instance %s is listed twice", ErrOptions, member.ID)
		}
		seen[member.ID] = struct{}{}
	}
	return nil
}
