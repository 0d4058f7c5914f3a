// Package store keeps objects by key, in a folder or in an S3 bucket, with the same behavior in both. An object appears
// whole or not at all. If several processes call PutIfAbsent for one key, exactly one succeeds. List is in byte order.
// The package deletes no objects.
//
// File systems restrict the keys. A key must not also be the folder of another key ("a" and "a/b"). Two keys must not
// differ only in letter case.
package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The errors that callers distinguish with errors.Is.
var (
	ErrNotFound = errors.New("no such object")
	ErrExists   = errors.New("the object exists already")
	ErrBadKey   = errors.New("bad key")
	ErrDamaged  = errors.New("damaged object")
	// ErrOverwrites is the error for a store whose PutIfAbsent overwrites objects.
	ErrOverwrites = errors.New("the store writes over what must be written once")
)

// MaxJSON is the size of the largest object that GetJSON reads, in bytes.
const MaxJSON = 64 << 20

const (
	maxKey     = 1024 // bytes; the limit of S3
	maxSegment = 255  // bytes; the limit of common file systems
)

// Store keeps objects by key (see CheckKey). Each error names the object. If a call fails because ctx has ended, the
// error wraps context.Canceled or context.DeadlineExceeded.
type Store interface {
	// Get opens an object for reading. The error is ErrNotFound if there is no object. The caller must close the
	// reader. A read fails after ctx has ended.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Put stores body, from its current offset to its end. It replaces any object at the key. A reader gets either the
	// old or the new object, and never a mixture.
	Put(ctx context.Context, key string, body io.ReadSeeker) error
	// PutIfAbsent works like Put if there is no object at the key. Otherwise the error is ErrExists. If several
	// processes call it for one key, exactly one call succeeds.
	PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error
	// List iterates in byte order over the keys that start with prefix, which may end in the middle of a segment. An
	// error ends the iteration. Objects that are stored during the iteration may or may not appear.
	List(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// Open opens the store at "s3://bucket", at "s3://bucket/prefix" or in a folder, which it creates if necessary. The
// variables and files of the AWS SDK configure S3. Open does not connect to S3, so a wrong configuration shows only in
// the first call of a method.
func Open(ctx context.Context, location string) (Store, error) {
	scheme, rest, hasScheme := strings.Cut(location, "://")
	var (
		s   Store
		err error
	)
	switch {
	case scheme == "s3" && hasScheme:
		s, err = openBucket(ctx, rest)
	case hasScheme || location == "":
		err = errors.New("not a location; give a folder or s3://bucket/prefix")
	default:
		s, err = openFolder(location)
	}
	if err != nil {
		return nil, fmt.Errorf("open store %q: %w", location, err)
	}
	return s, nil
}

// CheckKey returns an ErrBadKey with the reason if a folder or S3 cannot use the key. A key has at most 1024 bytes, in
// segments of 1 to 255 bytes between slashes. The characters are printable, without \ : * ? " < > |. A segment does not
// start with a dot, and does not end with a dot or a space.
func CheckKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("%w: longer than %d bytes", ErrBadKey, maxKey)
	}
	if !utf8.ValidString(key) {
		return fmt.Errorf("%w: not UTF-8", ErrBadKey)
	}
	if i := strings.IndexFunc(key, isRefused); i >= 0 {
		r, _ := utf8.DecodeRuneInString(key[i:])
		return fmt.Errorf("%w: character %q", ErrBadKey, r)
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "":
			return fmt.Errorf("%w: empty segment", ErrBadKey)
		case len(segment) > maxSegment:
			return fmt.Errorf("%w: segment longer than %d bytes", ErrBadKey, maxSegment)
		case segment[0] == '.':
			return fmt.Errorf("%w: segment %q starts with a dot", ErrBadKey, segment)
		case strings.HasSuffix(segment, ".") || strings.HasSuffix(segment, " "):
			return fmt.Errorf("%w: segment %q ends with a dot or a space", ErrBadKey, segment)
		}
	}
	return nil
}

// isRefused reports whether a key must not contain a character, because some operating systems forbid it in file names,
// or a listing of S3 cannot return it.
func isRefused(r rune) bool {
	return strings.ContainsRune(`\:*?"<>|`, r) || !unicode.IsPrint(r)
}

// checkPrefix returns an error if no key can start with the prefix. Such a prefix is a bug of the caller or an attempt
// to leave the store.
func checkPrefix(prefix string) error {
	if CheckKey(prefix) == nil {
		return nil
	}
	return CheckKey(prefix + "x")
}

func ready(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return CheckKey(key)
}

// GetBytes reads an object of at most "limit" bytes. The error is ErrDamaged if the object is larger.
func GetBytes(ctx context.Context, s Store, key string, limit int64) ([]byte, error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read object %q: %w", key, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w %q: larger than %d bytes", ErrDamaged, key, limit)
	}
	return b, nil
}

// Read passes the content of an object to the callback "decode", and returns the error of the callback. The callback
// cannot tell a broken connection from a shortened object, and may call both ErrDamaged. In the first case, Read
// returns the error of the connection instead, because a later read may succeed.
func Read(ctx context.Context, s Store, key string, decode func(io.Reader) error) error {
	body, err := s.Get(ctx, key)
	if err != nil {
		return err
	}
	defer body.Close()
	r := &reading{Reader: body}
	err = decode(r)
	if r.failed != nil && errors.Is(err, ErrDamaged) {
		return fmt.Errorf("read object %q: %w", key, r.failed)
	}
	return err
}

// The type "reading" is the content of an object. It keeps the error of a read that failed.
type reading struct {
	io.Reader
	failed error
}

func (r *reading) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed = err
	}
	return n, err
}

// GetJSON decodes an object into v, as Decode does. The error is ErrDamaged if the object is larger than MaxJSON.
func GetJSON(ctx context.Context, s Store, key string, v any) error {
	b, err := GetBytes(ctx, s, key, MaxJSON)
	if err != nil {
		return err
	}
	return Decode(key, b, v)
}

// Decode decodes the bytes of an object into v. The error is ErrDamaged if the bytes were altered since they were
// sealed, are not exactly one JSON value, or do not fit v. Members for which v has no field are ignored, because a
// newer version may have written them.
func Decode(key string, b []byte, v any) error {
	b, err := Unseal(key, b)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w %q: %w", ErrDamaged, key, err)
	}
	return nil
}

// PutBytes stores b as Put does.
func PutBytes(ctx context.Context, s Store, key string, b []byte) error {
	return s.Put(ctx, key, bytes.NewReader(b))
}

// PutJSON stores v as JSON, as Put does.
func PutJSON(ctx context.Context, s Store, key string, v any) error {
	return encode(ctx, s.Put, key, v)
}

// PutJSONIfAbsent stores v as JSON, as PutIfAbsent does.
func PutJSONIfAbsent(ctx context.Context, s Store, key string, v any) error {
	return encode(ctx, s.PutIfAbsent, key, v)
}

// PutJSONProven works like PutJSONIfAbsent, and then writes the object a second time, which the store must refuse. Some
// S3-compatible servers ignore If-None-Match. The error is then ErrOverwrites, because two runs could take the same
// license in such a store.
func PutJSONProven(ctx context.Context, s Store, key string, v any) error {
	if err := PutJSONIfAbsent(ctx, s, key, v); err != nil {
		return err
	}
	switch err := PutJSONIfAbsent(ctx, s, key, v); {
	case errors.Is(err, ErrExists):
		return nil
	case err != nil:
		return fmt.Errorf("prove that the store keeps what is written once: %w", err)
	}
	return fmt.Errorf("%w: object %q was written twice, although it is to be created only; use a folder, AWS S3, or a server that honours If-None-Match on PutObject", ErrOverwrites, key)
}

func encode(ctx context.Context, put func(context.Context, string, io.ReadSeeker) error, key string, v any) error {
	b, err := Encode(key, v)
	if err != nil {
		return err
	}
	return put(ctx, key, bytes.NewReader(b))
}
