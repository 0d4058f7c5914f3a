package activedirectory

import (
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestProvenEmpty: an attribute without a value is unreadable, unless idleseat has a proof that the attribute is empty.
// A proof belongs to one objectGUID. An account with a damaged objectGUID must not get the proof of another account.
func TestProvenEmpty(t *testing.T) {
	t.Parallel()
	const guid = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
	b := &blanks{rests: []string{"title", "department"}, of: map[[16]byte]uint64{[16]byte([]byte(guid)): 1 << 1}}
	for name, c := range map[string]struct {
		guid       string
		title      string
		unreadable []string
	}{
		"the proof is about the department":   {guid, "", []string{"title"}},
		"a value needs no proof":              {guid, "Nurse", nil},
		"another person has no proof":         {guid[1:] + "\x11", "", []string{"title", "department"}},
		"a longer objectGUID has no proof":    {guid + "\x11", "", []string{"title", "department"}},
		"a truncated objectGUID has no proof": {guid[:15], "", []string{"title", "department"}},
		"no objectGUID has no proof":          {"", "", []string{"title", "department"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values := map[string][]string{"title": {c.title}, "objectGUID": {c.guid}}
			for _, a := range withValue {
				values[a] = append(values[a], "x")
			}
			var u directory.ADUser
			b.note(&u, ldap.NewEntry("CN=Anna", values))
			if !slices.Equal(u.Unreadable, c.unreadable) {
				t.Errorf("unreadable: %q, want %q", u.Unreadable, c.unreadable)
			}
		})
	}
}
