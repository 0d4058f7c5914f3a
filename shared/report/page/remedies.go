package page

import "github.com/idleseat/idleseat/shared/story/reason"

func withRemedies(texts map[string]string, l reason.Language) map[string]string {
	for _, key := range reason.Remedies() {
		texts["remedy."+key] = reason.Do(l, key)
	}
	return texts
}
