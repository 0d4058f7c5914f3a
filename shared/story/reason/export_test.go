package reason

func Forms() (texts []string) {
	for _, f := range forms {
		texts = append(texts, f.text)
	}
	return texts
}

// Used finds the form (the pattern of a reason) that each part of a text matches, and adds it to the map "used".
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
