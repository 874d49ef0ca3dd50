// Package schemas knows JSON schemas for the parameters of a plan (OSB 2.17, Input Parameters Schema Object): it compiles them,
// from draft 04 to 2020-12, says what is wrong with one that can't be used, and finds every violation in parameters. It knows
// neither plans nor adapters.
package schemas
