package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// The variable "made" is the time of each file in an archive. It is the earliest time that a zip can hold.
var made = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// The method "pack" writes an archive. It has one folder with the name of the archive, and in this folder a binary, the
// licenses of the binary's modules, and the given files. The archive is a zip for Windows, because every Windows
// machine can open a zip. For other systems, it is a .tar.gz.
func (r release) pack(title, binary, licenses string, files []string) (err error) {
	ending, begin := ".tar.gz", newTar
	if strings.HasSuffix(binary, ".exe") {
		ending, begin = ".zip", newZip
	}
	name := filepath.Join(r.out, title+ending)
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	add, end := begin(out)
	if err := addFile(add, path.Join(title, filepath.Base(binary)), binary, 0o755); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	if err := addFile(add, path.Join(title, filepath.Base(licenses)), licenses, 0o644); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	for _, file := range files {
		if err := addFile(add, path.Join(title, path.Base(file)), filepath.Join(r.root, file), 0o644); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	return end()
}

// The type "adder" is a function that starts a file in an archive, and returns the writer for its content.
type adder func(name string, mode os.FileMode, size int64) (io.Writer, error)

func addFile(add adder, name, from string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	to, err := add(name, mode, info.Size())
	if err != nil {
		return err
	}
	_, err = io.Copy(to, in)
	return err
}

func newTar(out io.Writer) (adder, func() error) {
	compressed := gzip.NewWriter(out)
	w := tar.NewWriter(compressed)
	add := func(name string, mode os.FileMode, size int64) (io.Writer, error) {
		return w, w.WriteHeader(&tar.Header{Name: name, Mode: int64(mode), Size: size, ModTime: made, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR})
	}
	return add, func() error { return errors.Join(w.Close(), compressed.Close()) }
}

func newZip(out io.Writer) (adder, func() error) {
	w := zip.NewWriter(out)
	add := func(name string, mode os.FileMode, _ int64) (io.Writer, error) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: made}
		h.SetMode(mode)
		return w.CreateHeader(h)
	}
	return add, w.Close
}
