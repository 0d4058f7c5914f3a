package endtoend

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/engines"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestVersitygw: the store is on Versity Gateway, an S3 server of another maker. The built command then gives the same
// directories and ledger as with a folder. A restore from a copy of the store returns all licenses. The copy is made as
// docs/operations.md describes.
func TestVersitygw(t *testing.T) {
	t.Parallel()
	server := engines.Versitygw(t, bucket, "new-home")
	box, err := sandbox.Start(townsfolk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	before := holdings(box.Company)
	place := "s3://" + bucket
	r := &rig{TB: t, box: box, store: openStore(t, place, server.Env())}
	run := planAndApply(t, onMachine(t, box, place, server.Env()...))
	if cmp.Equal(before, r.holdings()) {
		t.Fatal("nothing was taken")
	}
	r.sameAsCommand(townsfolk)

	r.longAgo()
	n := copyStore(t, server.Client, "new-home")
	if again := copyStore(t, server.Client, "new-home"); n < 10 || again != 0 {
		t.Fatalf("%d objects of the ledger were copied, and then %d", n, again)
	}
	idleseat := onMachine(t, box, "s3://new-home", server.Env()...)
	applyAll(t, idleseat, runOf(t, idleseat("restore", "--run", run, "--yes")))
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until) && !cmp.Equal(before, r.holdings()); {
		time.Sleep(50 * time.Millisecond) // licenses follow the groups with a delay
	}
	if diff := cmp.Diff(before, r.holdings()); diff != "" {
		t.Errorf("licenses and groups (-before +restored):\n%s", diff)
	}
}

// copyStore copies a store to another bucket. It does not overwrite objects of the ledger. It returns the number of
// copied objects of the ledger.
func copyStore(t *testing.T, client *s3.Client, to string) (n int) {
	t.Helper()
	for _, prefix := range []string{"history/", "runs/", layout.Ledger} {
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Contents {
				in := &s3.CopyObjectInput{Bucket: &to, Key: o.Key, CopySource: aws.String(bucket + "/" + *o.Key)}
				if prefix == layout.Ledger {
					if _, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &to, Key: o.Key}); err == nil {
						continue
					}
					in.IfNoneMatch = aws.String("*")
					n++
				}
				if _, err := client.CopyObject(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return n
}
