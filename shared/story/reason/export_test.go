package reason

// Forms returns the texts of all forms.
func Forms() (texts []string) {
	for _, f := range forms {
		texts = append(texts, f.text)
	}
	return texts
}

// Used adds the forms of a reason to the map "used". It also adds the forms of the reasons that are a part of the
// reason.
func Used(text string, used map[string]bool) {
	for _, p := range Parts(text) {
		f, m := find(p.Text)
		if f == nil {
			continue
		}
		used[f.text] = true
		if n := len(f.places); n > 0 && f.places[n-1] == "{r}" {
			Used(m[n-1], used)
		}
	}
}
