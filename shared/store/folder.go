package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const (
	tempDir   = ".tmp" // not part of the store, because no segment of a key starts with a dot
	staleTemp = 24 * time.Hour

	// Objects contain personal data. No other user of the machine may read them.
	dirMode  = 0o700
	fileMode = 0o600

	readDirBatch = 1000
)

// folder is a store in a directory. Every access goes through root, so no key and no symbolic link leads out of it.
type folder struct {
	root *os.Root
}

func openFolder(location string) (*folder, error) {
	location, err := filepath.Abs(location)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(location, dirMode); err != nil {
		return nil, err
	}
	owner, err := ownerOf(location)
	if err == nil {
		err = ours(location, owner, os.Geteuid())
	}
	if err != nil {
		return nil, err
	}
	f, err := rootIn(location)
	if err != nil {
		return nil, err
	}
	f.sweep(time.Now().Add(-staleTemp))
	return f, nil
}

func viewFolder(location string) (*folder, error) {
	location, err := filepath.Abs(location)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(location); isMissing(err) {
		return nil, fmt.Errorf("%w: the folder does not exist", ErrNotFound)
	}
	return rootIn(location)
}

func rootIn(location string) (*folder, error) {
	if err := closed(location); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(location)
	if err != nil {
		return nil, err
	}
	return &folder{root}, nil
}

// The function "ours" returns an error if the process runs as the user root and the folder belongs to another user.
// This user could not read the new objects, and every later night would fail.
func ours(location string, owner, self int) error {
	if self != 0 || owner == 0 {
		return nil
	}
	return fmt.Errorf("the folder %s belongs to the user with id %d, who could not read what root writes there; call idleseat as that user:  sudo -u '#%d' idleseat …", location, owner, owner)
}

const othersWrite = 0o002

// The function "closed" returns an error if every user of the machine may write to the store's folder or to a folder
// directly inside it. Such a user could forge the record of taken licenses.
func closed(location string) error {
	if runtime.GOOS == "windows" { // file modes do not show permissions on Windows
		return nil
	}
	inside, err := os.ReadDir(location)
	if err != nil {
		return err
	}
	paths := []string{location}
	for _, e := range inside {
		if e.IsDir() {
			paths = append(paths, filepath.Join(location, e.Name()))
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process has just removed its temporary file
		}
		if err != nil {
			return err
		}
		if info.Mode().Perm()&othersWrite != 0 {
			return fmt.Errorf("everybody on this machine may write into the folder %s (%s), and what lies there decides which licenses are taken and restored; take that right away:  chmod -R go-w %q", path, info.Mode().Perm(), location)
		}
	}
	return nil
}

// The method "sweep" deletes temporary files that are older than the given time, because their writers have died. It
// ignores errors, because a store without write access is still useful.
func (f *folder) sweep(before time.Time) {
	entries, err := fs.ReadDir(f.root.FS(), tempDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
			_ = f.root.Remove(path.Join(tempDir, e.Name()))
		}
	}
}

func (f *folder) fail(doing, key string, err error) error {
	return fmt.Errorf("%s object %q in folder %s: %w", doing, key, f.root.Name(), err)
}

func (f *folder) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	file, err := f.open(ctx, key)
	if isMissing(err) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, f.fail("read", key, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{contextReader{ctx, file}, file}, nil
}

func (f *folder) open(ctx context.Context, key string) (*os.File, error) {
	if err := ready(ctx, key); err != nil {
		return nil, err
	}
	info, err := f.root.Lstat(key)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, ErrNotFound
	case !info.Mode().IsRegular():
		return nil, errNotPlain(info.Mode())
	}
	return f.root.Open(key)
}

// isMissing reports whether err means that there is no object at a key. This includes the error for a key below another
// object, such as "a/b" if "a" is an object.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func errNotPlain(mode fs.FileMode) error {
	return fmt.Errorf("not a plain file or folder (%s); remove it from the store", mode.Type())
}

func (f *folder) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := f.write(ctx, key, body, f.root.Rename); err != nil {
		return f.fail("write", key, err)
	}
	return nil
}

func (f *folder) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := f.write(ctx, key, body, f.linkNew); err != nil {
		return f.fail("write", key, err)
	}
	return nil
}

// linkNew moves a file to its key by a hard link, which fails if the key is taken. On a network file system, the answer
// to a link can be lost. The system then repeats the link, which fails although the first link succeeded (Linux,
// open(2), O_EXCL). linkNew recognizes this case.
func (f *folder) linkNew(temp, key string) error {
	err := f.root.Link(temp, key)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	ours, err := f.root.Lstat(temp)
	if err != nil {
		return fmt.Errorf("the key is taken, perhaps by this write: %w", err)
	}
	there, err := f.root.Lstat(key)
	if err != nil {
		return fmt.Errorf("the key is taken, perhaps by this write: %w", err)
	}
	if !os.SameFile(ours, there) {
		return ErrExists
	}
	return nil
}

// The method "write" writes the body to a hidden file and syncs it to disk. Then the function "place" moves the file to
// its key. A crash leaves no partial object.
func (f *folder) write(ctx context.Context, key string, body io.Reader, place func(temp, key string) error) error {
	if err := ready(ctx, key); err != nil {
		return err
	}
	if info, err := f.root.Lstat(key); err == nil && info.IsDir() {
		return errors.New("other keys lie below this one")
	}
	if err := f.root.MkdirAll(tempDir, dirMode); err != nil {
		return err
	}
	temp := path.Join(tempDir, rand.Text())
	defer func() { _ = f.root.Remove(temp) }() // fails without harm if place has renamed the hidden file
	if err := f.writeTemp(ctx, temp, body); err != nil {
		return err
	}
	if err := f.root.MkdirAll(path.Dir(key), dirMode); err != nil {
		return err
	}
	if err := place(temp, key); err != nil {
		return err
	}
	return f.syncParents(key)
}

func (f *folder) writeTemp(ctx context.Context, temp string, body io.Reader) error {
	file, err := f.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, contextReader{ctx, body})
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// syncParents syncs the directory of the key and all directories above it, because each of them may be new.
func (f *folder) syncParents(key string) error {
	if runtime.GOOS == "windows" { // a directory cannot be synced on Windows
		return nil
	}
	for dir := path.Dir(key); ; dir = path.Dir(dir) {
		d, err := f.root.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
		if dir == "." {
			return nil
		}
	}
}

type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
