package directory

import "testing"

// A group that loses many members at once is in doubt, although some are left. A fault may take a group's members in two
// steps. The number from before both steps stays the trusted one, so the second step is in doubt, too.
func TestShrunk(t *testing.T) {
	t.Parallel()
	nested := Question{Ref: GroupRef{Source: Entra, Name: "LIC-Exempt"}}
	direct := Question{Ref: nested.Ref, Direct: true}
	for _, tc := range []struct {
		q           Question
		before, now int
		want        bool
	}{
		{nested, 500, 2, true}, {nested, 500, 0, true}, {nested, 200, 50, true}, {nested, 200, 179, true}, {nested, 200, 180, false},
		{nested, 7, 1, true}, {nested, 7, 2, false}, {nested, 3, 0, true}, {nested, 2, 0, false}, {nested, 0, 9, false}, {nested, 9, 500, false},
		{direct, 500, 1, false}, {direct, 500, 0, true}, {direct, 2, 0, false},
	} {
		e := &Earlier{Members: map[string]int{tc.q.Key(): tc.before}}
		if before, is := e.Shrunk(tc.q, tc.now); before != tc.before || is != tc.want {
			t.Errorf("%s: %d of %d members are left: %d, %t", tc.q.Key(), tc.now, tc.before, before, is)
		}
	}
	if before, is := (*Earlier)(nil).Shrunk(nested, 0); before != 0 || is {
		t.Errorf("no earlier run: %d, %t", before, is)
	}
}
