package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMemoryIsTakenBack(t *testing.T) {
	t.Parallel()
	var m Memory
	mustPut(t, &m, "a", "1")
	before := m.Objects()
	mustPut(t, &m, "a", "2")
	mustPut(t, &m, "b", "3")
	m.Become(before)
	wantObject(t, &m, "a", "1")
	mustPut(t, &m, "a", "4")
	if d := cmp.Diff(map[string][]byte{"a": []byte("1")}, before); d != "" {
		t.Errorf("what was kept has changed (-want +got):\n%s", d)
	}
}
