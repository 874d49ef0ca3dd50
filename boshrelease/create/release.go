package main

import (
	"fmt"
	"os"
	"path/filepath"

	bicrypto "github.com/cloudfoundry/bosh-cli/v7/crypto"
	"github.com/cloudfoundry/bosh-cli/v7/release"
	boshcrypto "github.com/cloudfoundry/bosh-utils/crypto"
	"github.com/cloudfoundry/bosh-utils/fileutil"
	boshlog "github.com/cloudfoundry/bosh-utils/logger"
	boshsys "github.com/cloudfoundry/bosh-utils/system"
	"gopkg.in/yaml.v3"
)

// options say what is made of what.
type options struct {
	dir, version, commit, output string
	dirty                        bool
}

// tools are those of the bosh CLI.
type tools struct {
	fs       boshsys.FileSystem
	provider release.Provider
}

// withTools lends tools whose temporary files are gone afterwards.
func withTools(use func(tools) error) (err error) {
	scratch, err := os.MkdirTemp("", "create-release-*")
	if err != nil {
		return err
	}
	defer func() {
		if removal := os.RemoveAll(scratch); err == nil {
			err = removal
		}
	}()
	logger := boshlog.NewLogger(boshlog.LevelError)
	fs := boshsys.NewOsFileSystem(logger)
	if err := fs.ChangeTempRoot(scratch); err != nil {
		return err
	}
	runner := boshsys.NewExecCmdRunner(logger)
	digests := bicrypto.NewDigestCalculator(fs, []boshcrypto.Algorithm{boshcrypto.DigestAlgorithmSHA256})
	archives := reproducible{Compressor: fileutil.NewTarballCompressor(runner, fs), scratch: scratch}
	return use(tools{fs: fs, provider: release.NewProvider(runner, archives, digests, fs, logger)})
}

func (t tools) create(o options) error {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	name, err := releaseName(dir)
	if err != nil {
		return err
	}
	made, err := t.provider.NewDirReader(dir).Read(dir)
	if err != nil {
		return fmt.Errorf("reading the release in %s: %w", o.dir, err)
	}
	made.SetName(name)
	made.SetVersion(o.version)
	made.SetCommitHash(o.commit)
	made.SetUncommittedChanges(o.dirty)
	nothingYet := release.ArchiveIndicies{Jobs: unbuilt{}, Packages: unbuilt{}, Licenses: unbuilt{}}
	if err := made.Build(nothingYet, nothingYet, 1); err != nil {
		return fmt.Errorf("building jobs and packages: %w", err)
	}
	path, err := t.provider.NewArchiveWriter().Write(made, nil)
	if err != nil {
		return fmt.Errorf("writing the tarball: %w", err)
	}
	if err := t.fs.MkdirAll(filepath.Dir(o.output), 0o755); err != nil {
		return err
	}
	if err := t.fs.CopyFile(path, o.output); err != nil {
		return err
	}
	return os.Chmod(o.output, 0o644)
}

func releaseName(dir string) (string, error) {
	path := filepath.Join(dir, "config", "final.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var final struct{ Name string }
	if err := yaml.Unmarshal(text, &final); err != nil || final.Name == "" {
		return "", fmt.Errorf("%s has no name of the release (%v)", path, err)
	}
	return final.Name, nil
}

// unbuilt is an index of what was built before: nothing, so that all is built.
type unbuilt struct{}

func (unbuilt) Find(_, _ string) (path, digest string, err error) { return "", "", nil }

// Add takes the file to another name, since its maker removes it afterwards.
func (unbuilt) Add(_, fingerprint, path, digest string) (string, string, error) {
	kept := filepath.Join(filepath.Dir(path), fingerprint)
	return kept, digest, os.Rename(path, kept)
}
