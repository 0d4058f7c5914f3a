package plain

import (
	"os/exec"
	"strings"
	"testing"
)

// TestWord: a shell reads a quoted word as the original word.
func TestWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"anna@contoso.example": "anna@contoso.example", "s3://bucket/prefix": "s3://bucket/prefix", "S-1-5-21-7": "S-1-5-21-7",
		"": "''", "my store": "'my store'", "o'neill@x": `'o'\''neill@x'`, "$(reboot)": "'$(reboot)'", "a;b|c&d": "'a;b|c&d'", "ä": "'ä'", "~/runs": "'~/runs'", "*": "'*'", "a\nb": "'a\nb'",
	} {
		if got := Word(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
		out, err := exec.Command("sh", "-c", "printf %s. "+Word(word)).Output()
		if read := strings.TrimSuffix(string(out), "."); err != nil || read != word {
			t.Errorf("sh reads %s as %q, %v; want %q", Word(word), read, err, word)
		}
	}
}
