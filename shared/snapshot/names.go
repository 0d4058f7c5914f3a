package snapshot

import (
	"context"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

// Named has the names in a row of a snapshot. A text is empty if the account or the value is missing.
type Named struct {
	ID                string // object id in Entra ID
	UserPrincipalName string // in Entra ID
	DisplayName       string // in Entra ID
	Department        string // in Entra ID
	EntraSID          string // in Entra ID; the person's only SID if Active Directory was not read
	SID               string // in Active Directory
	ADName            string // userPrincipalName in Active Directory
	SAMAccountName    string // in Active Directory
}

// nameColumns lists the columns that fill the fields of Named, in the order of the fields.
var nameColumns = []string{entraKey, "entra_user_principal_name", "entra_display_name", "entra_department", "entra_sid", adKey, "ad_user_principal_name", "ad_sam_account_name"}

// EachNamed calls "each" with the names in each row of a partition. If the two accounts of a person are in different
// rows, it calls "each" twice for this person. The memory "in" can be used again for the next partition.
func (m *Manifest) EachNamed(ctx context.Context, s store.Store, partition int, in *Memory, each func(Named)) error {
	if len(m.People) == 0 {
		return m.eachOfParts(ctx, s, partition, each)
	}
	people, err := m.OpenPeople(ctx, s, partition, in)
	if err != nil {
		return fmt.Errorf("run %s: %w", m.Run, err)
	}
	c, err := people.Columns(nameColumns...)
	if err != nil {
		return fmt.Errorf("run %s: %w", m.Run, err)
	}
	for i := range people.Rows {
		each(Named{c[0].Text(i), c[1].Text(i), c[2].Text(i), c[3].Text(i), c[4].Text(i), c[5].Text(i), c[6].Text(i), c[7].Text(i)})
	}
	return nil
}

// eachOfParts does the work of EachNamed for a snapshot without tables.
func (m *Manifest) eachOfParts(ctx context.Context, s store.Store, partition int, each func(Named)) error {
	var h directory.Accounts
	if err := m.ReadColumns(ctx, s, partition, nil, &h); err != nil {
		return fmt.Errorf("run %s: %w", m.Run, err)
	}
	for i := range h.Entra {
		u := &h.Entra[i]
		each(Named{ID: u.ID, UserPrincipalName: u.UserPrincipalName, DisplayName: u.DisplayName, Department: u.Department, EntraSID: u.SID})
	}
	for i := range h.AD {
		u := &h.AD[i]
		each(Named{SID: u.SID, ADName: u.UserPrincipalName, SAMAccountName: u.SAMAccount})
	}
	return nil
}
