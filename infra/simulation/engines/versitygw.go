package engines

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const versitygw = "IDLESEAT_TEST_VERSITYGW"

// S3 is a running server that speaks the protocol of S3, with a client for it.
type S3 struct {
	URL    string
	Client *s3.Client
}

// HasVersitygw reports whether the environment variable of Versity Gateway is set.
func HasVersitygw() bool { return os.Getenv(versitygw) != "" }

// Versitygw starts a Versity Gateway that runs until the end of the test. It has empty buckets with versioning, which
// are stored in a temporary folder.
func Versitygw(t testing.TB, buckets ...string) *S3 {
	t.Helper()
	binary, address := program(t, versitygw), freeAddress(t)
	cmd := exec.Command(binary, "--access", key, "--secret", key, "--region", Region, "--port", address, "--quiet", "posix",
		"--sidecar", t.TempDir(), // with a sidecar, the file system needs no extended attributes
		"--versioning-dir", t.TempDir(), t.TempDir())
	serve(t, cmd, address)
	s := newS3("http://" + address)
	for _, b := range buckets {
		s.bucket(t, b)
	}
	return s
}

func newS3(url string) *S3 {
	return &S3{url, s3.New(s3.Options{
		BaseEndpoint: &url, Region: Region, UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider(key, key, ""),
	})}
}

// Env returns environment variables, as NAME=value, that make the AWS SDK use the server.
func (s *S3) Env() []string { return env(s.URL) }

// The method "bucket" creates a bucket with versioning, as the SAM template and the Terraform module do.
func (s *S3) bucket(t testing.TB, name string) {
	t.Helper()
	_, err := s.Client.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: Region},
	})
	if err == nil {
		_, err = s.Client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
			Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		})
	}
	if err != nil {
		t.Fatalf("make the bucket %s: %v", name, err)
	}
}

// Versions returns the number of versions of an object.
func (s *S3) Versions(ctx context.Context, bucket, key string) (n int, err error) {
	out, err := s.Client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &key})
	if err != nil {
		return 0, err
	}
	for _, v := range out.Versions {
		if aws.ToString(v.Key) == key {
			n++
		}
	}
	return n, nil
}
