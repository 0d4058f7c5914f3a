package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// The error codes of S3 for a conditional write: the key is taken, or another write to the key is not finished.
const (
	codeTaken    = "PreconditionFailed"
	codeConflict = "ConditionalRequestConflict"
)

// writeToken is the metadata key by which PutIfAbsent recognizes its own object.
const writeToken = "write-token"

// A server may refuse a write because of an object that it does not show yet. longestUnseen is how long PutIfAbsent
// waits to see this object.
const longestUnseen = 10 * time.Second

// bucket is a store in an S3 bucket. It needs the rights to read, to write and to list objects. Without the right to
// list (s3:ListBucket), S3 answers "access denied" for a missing object.
type bucket struct {
	client *s3.Client
	name   string
	prefix string // "" or ends with a slash
}

// openBucket opens a location without the prefix "s3://".
func openBucket(ctx context.Context, location string) (*bucket, error) {
	name, prefix, _ := strings.Cut(strings.TrimSuffix(location, "/"), "/")
	if name == "" {
		return nil, errors.New("no bucket named")
	}
	if prefix != "" {
		if err := CheckKey(prefix); err != nil {
			return nil, err
		}
		prefix += "/"
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return &bucket{s3.NewFromConfig(cfg, configure), name, prefix}, nil
}

func configure(o *s3.Options) {
	// A configured endpoint is usually not AWS, and its host name does not contain the bucket.
	o.UsePathStyle = o.BaseEndpoint != nil
	o.Retryer = retry.AddWithErrorCodes(o.Retryer, codeConflict)
	// Servers other than AWS may send no checksum. The SDK would then write a useless log line for each object.
	o.DisableLogOutputChecksumValidationSkipped = true
}

func (b *bucket) fail(doing, key string, err error) error {
	return fmt.Errorf("%s object s3://%s/%s: %w", doing, b.name, b.prefix+key, err)
}

func (b *bucket) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := ready(ctx, key); err != nil {
		return nil, b.fail("read", key, err)
	}
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(b.name),
		Key:    aws.String(b.prefix + key),
	})
	if _, missing := errors.AsType[*types.NoSuchKey](err); missing {
		err = ErrNotFound
	}
	if err != nil {
		return nil, b.fail("read", key, err)
	}
	// After the context has ended, the connection may still have bytes. contextReader makes such a read fail.
	return struct {
		io.Reader
		io.Closer
	}{contextReader{ctx, out.Body}, out.Body}, nil
}

func (b *bucket) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := b.put(ctx, key, &s3.PutObjectInput{Body: body}); err != nil {
		return b.fail("write", key, err)
	}
	return nil
}

func (b *bucket) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	token := rand.Text()
	err := b.put(ctx, key, &s3.PutObjectInput{
		Body:        body,
		IfNoneMatch: aws.String("*"),
		Metadata:    map[string]string{writeToken: token},
	})
	if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorCode() == codeTaken {
		err = b.taken(ctx, key, token)
	}
	if err != nil {
		return b.fail("write", key, err)
	}
	return nil
}

func (b *bucket) put(ctx context.Context, key string, in *s3.PutObjectInput) error {
	if err := ready(ctx, key); err != nil {
		return err
	}
	in.Bucket, in.Key = aws.String(b.name), aws.String(b.prefix+key)
	_, err := b.client.PutObject(ctx, in)
	return err
}

// The method "taken" finds out who stored the object at a key, because the SDK repeats a write whose answer is lost. It
// returns nil if the object has the token of this write, and ErrExists if it has another. It returns a different error
// if the object cannot be read. S3 shows a new object at once, but versitygw 1.8 may refuse the repeated write shortly
// before it shows the object. So the method waits for the object.
func (b *bucket) taken(ctx context.Context, key, token string) error {
	shown := s3.NewObjectExistsWaiter(b.client, func(o *s3.ObjectExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, time.Second
	})
	head, err := shown.WaitForOutput(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(b.name),
		Key:    aws.String(b.prefix + key),
	}, longestUnseen)
	if err != nil {
		return fmt.Errorf("the key is taken, perhaps by this write: %w", err)
	}
	if head.Metadata[writeToken] != token {
		return ErrExists
	}
	return nil
}

func (b *bucket) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield("", b.fail("list", prefix, err))
			return
		}
		pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{
			Bucket: aws.String(b.name),
			Prefix: aws.String(b.prefix + prefix),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield("", b.fail("list", prefix, err))
				return
			}
			for _, object := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(object.Key), b.prefix)
				if CheckKey(key) != nil {
					continue // consoles create objects with such keys to mark folders
				}
				if !yield(key, nil) {
					return
				}
			}
		}
	}
}
