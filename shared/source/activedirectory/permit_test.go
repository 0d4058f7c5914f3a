package activedirectory

import (
	"errors"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestNotPermitted: a write asks for permission immediately before the request, because the process may be suspended
// for hours after the reads that a write needs.
func TestNotPermitted(t *testing.T) {
	t.Parallel()
	read, written := 0, 0
	f := newFake(t, func(r request) []*ber.Packet {
		switch {
		case r.op == ldap.ApplicationModifyRequest:
			written++
			return result(ldap.ApplicationModifyResponse, ldap.LDAPResultSuccess, "")
		case r.op != ldap.ApplicationSearchRequest:
			return nil
		case r.filter == "(objectClass=group)":
			return found(seatsEntry())
		}
		read++
		return found(person(1, "objectClass", "user", "primaryGroupID", "513"))
	})
	d := open(t, config(t, f.ca, f.url))
	late := errors.New("too late")
	ctx := directory.WithPermit(t.Context(), func() error {
		if read == 0 {
			t.Error("it is asked before anything is read")
		}
		return late
	})
	if err := d.RemoveMember(ctx, seats, annaGUID); !errors.Is(err, late) || written > 0 {
		t.Errorf("%v after %d writes", err, written)
	}
}
