// Package store keeps objects by key, in a folder or in an S3 bucket, and
// behaves alike on both: an object appears whole or not at all, PutIfAbsent
// has one winner among all processes, List is in byte order. An object is never
// deleted. Two limits come from folders: a key must not also be the folder of
// another ("a" and "a/b"), and keys must not differ in letter case only.
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

// What callers must tell apart, with errors.Is.
var (
	ErrNotFound = errors.New("no such object")
	ErrExists   = errors.New("the object exists already")
	ErrBadKey   = errors.New("bad key")
	ErrDamaged  = errors.New("damaged object")
	// ErrOverwrites is a store in which PutIfAbsent does not keep what is there.
	ErrOverwrites = errors.New("the store writes over what must be written once")
)

// MaxJSON is the size in bytes up to which GetJSON reads an object.
const MaxJSON = 64 << 20

const (
	maxKey     = 1024 // bytes; S3's bound
	maxSegment = 255  // bytes; the bound of common file systems
)

// Store keeps objects by key (see CheckKey). Its errors name the object, and
// are context.Canceled or context.DeadlineExceeded when ctx ended the call.
type Store interface {
	// Get opens an object for reading; the caller closes it. ErrNotFound when
	// there is none. The end of ctx ends the reading too.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Put stores body, from its current offset to its end, in place of what
	// the key held. A reader sees the old object or the new one, never a mix.
	Put(ctx context.Context, key string, body io.ReadSeeker) error
	// PutIfAbsent is Put for a key that holds nothing, else ErrExists. Of
	// several that try, in any process, exactly one succeeds.
	PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error
	// List yields the keys that start with prefix (any string, "" for all, not
	// only whole segments) in byte order. An error is the last thing yielded.
	// Objects stored during the listing may be in it or not.
	List(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// Open opens the store at "s3://bucket" or "s3://bucket/prefix", or in a
// folder, which it creates when it is missing. S3 is reached as the AWS SDK's
// own variables and files say; the first call finds out whether that works.
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

// CheckKey tells why a key cannot be used (ErrBadKey), on whatever store. A key
// is at most 1024 bytes: segments of 1 to 255 bytes, joined by slashes, of
// printable characters other than \ : * ? " < > |, that neither start with a
// dot nor end with a dot or a space.
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

// isRefused tells what cannot be in a file name on every system, or would not
// survive S3's listings.
func isRefused(r rune) bool {
	return strings.ContainsRune(`\:*?"<>|`, r) || !unicode.IsPrint(r)
}

// checkPrefix refuses a prefix that no key can start with, since asking for it
// is a mistake of the caller: it could be tried only to leave the store.
func checkPrefix(prefix string) error {
	if CheckKey(prefix) == nil {
		return nil
	}
	return CheckKey(prefix + "x")
}

// ready tells whether an operation on key may start.
func ready(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return CheckKey(key)
}

// GetBytes reads an object of at most limit bytes; a larger one is ErrDamaged.
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

// GetJSON decodes an object into v, as Decode does. What is larger than MaxJSON is
// ErrDamaged.
func GetJSON(ctx context.Context, s Store, key string, v any) error {
	b, err := GetBytes(ctx, s, key, MaxJSON)
	if err != nil {
		return err
	}
	return Decode(key, b, v)
}

// Decode decodes the bytes of an object into v. What was altered since it was sealed, is
// not exactly one JSON value, or does not fit v, is ErrDamaged. Fields that v does not
// have are ignored: a newer version may have written them.
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

// PutBytes is Put of b.
func PutBytes(ctx context.Context, s Store, key string, b []byte) error {
	return s.Put(ctx, key, bytes.NewReader(b))
}

// PutJSON is Put of v as JSON.
func PutJSON(ctx context.Context, s Store, key string, v any) error {
	return encode(ctx, s.Put, key, v)
}

// PutJSONIfAbsent is PutIfAbsent of v as JSON.
func PutJSONIfAbsent(ctx context.Context, s Store, key string, v any) error {
	return encode(ctx, s.PutIfAbsent, key, v)
}

// PutJSONProven is PutJSONIfAbsent that also proves that the store can do it: once
// written, the object is written again, which must be refused. A server that ignores
// If-None-Match is ErrOverwrites: in it two runs could take the same license. Some
// servers that speak S3's protocol ignore it.
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
