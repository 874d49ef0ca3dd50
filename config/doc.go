// Package config is what the operator wrote: the types of broker.yml and of the companion commands' files, their strict load, and
// every problem with its line. It knows no other room, opens no connection, and reads no file but the one it is given and – in Load –
// those that this one names.
//
// # The three grades of a problem
//
// Two wishes pull in different directions: a file that the existing broker starts with must start this one, and a
// file that is wrong must not pass a check. Each problem therefore has a Severity:
//
//   - [Error]: the existing broker would not have started either (it refused the file, or died before it listened),
//     or nothing could be served with such a file (no service id, no plan), or it is about a key that is new here, or
//     the broker would do in the clear what it was told to encrypt (half a TLS pair). Load and Parse refuse.
//   - [Warning]: the file is wrong, yet a broker with it runs today: a key nobody reads, a key set twice, a rule that
//     only the BOSH template checked (a plan without a description, a floating stemcell). Load
//     accepts, `odb serve` prints it, `odb config check` fails.
//   - [Notice]: the file is right, but there is something to know: a deprecated key and its successor, a key without
//     effect, a value that the platform in front may not like. Nobody fails because of it.
//
// A CA certificate without a readable PEM block is a Warning: the file says what it says, and it is the client built
// from it that has to refuse – not every broker builds every client.
//
// # What is read loosely, as it always was
//
// The existing broker read its file with yaml.v2, so this one gives the same meaning to the same text. Unquoted numbers
// and booleans are text where text is wanted, and keep their spelling (1.10 stays "1.10"); yes, no, on and off are
// booleans everywhere else; a whole number may be written 3.0; the last of two equal keys wins; merge keys (<<) take
// effect where they stand. Null, and an empty value of the right kind, mean "not configured", since BOSH templates
// render every key.
package config
