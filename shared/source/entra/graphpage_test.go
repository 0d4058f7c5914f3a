package entra

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/graphcontract"
)

// TestPageHasWhatIsRead compares the properties in docs/graph.md with the decoded properties.
func TestPageHasWhatIsRead(t *testing.T) {
	t.Parallel()
	page := graphcontract.Read(t)
	sku := reflect.TypeFor[wireSKU]()
	part := func(name string) reflect.Type {
		f, found := sku.FieldByName(name)
		if !found {
			t.Fatalf("wireSKU has no %s", name)
		}
		return f.Type
	}
	types := map[string][]string{
		"user": slices.Sorted(slices.Values(userFields)), "signInActivity": properties(reflect.TypeFor[wireSignIn]()),
		"assignedLicense": properties(reflect.TypeFor[wireLicense]()), "licenseAssignmentState": properties(reflect.TypeFor[wireLicensing]()),
		"group": properties(reflect.TypeFor[wireGroup]()), "organization": properties(reflect.TypeFor[wireOrganization]()),
		"subscribedSku": properties(sku), "licenseUnitsDetail": properties(part("Prepaid")), "servicePlanInfo": properties(part("Plans").Elem()),
	}
	for f := range wireWhole.Fields() {
		if f.Type.Kind() == reflect.Struct && f.Type.Name() == "" { // a property with parts; docs/graph.md gives its type the name of the property
			types[jsonName(f)] = properties(f.Type)
		}
	}
	for typ, read := range types {
		var described []string
		for _, p := range page.Types[typ] {
			if p.Product {
				described = append(described, p.Name)
			}
		}
		slices.Sort(described)
		if diff := cmp.Diff(described, read); diff != "" {
			t.Errorf("properties of %s on the page and in the code:\n%s", typ, diff)
		}
	}
	known := slices.Concat(page.Types["user"], page.Types["group"])
	for _, name := range properties(reflect.TypeFor[wireMember]()) {
		if !slices.ContainsFunc(known, func(p graphcontract.Property) bool { return p.Name == name }) {
			t.Errorf("%s is read of members, and no type of the page has it", name)
		}
	}
	var columns []string
	for _, c := range page.Columns {
		if c.Read {
			columns = append(columns, c.Name)
		}
	}
	want := []string{columnRefreshed, columnName, columnDeleted, columnStorage, columnArchive, columnRecoverable, columnKind}
	if diff := cmp.Diff(slices.Sorted(slices.Values(columns)), slices.Sorted(slices.Values(want))); diff != "" {
		t.Errorf("columns of the report on the page and in the code:\n%s", diff)
	}
}

func properties(wire reflect.Type) (names []string) {
	for f := range wire.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "@odata.type" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestPageHasWhatMayBeWritten: the gate allows exactly the writes that docs/graph.md marks as made by the product.
func TestPageHasWhatMayBeWritten(t *testing.T) {
	t.Parallel()
	for _, op := range graphcontract.Read(t).Operations {
		if op.Method == http.MethodGet {
			continue
		}
		path := strings.ReplaceAll(op.Path, "{id}/sendMail", "licenses@contoso.example/sendMail")
		path = strings.ReplaceAll(path, "{id}", numbered(7))
		allowed := writes[op.Method]
		if let := allowed != nil && allowed.MatchString(path); let != (op.For == graphcontract.Product) {
			t.Errorf("%s %s is for %s on the page, and the gate says %t", op.Method, op.Path, op.For, let)
		}
	}
}

// TestPageHasWhatIsRecognized: docs/graph.md has all texts and codes by which the package distinguishes refusals. The
// test searches the source code for them, so it also checks one that is added later.
func TestPageHasWhatIsRecognized(t *testing.T) {
	t.Parallel()
	recognized := map[string]bool{notHeld: true}
	for _, r := range refusals {
		recognized[r.text] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`\bsays\((?:err, )?"([^"]+)"\)|\.code == "([^"]+)"`)
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range said.FindAllStringSubmatch(string(source), -1) {
			recognized[m[1]+m[2]] = true
		}
	}
	delete(recognized, "Authorization_RequestDenied") // the code always appears together with its message
	described := map[string]bool{}
	for _, r := range graphcontract.Read(t).Refusals {
		switch {
		case r.Recognized && r.Words != "":
			described[r.Words] = true
		case r.Recognized:
			described[r.Code] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(recognized))); diff != "" {
		t.Errorf("words and codes on the page and in the code:\n%s", diff)
	}
}
