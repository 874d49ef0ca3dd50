package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// users are the cache's users, one for each binding, so that one can go and the others stay. An adapter makes them on its service's own
// VMs, as their administrator. Behind a development Director there are none, and so a file stands for each user: it is there or it
// isn't, and nothing is in it.
type users struct{ dir string }

// besideProgram is where they are kept: in a folder beside the adapter's executable.
func besideProgram() users {
	program, err := os.Executable()
	if err != nil {
		program = filepath.Join(os.TempDir(), "cache-adapter")
	}
	return users{dir: program + ".users"}
}

// add makes a user, or finds it made: a binding may be asked for twice, when an answer was lost.
func (u users) add(deployment, name string) error {
	if err := os.MkdirAll(u.dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of users: %w", err)
	}
	if err := os.WriteFile(u.file(deployment, name), nil, 0o600); err != nil {
		return fmt.Errorf("making the user: %w", err)
	}
	return nil
}

var errNoSuchUser = errors.New("the cache has no such user")

// remove takes a user's access away.
func (u users) remove(deployment, name string) error {
	switch err := os.Remove(u.file(deployment, name)); {
	case errors.Is(err, fs.ErrNotExist):
		return errNoSuchUser
	case err != nil:
		return fmt.Errorf("removing the user: %w", err)
	}
	return nil
}

// file is named by a digest: a binding's id is the platform's word.
func (u users) file(deployment, name string) string {
	digest := sha256.Sum256([]byte(deployment + "/" + name))
	return filepath.Join(u.dir, hex.EncodeToString(digest[:]))
}

// passwordOf is a user's password. It follows from the instance's own, which is in the manifest, so that it needs no place to be kept
// in, and is the same when it is asked for again.
func passwordOf(name string, properties *cacheProperties) string {
	mac := hmac.New(sha256.New, []byte(properties.Password))
	mac.Write([]byte(name))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil))[:26]
}
