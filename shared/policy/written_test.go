package policy

import (
	"testing"

	"cel.dev/cel-go/common/ast"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestAttributeOfAPolicy: an attribute counts as the policy's own (Own) if its name would mean something else, or
// nothing, without the policy's mapping.
func TestAttributeOfAPolicy(t *testing.T) {
	t.Parallel()
	p := load(t, `
attributes: {created: "newest(entra.created, ad.created)", systemRole: entra.jobTitle, staff: {memberOf: {entra: Staff}}, title: ad.title}
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, when: AzureAdSistaLogon.hasNoValue(), then: remove}]
`)
	type described struct {
		Kind   directory.Kind
		Fields []string
		Group  string
		Own    bool
	}
	for name, want := range map[string]*described{
		"AzureAdSistaLogon": {directory.Date, []string{"entra.lastActivity"}, "", false},
		"created":           {directory.Date, []string{"entra.created", "ad.created"}, "", false}, // mapped as it is without a mapping
		"department":        {directory.Text, []string{"entra.department"}, "", false},
		"systemRole":        {directory.Text, []string{"entra.jobTitle"}, "", true},
		"title":             {directory.Text, []string{"ad.title"}, "", true},
		"staff":             {directory.Bool, nil, "entra:Staff", true},
		"nobody":            nil,
	} {
		var got *described
		if a, ok := p.Attribute(name); ok {
			got = &described{Kind: a.Kind, Own: a.Own}
			for _, f := range a.Fields {
				got.Fields = append(got.Fields, f.Name)
			}
			if a.Group != nil {
				got.Group = a.Group.String()
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestCodeOfAPart(t *testing.T) {
	t.Parallel()
	w, err := ParseWritten(`department == "HR" && ["a", "b"].exists(x, x == mail)`)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`department == "HR"`, `["a", "b"].exists(x, x == mail)`} {
		if got, err := w.Code(w.Root.AsCall().Args()[i]); err != nil || got != want {
			t.Errorf("part %d: %q, %v, want %q", i, got, err, want)
		}
	}
	if got, err := w.Code(ast.NewExprFactory().NewUnspecifiedExpr(1)); err == nil || got != "" {
		t.Errorf("nothing is written %q, %v", got, err)
	}
}
