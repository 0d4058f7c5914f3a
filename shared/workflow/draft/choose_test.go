package draft

import (
	"strings"
	"testing"
)

func TestSafeWord(t *testing.T) {
	t.Parallel()
	for word, safe := range map[string]bool{
		"Employee": true, "anställd 2": true, "a-b_c d": true, "٣": true, strings.Repeat("ö", longestWord): true,
		"": false, " a": false, "_a": false, "-": false, `a"b`: false, "a\\": false, "a\n": false, "a\xff": false, "a\u202e": false,
		strings.Repeat("a", longestWord+1): false,
	} {
		if got := safeWord(word); got != safe {
			t.Errorf("%q is safe: %t", word, got)
		}
	}
}
