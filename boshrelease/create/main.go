// Command create makes the tarball of the BOSH release, of the same bytes for the same files. It does so with the packages of
// the bosh CLI, so that fingerprints, digests and format are those of `bosh create-release`; the CLI itself keeps the times of
// its temporary files in the tarball. Then it reads the tarball as the CLI does, and lists what is in it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/cloudfoundry/bosh-cli/v7/release"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "create: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	var o options
	flags := flag.NewFlagSet("create", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "boshrelease", "the release's `folder`, with the program at src/odb/odb")
	flags.StringVar(&o.version, "version", "", "the release's `version`")
	flags.StringVar(&o.commit, "commit", "", "the `commit` that it is made from")
	flags.BoolVar(&o.dirty, "dirty", false, "there are changes that are not committed")
	flags.StringVar(&o.output, "output", "", "`path` of the tarball")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.version == "" || o.output == "" {
		return fmt.Errorf("-version and -output are needed")
	}
	return withTools(func(t tools) error {
		if err := t.create(o); err != nil {
			return err
		}
		made, err := t.provider.NewArchiveReader().Read(o.output)
		if err != nil {
			return fmt.Errorf("reading %s: %w", o.output, err)
		}
		return list(stdout, o.output, made)
	})
}

// list writes what `bosh inspect-local-release` does.
func list(w io.Writer, path string, made release.Release) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\n\nNAME\t%s\nVERSION\t%s\nCOMMIT\t%s\n\nJOB\tDIGEST\n", path, made.Name(), made.Version(), made.CommitHashWithMark("+"))
	for _, job := range made.Jobs() {
		fmt.Fprintf(table, "%s/%s\t%s\n", job.Name(), job.Fingerprint(), job.ArchiveDigest())
	}
	fmt.Fprint(table, "\nPACKAGE\tDIGEST\n")
	for _, pkg := range made.Packages() {
		fmt.Fprintf(table, "%s/%s\t%s\n", pkg.Name(), pkg.Fingerprint(), pkg.ArchiveDigest())
	}
	return table.Flush()
}
