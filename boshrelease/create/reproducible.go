package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cloudfoundry/bosh-utils/fileutil"
)

// reproducible makes tarballs in which nothing tells when, where and by whom they were made.
type reproducible struct {
	fileutil.Compressor
	scratch string
}

// changed is when all files were changed. It isn't the beginning of time, of which tar warns.
func changed() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// CompressFilesInDir implements fileutil.Compressor.
func (r reproducible) CompressFilesInDir(dir string, options fileutil.CompressorOptions) (string, error) {
	return r.CompressSpecificFilesInDir(dir, []string{"."}, options)
}

// CompressSpecificFilesInDir implements fileutil.Compressor.
func (r reproducible) CompressSpecificFilesInDir(dir string, files []string, options fileutil.CompressorOptions) (string, error) {
	if options.NoCompression {
		return "", errors.New("tarballs without compression are not made here")
	}
	tarball, err := os.CreateTemp(r.scratch, "*.tgz")
	if err != nil {
		return "", err
	}
	defer tarball.Close()
	zipped := gzip.NewWriter(tarball)
	archive := tar.NewWriter(zipped)
	for _, file := range files {
		if err := addTree(archive, dir, file); err != nil {
			return "", fmt.Errorf("adding %s to a tarball: %w", file, err)
		}
	}
	return tarball.Name(), errors.Join(archive.Close(), zipped.Close(), tarball.Close())
}

// addTree adds a file, or a folder with all that is in it, in the order of the names, which are those that tar gives.
func addTree(archive *tar.Writer, dir, name string) error {
	return filepath.WalkDir(filepath.Join(dir, name), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		header := &tar.Header{Name: filepath.ToSlash(relative), ModTime: changed(), Format: tar.FormatPAX}
		if name == "." && relative != "." {
			header.Name = "./" + header.Name
		}
		switch {
		case info.IsDir():
			header.Typeflag, header.Mode, header.Name = tar.TypeDir, 0o755, header.Name+"/"
			return archive.WriteHeader(header)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", relative)
		}
		header.Typeflag, header.Mode, header.Size = tar.TypeReg, 0o644, info.Size()
		if info.Mode()&0o100 != 0 {
			header.Mode = 0o755
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		return addContent(archive, path)
	})
}

func addContent(archive *tar.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(archive, file)
	return err
}
