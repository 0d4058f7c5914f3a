package plain

import "strconv"

// Many returns a number with a noun: "1 change", "2 changes", "2 people". The argument "noun" is in the singular.
func Many(n int, noun string) string {
	switch {
	case n == 1:
	case noun == "person":
		noun = "people"
	default:
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// ManyAre returns the text of Many, followed by "is" or "are": "1 change is", "2 changes are".
func ManyAre(n int, noun string) string {
	if n == 1 {
		return Many(n, noun) + " is"
	}
	return Many(n, noun) + " are"
}
