package page

import (
	"math"
	"time"
)

// packed is a column of texts in one of three forms: each text, places in a list of distinct texts, or times in seconds
// since a base.
type packed struct {
	Texts []string `json:"s,omitempty"`
	List  []string `json:"d,omitempty"`
	At    []int    `json:"i,omitempty"` // place in List, or seconds after Base; -1 for an empty text
	Base  int64    `json:"b,omitempty"`
	Form  string   `json:"f"` // texts, list or times
}

// pack chooses the shorter form of a column.
func pack(texts []string) packed {
	if p, ok := packTimes(texts); ok {
		return p
	}
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
	if len(p.List) > 16 && 3*len(p.List) > 2*len(texts) {
		return packed{Form: "texts", Texts: texts}
	}
	return p
}

// packTimes packs a column in which every text is empty or a time in UTC without a fraction of a second.
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

// packNumbers rounds to cents and writes null for none.
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
