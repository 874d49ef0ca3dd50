package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// copyOfRelease copies the release to a folder of its own, with something in place of the program.
func copyOfRelease(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "release")
	for _, part := range []string{"config", "jobs", "packages", "templates"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join("..", part))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "src", "odb"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "src", "odb", "odb"), []byte("the program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func create(t *testing.T, dir, output string) (listed string) {
	t.Helper()
	var stdout bytes.Buffer
	if err := run([]string{"-dir", dir, "-version", "1.2.3", "-commit", "abcdef", "-output", output}, &stdout); err != nil {
		t.Fatal(err)
	}
	return stdout.String()
}

func digest(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

func TestTheTarballHoldsAllJobsAndThePackage(t *testing.T) {
	output := filepath.Join(t.TempDir(), "new", "release.tgz")
	listed := create(t, copyOfRelease(t), output)
	var jobs []string
	for line := range strings.Lines(listed) {
		if name, rest, found := strings.Cut(line, "/"); found && strings.Contains(rest, " sha256:") {
			jobs = append(jobs, name)
		}
	}
	want := []string{
		"broker", "delete-all-service-instances", "delete-all-service-instances-and-deregister-broker", "deregister-broker",
		"orphan-deployments", "recreate-all-service-instances", "register-broker", "service-metrics-adapter",
		"upgrade-all-service-instances", "odb",
	}
	if !slices.Equal(jobs, want) {
		t.Errorf("listed is\n%s", listed)
	}
	for _, line := range []string{"NAME     on-demand-service-broker", "VERSION  1.2.3", "COMMIT   abcdef\n"} {
		if !strings.Contains(listed, line) {
			t.Errorf("%q is missing in\n%s", line, listed)
		}
	}
}

// contents are the names in a tarball, with their modes.
func contents(t *testing.T, tarball io.Reader) (names []string, files map[string][]byte) {
	t.Helper()
	unzipped, err := gzip.NewReader(tarball)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return names, files
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprintf("%s %o", header.Name, header.Mode))
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheTarballIsLaidOutAsBOSHWantsIt(t *testing.T) {
	output := filepath.Join(t.TempDir(), "release.tgz")
	create(t, copyOfRelease(t), output)
	tarball, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	names, files := contents(t, bytes.NewReader(tarball))
	for _, name := range []string{"release.MF 644", "jobs/ 755", "jobs/broker.tgz 644", "packages/odb.tgz 644"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing among %q", name, names)
		}
	}
	names, _ = contents(t, bytes.NewReader(files["packages/odb.tgz"]))
	if want := []string{"./ 755", "./odb/ 755", "./odb/odb 755", "./packaging 644"}; !slices.Equal(names, want) {
		t.Errorf("the package has %q, not %q", names, want)
	}
	names, inside := contents(t, bytes.NewReader(files["jobs/orphan-deployments.tgz"]))
	// The CLI gives a link's target the link's mode, which BOSH doesn't mind.
	want := []string{"./ 755", "./job.MF 644", "./monit 644", "./templates/ 755", "./templates/bpm.yml.erb 644", "./templates/config.yml.erb 755", "./templates/run.erb 644"}
	if !slices.Equal(names, want) {
		t.Errorf("the job has %q, not %q", names, want)
	}
	if shared := inside["./templates/config.yml.erb"]; !bytes.Contains(shared, []byte("broker_api.url")) {
		t.Errorf("the template that jobs share is not in the job: %s", shared)
	}
}

// Not parallel: it changes the umask of the process.
func TestTheSameFilesMakeTheSameTarball(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "1.tgz"), filepath.Join(t.TempDir(), "2.tgz")
	create(t, copyOfRelease(t), first)

	old := syscall.Umask(0o077)
	dir := copyOfRelease(t)
	long := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "src", "odb", "odb"), long, long); err != nil {
		t.Fatal(err)
	}
	create(t, dir, second)
	syscall.Umask(old)

	if one, two := digest(t, first), digest(t, second); one != two {
		t.Errorf("one tarball is %s, the other %s", one, two)
	}
}

func TestAReleaseWithoutItsProgramIsRefused(t *testing.T) {
	dir := copyOfRelease(t)
	if err := os.RemoveAll(filepath.Join(dir, "src", "odb")); err != nil {
		t.Fatal(err)
	}
	err := run([]string{"-dir", dir, "-version", "1.2.3", "-output", filepath.Join(t.TempDir(), "release.tgz")}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "Missing files for pattern 'odb/odb'") {
		t.Errorf("the error is %v", err)
	}
	if err := run(nil, &bytes.Buffer{}); err == nil {
		t.Error("no version is no error")
	}
}
