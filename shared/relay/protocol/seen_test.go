package protocol

import (
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestSeenOfControllersThatDiffer: the state of an account does not depend on which domain controller answers first.
func TestSeenOfControllersThatDiffer(t *testing.T) {
	t.Parallel()
	read := func(answers ...directory.ADUser) Account {
		u := answers[0]
		for i := range answers[1:] {
			u.Agree(&answers[1+i])
		}
		return Account{SID: "S", User: &u}
	}
	one := directory.ADUser{SID: "S", Title: "clerk", Mail: "a@x.example", Department: "HR"}
	two, three := one, one
	two.Title, three.Department = "leave", "IT"
	first, last := read(one, two, three), read(three, two, one)
	if a, b := first.See(nil, nil), last.See(nil, nil); a.Facts != b.Facts {
		t.Errorf("the order of the answers counts: %+v and %+v", first.User, last.User)
	}
	one.Mail, two.Mail, three.Mail = "b@x.example", "b@x.example", "b@x.example"
	changed := read(one, two, three)
	if a, b := first.See(nil, nil), changed.See(nil, nil); a.Facts == b.Facts {
		t.Error("another value is not seen")
	}
	if agreed := read(one, one); agreed.See(nil, nil).Facts == changed.See(nil, nil).Facts {
		t.Error("the end of the difference is not seen")
	}
}
