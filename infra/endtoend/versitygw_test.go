package endtoend

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/engines"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestVersitygw: the built command plans and applies with a store on another maker's S3 server. The directories and the
// ledger are those of a store in a folder. Then the store is copied to another bucket, as docs/operations.md describes, and
// a restore from there puts everything back.
func TestVersitygw(t *testing.T) {
	t.Parallel()
	server := engines.Versitygw(t, bucket, "new-home")
	box, err := sandbox.Start(townsfolk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	before := holdings(box.Company)
	place := "s3://" + bucket + "/team"
	r := &rig{TB: t, box: box, store: openStore(t, place, append(server.Env(), "AWS_ENDPOINT_URL_S3="+server.URL))}
	run := planAndApply(t, onMachine(t, box, place, server.Env()...))
	if cmp.Equal(before, r.holdings()) {
		t.Fatal("nothing was taken")
	}
	r.sameAsCommand(townsfolk)

	r.longAgo()
	if n := copyAll(t, server.Client, "team/", "new-home"); n < 50 {
		t.Fatalf("%d objects were copied", n)
	}
	idleseat := onMachine(t, box, "s3://new-home", server.Env()...)
	applyAll(t, idleseat, runOf(t, idleseat("restore", "--run", run, "--yes")))
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until) && !cmp.Equal(before, r.holdings()); {
		time.Sleep(50 * time.Millisecond) // licenses follow groups
	}
	if diff := cmp.Diff(before, r.holdings()); diff != "" {
		t.Errorf("licenses and groups (-before +restored):\n%s", diff)
	}
}

// copyAll copies every object of the test's bucket below a prefix to another bucket, and leaves out the prefix. It is what
// "aws s3 sync" does.
func copyAll(t *testing.T, client *s3.Client, prefix, to string) (n int) {
	t.Helper()
	from := aws.String(bucket)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: from, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			_, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{
				Bucket: &to, Key: aws.String(strings.TrimPrefix(*o.Key, prefix)), CopySource: aws.String(bucket + "/" + *o.Key),
			})
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	return n
}
