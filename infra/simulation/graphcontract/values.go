package graphcontract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// requestFaults returns a sentence for each part of a request that docs/graph.md does not describe.
func (c *Contract) requestFaults(r *http.Request, op *Operation, body []byte) (faults []string) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return []string{"the query cannot be read: " + err.Error()}
	}
	for name, values := range query {
		switch {
		case !slices.Contains(op.Options, name):
			faults = append(faults, fmt.Sprintf("query option %s is not described", name))
		case len(values) != 1:
			faults = append(faults, fmt.Sprintf("query option %s is given %d times", name, len(values)))
		default:
			faults = append(faults, c.optionFaults(op, name, values[0])...)
		}
	}
	switch {
	case op.Request != "":
		_, wrong := c.body("request", []string{op.Request}, nil, body)
		faults = append(faults, wrong...)
	case len(body) > 0:
		faults = append(faults, "a request body is not described")
	}
	return faults
}

func (c *Contract) optionFaults(op *Operation, name, value string) (faults []string) {
	var low, high int
	switch want := c.options[name]; {
	case strings.HasPrefix(want, "names"):
		for part := range strings.SplitSeq(value, ",") {
			if !slices.ContainsFunc(op.Answer.Types, func(t string) bool { return c.property(t, part) != nil }) {
				faults = append(faults, fmt.Sprintf("$select of %q, which is not described", part))
			}
		}
	case want == "flag":
		if value != "true" && value != "false" {
			faults = append(faults, fmt.Sprintf("query option %s: %q is no flag", name, value))
		}
	case strings.Contains(want, "filter"):
		if !slices.ContainsFunc(c.filters, func(f filter) bool { return f.path == op.Path && f.pattern.MatchString(value) }) {
			faults = append(faults, fmt.Sprintf("query option %s: the filter %q is not described", name, value))
		}
	default:
		if n, _ := fmt.Sscanf(want, "number from %d to %d", &low, &high); n != 2 {
			return nil // a token has no known form, so every token is correct
		}
		if n, err := strconv.Atoi(value); err != nil || n < low || n > high {
			faults = append(faults, fmt.Sprintf("query option %s: %q is no %s", name, value, want))
		}
	}
	return faults
}

// The method "property" returns the property with the given name, of the type or of one of its parent types. It returns
// nil if there is none.
func (c *Contract) property(typ, name string) *Property {
	for ; typ != ""; typ = c.parents[typ] {
		list := c.Types[typ]
		if i := slices.IndexFunc(list, func(p Property) bool { return p.Name == name }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

// answerFaults returns a sentence for each part of an answer that docs/graph.md does not describe.
func (c *Contract) answerFaults(r *http.Request, op *Operation, k *keeper) (faults []string) {
	switch {
	case k.status != op.Answer.Status:
		return []string{fmt.Sprintf("status %d is not described", k.status)}
	case k.status == http.StatusFound && k.Header().Get("Location") == "":
		return []string{"a redirect to nowhere"}
	case k.status != http.StatusOK && k.body.Len() > 0:
		return []string{fmt.Sprintf("a body with status %d is not described", k.status)}
	case k.status != http.StatusOK:
		return nil
	}
	if kind := k.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return []string{fmt.Sprintf("content type %q instead of application/json", kind)}
	}
	var selected []string
	if s := r.URL.Query().Get("$select"); s != "" {
		selected = strings.Split(s, ",")
	}
	if !op.Answer.Page {
		_, faults = c.body("answer", op.Answer.Types, selected, k.body.Bytes())
		return faults
	}
	head, faults := c.body("answer", []string{"page"}, nil, k.body.Bytes())
	entries, _ := head["value"].([]any) // if "value" is missing, c.body has reported a fault
	for n, e := range entries {
		c.object(fmt.Sprintf("answer.value[%d]", n), op.Answer.Types, selected, e, &faults)
	}
	return faults
}

// The method "body" decodes a body, which must be a JSON object of one of the types, and checks it. It returns the
// object and the faults.
func (c *Contract) body(what string, types, selected []string, body []byte) (map[string]any, []string) {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return nil, []string{what + " is no JSON: " + err.Error()}
	}
	var faults []string
	c.object(what, types, selected, value, &faults)
	object, _ := value.(map[string]any) // if the value is not an object, c.object has reported a fault
	return object, faults
}

// The method "object" checks an object, and adds what is wrong to "faults". docs/graph.md must describe each property
// and the type of its value. Each property that $select names must be present. Without $select, each default property
// must be present.
func (c *Contract) object(at string, types, selected []string, value any, faults *[]string) {
	object, ok := value.(map[string]any)
	if !ok {
		*faults = append(*faults, fmt.Sprintf("%s is %v, not an object", at, value))
		return
	}
	typ, fault := c.typeOf(types, object)
	if fault != "" {
		*faults = append(*faults, at+": "+fault)
		return
	}
	for name, v := range object {
		switch p := c.property(typ, name); {
		case p != nil:
			c.value(at+"."+name, p, v, faults)
		case name != "@odata.type" && name != "@odata.context":
			*faults = append(*faults, fmt.Sprintf("%s has %q, which is not described", at, name))
		}
	}
	for t := typ; t != ""; t = c.parents[t] {
		for _, p := range c.Types[t] {
			wanted := p.Default
			if selected != nil {
				wanted = slices.Contains(selected, p.Name)
			}
			if _, told := object[p.Name]; wanted && !told && !p.Absent {
				*faults = append(*faults, fmt.Sprintf("%s lacks %q", at, p.Name))
			}
		}
	}
}

// The method "typeOf" returns the name of an object's type, which must be one of the given types or be derived from
// one. The object says its type in @odata.type. It may omit this if only one type is given.
func (c *Contract) typeOf(types []string, object map[string]any) (typ, fault string) {
	said, _ := object["@odata.type"].(string)
	if said == "" {
		if len(types) > 1 {
			return "", "lacks \"@odata.type\""
		}
		return types[0], ""
	}
	name := strings.TrimPrefix(said, "#microsoft.graph.")
	for t := name; t != ""; t = c.parents[t] {
		if slices.Contains(types, t) {
			return name, ""
		}
	}
	return "", fmt.Sprintf("type %s is not described", said)
}

// plainTypes are the types without a table in docs/graph.md.
var plainTypes = []string{"text", "flag", "number", "id", "date", "date without zone", "entries"}

var idPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (c *Contract) value(at string, p *Property, v any, faults *[]string) {
	item, isList := strings.CutPrefix(p.Type, "list of ")
	switch {
	case v == nil:
		if !p.Null {
			*faults = append(*faults, at+" is null")
		}
	case isList:
		list, ok := v.([]any)
		if !ok {
			*faults = append(*faults, at+" is no list")
		}
		if item == "entries" { // the types of the entries depend on the operation, so the method answerFaults checks them
			return
		}
		for n, e := range list {
			c.value(fmt.Sprintf("%s[%d]", at, n), &Property{Type: item}, e, faults)
		}
	case slices.Contains(plainTypes, p.Type):
		if !plain(p.Type, v) {
			*faults = append(*faults, fmt.Sprintf("%s is %v, which is no %s", at, v, p.Type))
		}
	default:
		c.object(at, []string{p.Type}, nil, v, faults)
	}
}

func plain(typ string, v any) bool {
	text, isText := v.(string)
	number, isNumber := v.(float64)
	_, isFlag := v.(bool)
	var err error
	switch typ {
	case "flag":
		return isFlag
	case "number":
		return isNumber && number == float64(int64(number))
	case "id":
		return isText && idPattern.MatchString(text)
	case "date":
		_, err = time.Parse(time.RFC3339, text)
	case "date without zone":
		_, err = time.Parse("2006-01-02T15:04:05", text)
	}
	return isText && err == nil
}
