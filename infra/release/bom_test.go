package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The type "schemas" is the path of the folder with the JSON Schemas of CycloneDX. The method Load returns a schema
// from it.
type schemas string

func (folder schemas) Load(url string) (any, error) {
	name := filepath.Base(url)
	if name == "jsf-0.82.schema.json" {
		name = "jsf-0.82.schemax.json" // the name of the file in the module
	}
	text, err := os.ReadFile(filepath.Join(string(folder), name))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// checkBOM fails the test if a file does not conform to the JSON Schema that CycloneDX publishes.
func checkBOM(t *testing.T, file string) {
	t.Helper()
	folder, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(schemas(filepath.Join(strings.TrimSpace(string(folder)), "schema")))
	compiler.AssertFormat()
	schema, err := compiler.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Errorf("%s: %v\n%s", file, err, text)
	}
	// The schema must reject an unknown type of component.
	for _, c := range document.(map[string]any)["components"].([]any) {
		c.(map[string]any)["type"] = "seat"
	}
	if schema.Validate(document) == nil {
		t.Errorf("%s: the schema takes any component", file)
	}
}

// The constant "built" is the output of go version -m for a binary.
const built = `path	github.com/idleseat/idleseat/functions/relay
mod	github.com/idleseat/idleseat	(devel)
dep	github.com/Azure/go-ntlmssp	v0.1.1	h1:abc=
dep	example.com/old	v1.0.0	h1:def=
=>	example.com/fork/v2	v2.0.0+incompatible	h1:ghi=
build	-trimpath=true
build	GOOS=linux
`

// TestMakeBOM: the list has each linked module and the standard library. If go.mod replaces a module, the list has the
// replacement.
func TestMakeBOM(t *testing.T) {
	t.Parallel()
	info, err := debug.ParseBuildInfo(built)
	if err != nil {
		t.Fatal(err)
	}
	info.GoVersion = "go1.26.8" // ParseBuildInfo does not read the version of Go
	digest := sha256.Sum256([]byte("a binary"))
	list := func(digest [sha256.Size]byte) *cdx.BOM {
		bom, err := makeBOM(info, "idleseat-relay", "0.1.0", digest)
		if err != nil {
			t.Fatal(err)
		}
		return bom
	}
	bom := list(digest)
	var got []string
	for _, c := range *bom.Components {
		got = append(got, c.Name+" "+c.Version+" "+c.PackageURL)
	}
	want := []string{
		"std 1.26.8 pkg:golang/std@1.26.8",
		"github.com/Azure/go-ntlmssp v0.1.1 pkg:golang/github.com/azure/go-ntlmssp@v0.1.1",
		"example.com/fork/v2 v2.0.0+incompatible pkg:golang/example.com/fork/v2@v2.0.0%2Bincompatible",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if needs := *(*bom.Dependencies)[0].Dependencies; len(needs) != len(want) {
		t.Errorf("the program depends on %v", needs)
	}
	root := bom.Metadata.Component
	if root.Name != "idleseat-relay" || root.PackageURL != "pkg:golang/github.com/idleseat/idleseat@v0.1.0" || (*root.Hashes)[0].Value != fmt.Sprintf("%x", digest) {
		t.Errorf("%+v", root)
	}
	if diff := cmp.Diff([]cdx.Property{{Name: "go:build:-trimpath", Value: "true"}, {Name: "go:build:GOOS", Value: "linux"}}, *root.Properties); diff != "" {
		t.Error(diff)
	}
	if again := list(digest); again.SerialNumber != bom.SerialNumber {
		t.Errorf("the same binary has the numbers %s and %s", bom.SerialNumber, again.SerialNumber)
	}
	if other := list(sha256.Sum256([]byte("another"))); other.SerialNumber == bom.SerialNumber {
		t.Errorf("two binaries have the number %s", bom.SerialNumber)
	}
	near, err := debug.ParseBuildInfo(built + "dep\texample.com/near\tv1.0.0\n=>\t../near\t(devel)\t\n")
	if err != nil {
		t.Fatal(err)
	}
	if bom, err := makeBOM(near, "idleseat-relay", "0.1.0", digest); err == nil || !strings.Contains(err.Error(), "../near") {
		t.Errorf("a module of a folder is listed: %+v, %v", bom, err)
	}
}
