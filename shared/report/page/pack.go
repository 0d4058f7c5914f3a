package page

import (
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The type "packed" is a column of texts in one of five forms. "texts" has each text. "list" has indexes of a list of
// distinct texts. "times" has seconds after the field Base. "names" has the part before the last at sign in Texts, and
// the rest as a list. "guids" has GUIDs as bytes in base64.
type packed struct {
	Texts []string `json:"s,omitempty"`
	List  []string `json:"d,omitempty"`
	At    []int    `json:"i,omitempty"` // the index in List, or seconds after Base; -1 for an empty text
	Base  int64    `json:"b,omitempty"`
	Bytes []byte   `json:"g,omitempty"` // 16 bytes for each text
	// Other has the texts that are no GUIDs, such as SIDs, by the row.
	Other map[int]string `json:"x,omitempty"`
	Form  string         `json:"f"` // texts, list, times, names or guids
}

// The function "lists" reports whether a column of texts becomes shorter in the form "list": the distinct texts, and
// for each row an index of this list.
func lists(distinct, texts int) bool { return distinct <= 16 || 3*distinct <= 2*texts }

// The function "pack" returns a column in the first form that suits it: times, guids, list, names or texts.
func pack(texts []string) packed {
	if p, ok := packTimes(texts); ok {
		return p
	}
	if p, ok := packGUIDs(texts); ok {
		return p
	}
	p := packList(texts)
	if lists(len(p.List), len(texts)) {
		return p
	}
	heads, tails := make([]string, len(texts)), make([]string, len(texts))
	for i, s := range texts {
		heads[i] = s
		if at := strings.LastIndexByte(s, '@'); at >= 0 {
			heads[i], tails[i] = s[:at], s[at:]
		}
	}
	if p := packList(tails); len(p.List) > 0 && lists(len(p.List), len(texts)) {
		return packed{Form: "names", Texts: heads, List: p.List, At: p.At}
	}
	return packed{Form: "texts", Texts: texts}
}

// packGUIDs packs a column as GUIDs in lower case. It returns false unless more than half of the texts are such GUIDs.
func packGUIDs(texts []string) (packed, bool) {
	p := packed{Form: "guids", Other: map[int]string{}}
	for i, s := range texts {
		id, err := uuid.Parse(s)
		if err != nil || id.String() != s {
			id, p.Other[i] = uuid.Nil, s
		}
		p.Bytes = append(p.Bytes, id[:]...)
	}
	return p, 2*len(p.Other) < len(texts)
}

func packList(texts []string) packed {
	places := map[string]int{}
	p := packed{Form: "list", At: make([]int, len(texts))}
	for i, s := range texts {
		if s == "" {
			p.At[i] = -1
			continue
		}
		at, known := places[s]
		if !known {
			at = len(p.List)
			places[s] = at
			p.List = append(p.List, s)
		}
		p.At[i] = at
	}
	return p
}

// packTimes packs a column of times in UTC, without a fraction of a second, and of empty texts. It returns false for
// another text, or if all texts are empty.
func packTimes(texts []string) (packed, bool) {
	p := packed{Form: "times", At: make([]int, len(texts))}
	base, some := int64(math.MaxInt64), false
	times := make([]int64, len(texts))
	for i, s := range texts {
		if s == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, s)
		if err != nil || at.UTC().Format(time.RFC3339) != s || at.Year() < 1 {
			return packed{}, false
		}
		times[i], some = at.Unix(), true
		base = min(base, times[i])
	}
	if !some {
		return packed{}, false
	}
	p.Base = base
	for i, s := range texts {
		p.At[i] = int(times[i] - base)
		if s == "" {
			p.At[i] = -1
		}
	}
	return p, true
}

// packPairs packs lines of the form "name = value" as one column for each name.
func packPairs(lines [][]string) any {
	type column struct {
		Name   string `json:"name"`
		Values packed `json:"values"`
	}
	var names []string
	columns := map[string][]string{}
	for i, all := range lines {
		for _, line := range all {
			name, value := pairsOf(line)
			if columns[name] == nil {
				names = append(names, name)
				columns[name] = make([]string, len(lines))
			}
			if columns[name][i] != "" {
				value = columns[name][i] + ", " + value
			}
			columns[name][i] = value
		}
	}
	all := []column{}
	for _, name := range names {
		all = append(all, column{name, pack(columns[name])})
	}
	return all
}

// packNumbers rounds numbers to cents. NaN and infinite numbers become null.
func packNumbers(numbers []float64) []*float64 {
	all := make([]*float64, len(numbers))
	for i, x := range numbers {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			rounded := math.Round(100*x) / 100
			all[i] = &rounded
		}
	}
	return all
}
