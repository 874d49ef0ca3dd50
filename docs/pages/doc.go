// Package pages reads the documents of this repository – their links, headings, commands and code blocks – and does what they tell their
// readers to do: the code blocks of a page are run, one after another, in one shell that begins in an empty directory, and what they print is compared with what the
// page shows. It knows Markdown's fences and bash, and nothing of odb.
//
// # How a page has its blocks run
//
// A comment on the line before a fenced block, which readers don't see, says what to do with it:
//
//	<!-- run -->                      run it; each command must succeed
//	<!-- run, exits 1 -->             run it; its last command must end with 1
//	<!-- run in the background -->    start it, wait until it has printed what the page shows, and go on. It is stopped (SIGTERM)
//	                                  at the end of the page
//	<!-- file: adapter/main.go -->    don't run it: write it to that file, beneath the shell's first directory
//
// A block without such a comment is not run. A block of the language console is what a terminal shows: lines that begin with "$ "
// are commands (continued by "> ", or by a backslash at the end of the line), those beneath are what the command prints on stdout and
// stderr. There, … stands for what differs from run to run: within a line for any text, alone on a line for any number of lines. A
// block of any other language is a script, whose output is not compared.
//
//	<!-- run -->
//	```console
//	$ odb version
//	odb …
//	```
//
// All blocks of a page share the shell: its directory, variables and files stay. The commands have no standard input. What a page
// can't say for every machine, like a port that may be taken, is replaced by the test that runs it (Run.Replace).
package pages
