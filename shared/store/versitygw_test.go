package store

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/idleseat/idleseat/infra/simulation/engines"
)

// onVersitygw returns a bucket on versitygw, an S3 server that is not made by Amazon.
func onVersitygw(server *engines.S3) *bucket {
	o := server.Client.Options()
	configure(&o)
	return &bucket{s3.New(o), fakeBucket, ""}
}

// TestVersitygwKeepsVersions checks docs/security.md: when an object is replaced, the bucket keeps the earlier version.
// An object that PutIfAbsent stored has only one version.
func TestVersitygwKeepsVersions(t *testing.T) {
	t.Parallel()
	server := engines.Versitygw(t, fakeBucket)
	s := onVersitygw(server)
	for _, value := range []string{"first", "second"} {
		mustPut(t, s, "policy.yaml", value)
	}
	wantErr(t, nil, s.PutIfAbsent(t.Context(), "ledger/1.json", body("mine")))
	wantErr(t, ErrExists, s.PutIfAbsent(t.Context(), "ledger/1.json", body("theirs")))
	for key, want := range map[string]int{"policy.yaml": 2, "ledger/1.json": 1} {
		if n, err := server.Versions(t.Context(), fakeBucket, key); err != nil || n != want {
			t.Errorf("%s has %d versions, want %d (%v)", key, n, want, err)
		}
	}
	wantObject(t, s, "ledger/1.json", "mine")
}
