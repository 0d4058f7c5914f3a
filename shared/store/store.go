// Package store keeps objects by key, in a folder or in an S3 bucket. It behaves alike on both. An object appears whole
// or not at all. PutIfAbsent has one winner among all processes. List is in byte order. An object is never deleted. Two
// limits come from folders. A key must not also be the folder of another key ("a" and "a/b"). Keys must not differ only
// in letter case.
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

// These are the errors that callers distinguish, with errors.Is.
var (
	ErrNotFound = errors.New("no such object")
	ErrExists   = errors.New("the object exists already")
	ErrBadKey   = errors.New("bad key")
	ErrDamaged  = errors.New("damaged object")
	// ErrOverwrites is returned for a store in which PutIfAbsent overwrites objects.
	ErrOverwrites = errors.New("the store writes over what must be written once")
)

// MaxJSON is the largest object, in bytes, that GetJSON reads.
const MaxJSON = 64 << 20

const (
	maxKey     = 1024 // bytes; the limit of S3
	maxSegment = 255  // bytes; the limit of common file systems
)

// Store keeps objects by key (see CheckKey). Its errors name the object. They are context.Canceled or
// context.DeadlineExceeded when ctx ended the call.
type Store interface {
	// Get opens an object for reading. The caller closes it. The error is ErrNotFound when there is none. Reading ends
	// when ctx ends.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Put stores body, from its current offset to its end, and replaces the object at the key. A reader sees the old
	// object or the new one, never a mix.
	Put(ctx context.Context, key string, body io.ReadSeeker) error
	// PutIfAbsent stores body at a key that holds nothing, and fails with ErrExists otherwise. Of several calls, in any
	// process, exactly one succeeds.
	PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error
	// List yields the keys that start with prefix in byte order. prefix is any string, not only whole segments; ""
	// yields all keys. An error is the last thing yielded. Objects stored during the listing may be in it or not.
	List(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// Open opens the store at "s3://bucket" or "s3://bucket/prefix", or in a folder. It creates a missing folder. The AWS
// SDK's own variables and files configure S3. The first call shows whether that works.
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

// CheckKey returns why a key cannot be used on any store (ErrBadKey). A key has at most 1024 bytes. It has segments of
// 1 to 255 bytes, joined by slashes. Their characters are printable and none of \ : * ? " < > |. A segment does not
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

// isRefused reports whether a character cannot be in a file name on every system, or would not survive S3's listings.
func isRefused(r rune) bool {
	return strings.ContainsRune(`\:*?"<>|`, r) || !unicode.IsPrint(r)
}

// checkPrefix refuses a prefix with which no key can start. It is a mistake of the caller, or an attempt to leave the
// store.
func checkPrefix(prefix string) error {
	if CheckKey(prefix) == nil {
		return nil
	}
	return CheckKey(prefix + "x")
}

// ready reports whether an operation on key may start.
func ready(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return CheckKey(key)
}

// GetBytes reads an object of at most limit bytes. The error is ErrDamaged for a larger one.
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

// GetJSON decodes an object into v, as Decode does. The error is ErrDamaged for an object larger than MaxJSON.
func GetJSON(ctx context.Context, s Store, key string, v any) error {
	b, err := GetBytes(ctx, s, key, MaxJSON)
	if err != nil {
		return err
	}
	return Decode(key, b, v)
}

// Decode decodes the bytes of an object into v. The error is ErrDamaged when the bytes were altered since they were
// sealed, are not exactly one JSON value, or do not fit v. Decode ignores fields that v does not have, because a newer
// version may have written them.
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

// PutBytes stores b, as Put does.
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

// PutJSONProven does what PutJSONIfAbsent does, and proves that the store keeps the first object. It writes the object
// twice, and the store must refuse the second write. The error is ErrOverwrites for a server that ignores
// If-None-Match, as some S3-compatible servers do. In such a store two runs could take the same license.
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
