// Command pack makes a zip archive of each given file, in the given folder. As Lambda requires, the file in the
// archive is executable and has the name bootstrap. The archive has no date, so the same file always gives the same
// archive.
package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: pack FOLDER FILE...")
		os.Exit(2)
	}
	if err := packAll(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func packAll(folder string, files []string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if err := pack(file, filepath.Join(folder, filepath.Base(file)+".zip")); err != nil {
			return err
		}
	}
	return nil
}

func pack(file, archive string) (err error) {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := zip.NewWriter(out)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	h.SetMode(0o755)
	to, err := w.CreateHeader(h)
	if err != nil {
		return fmt.Errorf("begin %s: %w", archive, err)
	}
	if _, err := io.Copy(to, in); err != nil {
		return fmt.Errorf("pack %s into %s: %w", file, archive, err)
	}
	return w.Close()
}
