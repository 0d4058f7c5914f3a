package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

func (f *folder) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield("", f.fail("list", prefix, err))
			return
		}
		dir := prefix[:strings.LastIndexByte(prefix, '/')+1]
		for key, err := range f.walk(ctx, dir, prefix) {
			if err != nil {
				err = f.fail("list", prefix, err)
			}
			if !yield(key, err) {
				return
			}
		}
	}
}

// The method "walk" iterates over the keys below "dir", which is "" or ends with a slash. It keeps the names of only
// one directory per level in memory.
func (f *folder) walk(ctx context.Context, dir, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		names, err := f.names(dir, prefix)
		if err != nil {
			yield("", err)
			return
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !strings.HasSuffix(name, "/") {
				if !yield(dir+name, nil) {
					return
				}
				continue
			}
			for key, err := range f.walk(ctx, dir+name, prefix) {
				if !yield(key, err) || err != nil {
					return
				}
			}
		}
	}
}

// The method "names" returns the names of the files and folders in a directory, sorted. It leaves out names whose path
// does not start with prefix. The name of a folder ends with a slash, so folders sort in the order of the keys below
// them.
func (f *folder) names(dir, prefix string) ([]string, error) {
	d, err := f.root.Open(dir + ".")
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var names []string
	for {
		batch, err := d.ReadDir(readDirBatch)
		for _, e := range batch {
			name := e.Name()
			if e.IsDir() {
				name += "/"
			}
			if !strings.HasPrefix(dir+name, prefix) || CheckKey(dir+e.Name()) != nil {
				continue // the name cannot be part of a key, such as .tmp
			}
			if !e.IsDir() && !e.Type().IsRegular() {
				// A symbolic link, for example, may stand in place of an object, so the listing must not skip such an
				// entry.
				return nil, fmt.Errorf("%s: %w", dir+name, errNotPlain(e.Type()))
			}
			names = append(names, name)
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
