package store

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Folders iterates over the names of the folders directly below prefix, in the byte order of the keys. The parameter
// "prefix" is "" or ends with a slash. In a folder store and in S3, the cost does not depend on the number of keys in
// these folders. A folder may appear before there is a key below it. An error ends the iteration.
func Folders(ctx context.Context, s Store, prefix string) iter.Seq2[string, error] {
	if err := checkFolder(prefix); err != nil {
		return func(yield func(string, error) bool) { yield("", fmt.Errorf("list what is below %q: %w", prefix, err)) }
	}
	if f, ok := s.(interface {
		Folders(ctx context.Context, prefix string) iter.Seq2[string, error]
	}); ok {
		return f.Folders(ctx, prefix)
	}
	return foldersOfKeys(ctx, s, prefix)
}

// foldersOfKeys finds the folders in a listing of all keys, for a store that cannot list folders.
func foldersOfKeys(ctx context.Context, s Store, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last := ""
		for key, err := range s.List(ctx, prefix) {
			if err != nil {
				yield("", err)
				return
			}
			name, _, below := strings.Cut(strings.TrimPrefix(key, prefix), "/")
			if !below || name == last {
				continue
			}
			if last = name; !yield(name, nil) {
				return
			}
		}
	}
}

// Folders lists the folders of a file system for the function Folders.
func (f *folder) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		names, err := f.names(prefix, prefix)
		if err != nil {
			yield("", f.fail("list", prefix, err))
			return
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				yield("", f.fail("list", prefix, err))
				return
			}
			if folder, ok := strings.CutSuffix(name, "/"); ok && !yield(folder, nil) {
				return
			}
		}
	}
}

// Folders lists the folders of a bucket for the function Folders.
func (b *bucket) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{
			Bucket:    aws.String(b.name),
			Prefix:    aws.String(b.prefix + prefix),
			Delimiter: aws.String("/"),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield("", b.fail("list", prefix, err))
				return
			}
			for _, common := range page.CommonPrefixes {
				name := strings.TrimSuffix(strings.TrimPrefix(aws.ToString(common.Prefix), b.prefix+prefix), "/")
				if CheckKey(prefix+name) == nil && !yield(name, nil) {
					return
				}
			}
		}
	}
}

// checkFolder returns an error for a prefix that does not name a folder.
func checkFolder(prefix string) error {
	if prefix == "" {
		return nil
	}
	if !strings.HasSuffix(prefix, "/") {
		return fmt.Errorf("%w: the prefix of folders does not end with a slash", ErrBadKey)
	}
	return checkPrefix(prefix)
}
