package companions

import (
	"fmt"
	"regexp"
	"strconv"
)

var directorVersion = regexp.MustCompile(`^(\d+)\.(\d+)(?:\.(\d+))?`)

// CheckRecreation says what is wrong with a Director of this version if instances are to be recreated: the first ones to do that
// as an operator expects are 266.15, 267.9, 268.2.2 and, after 268.3, 268.4.
func CheckRecreation(version string) error {
	found := directorVersion.FindStringSubmatch(version)
	if found == nil {
		return fmt.Errorf("the Director's version %q can't be read", version)
	}
	number := [3]int{}
	for i, digits := range found[1:] {
		number[i], _ = strconv.Atoi(digits) // empty for a part that is missing
	}
	major, minor, patch := number[0], number[1], number[2]
	able := major > 268
	switch major {
	case 266:
		able = minor >= 15
	case 267:
		able = minor >= 9
	case 268:
		able = minor >= 4 || minor == 2 && patch >= 2
	}
	if !able {
		return fmt.Errorf("the Director is version %s: recreating service instances needs 266.15, 267.9, 268.2.2 or 268.4, or a later one of these, or 269", version)
	}
	return nil
}
