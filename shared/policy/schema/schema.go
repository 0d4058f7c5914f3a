// Package schema writes the JSON Schema of policy.yaml for editors. The schema is made from the table of keys that the
// loader reads, and it accepts each policy that the loader accepts. Only the loader checks conditions, names that refer
// to other names, and some of the keys that need or exclude others.
package schema

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/policy"
)

type node = map[string]any

// Of returns the JSON Schema (draft 2020-12) of a policy, as indented JSON.
func Of() ([]byte, error) {
	top, err := mapping("")
	if err != nil {
		return nil, err
	}
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["title"] = "policy.yaml of idleseat"
	top["description"] = "Says which licenses are watched, who counts as idle and what happens then."
	group, err := mapping("GROUP")
	if err != nil {
		return nil, err
	}
	group["oneOf"] = []any{required("entra"), required("ad")}
	top["$defs"] = node{"group": group}
	text, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(text, '\n'), nil
}

func required(keys ...string) node { return node{"required": keys} }

func mapping(path string) (node, error) {
	properties := node{}
	var needed []string
	for _, name := range policy.KeysBelow(path) {
		k := policy.KeyAt(strings.TrimPrefix(path+"."+name, "."))
		if k == nil {
			return nil, fmt.Errorf("the table of keys lacks %s below %q", name, path)
		}
		one, err := property(k)
		if err != nil {
			return nil, err
		}
		properties[name] = one
		if k.LeftOut == policy.Needed {
			needed = append(needed, name)
		}
	}
	m := node{"type": "object", "additionalProperties": false, "properties": properties}
	if len(needed) > 0 {
		m["required"] = needed
	}
	return m, nil
}

func property(k *policy.Key) (node, error) {
	one, err := shaped(k)
	if err != nil {
		return nil, err
	}
	one["description"] = k.Is + "."
	if k.LeftOut != policy.Needed {
		one["description"] = k.Is + ". Left out: " + k.LeftOut + "."
	}
	if k.Example != "" {
		var example any
		if err := yaml.Unmarshal([]byte(k.Example), &example); err != nil || k.Shape == policy.ConditionKey || k.Shape == policy.TextKey {
			example = strings.Trim(k.Example, `"`)
		}
		one["examples"] = []any{plain(example)}
	}
	for name, value := range further[k.Path] {
		one[name] = value
	}
	return one, nil
}

// The function "plain" turns YAML's dates into texts, because JSON has no dates.
func plain(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return v
	}
	return json.RawMessage(strings.ReplaceAll(string(text), "T00:00:00Z", ""))
}

func shaped(k *policy.Key) (node, error) {
	text := node{"type": "string", "pattern": `\S`}
	switch k.Shape {
	case policy.ChoiceKey:
		return node{"enum": k.Words}, nil
	case policy.NumberKey:
		return node{"type": "number", "minimum": k.Min, "maximum": k.Max}, nil
	case policy.CountKey:
		return node{"type": "integer", "minimum": k.Min, "maximum": k.Max}, nil
	case policy.TrueKey:
		return node{"enum": []any{true, "true"}}, nil
	case policy.ConditionKey:
		return node{"type": []string{"string", "boolean"}, "pattern": `\S`, "maxLength": policy.MaxCondition}, nil
	case policy.MappingKey:
		return mapping(k.Path)
	case policy.NamedKey:
		entry, err := named(k.Path)
		return node{"type": "object", "minProperties": k.Min, "maxProperties": k.Max, "additionalProperties": entry}, err
	case policy.TextsKey:
		return list(k, text), nil
	case policy.ChoicesKey:
		return list(k, node{"enum": k.Words}), nil
	case policy.MappingsKey:
		entry, err := mapping(k.Path + "[]")
		return list(k, entry), err
	case policy.GroupKey:
		return node{"$ref": "#/$defs/group"}, nil
	case policy.GroupsKey:
		return list(k, node{"$ref": "#/$defs/group"}), nil
	case policy.OutcomeKey:
		keys, err := mapping(k.Path)
		if err != nil {
			return nil, err
		}
		keys["oneOf"] = []any{required("changeTo"), required("remove")}
		return node{"anyOf": []any{node{"enum": k.Words}, keys}}, nil
	case policy.TextKey:
		return text, nil
	}
	return nil, fmt.Errorf("the key %s has a shape %d without a schema", k.Path, k.Shape)
}

func list(k *policy.Key, items node) node {
	return node{"type": "array", "minItems": k.Min, "maxItems": k.Max, "items": items}
}

func named(path string) (node, error) {
	entry, err := mapping(path + ".NAME")
	if err != nil {
		return nil, err
	}
	if path == "attributes" {
		return node{"anyOf": append(sources(false), entry)}, nil
	}
	if path != "licenses" {
		return entry, nil
	}
	entry["anyOf"] = []any{required("sku"), required("group")}
	entry["not"] = node{"anyOf": []any{required("sku", "model"), required("group", "groups")}}
	entry["dependentRequired"] = node{"groups": []string{"sku"}, "mailboxQuota": []string{"sku"}}
	return entry, nil
}

// The function "sources" returns the schemas for a field and for newest(FIELD, FIELD). If datesOnly is set, the field
// must be a date. Blanks around a field are allowed.
func sources(datesOnly bool) []any {
	var fields, notes, patterns, dates []string
	for _, row := range policy.FieldRows() {
		date := strings.HasPrefix(row.Type, "date")
		name := regexp.QuoteMeta(row.Field)
		if date {
			dates = append(dates, name)
		}
		if date || !datesOnly {
			fields, patterns = append(fields, row.Field), append(patterns, name)
			notes = append(notes, row.Type+", read from "+strings.ReplaceAll(row.From, "`", ""))
		}
	}
	date := `\s*(` + strings.Join(dates, "|") + `)\s*`
	return []any{
		node{"enum": fields, "enumDescriptions": notes},
		node{"type": "string", "pattern": `^\s*(` + strings.Join(patterns, "|") + `)\s*$`},
		node{"type": "string", "pattern": `^\s*newest\(` + date + `(,` + date + `)*\)\s*$`},
	}
}

// The variable "further" has rules that the schema needs and the loader's table of keys lacks, such as a pattern for a
// text. A key of the map is the path of a key of the policy, such as licenses.NAME.renews.
var further = map[string]node{
	"tenant":   {"pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"},
	"currency": {"pattern": "^[A-Z]{3}$"},
	"attributes": {
		"propertyNames": node{"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
		"properties":    node{"created": node{"anyOf": sources(true)}},
	},
	"licenses":             {"propertyNames": node{"pattern": "^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"}},
	"licenses.NAME.renews": {"pattern": `^(monthly|(\d{4}-)?\d\d-\d\d)$`},
	"notices.from":         {"pattern": policy.MailAddress},
	"notices.texts":        {"propertyNames": node{"pattern": policy.LanguageTag}},
	"exempt.users":         {"items": person},
	"exempt.leave[].user":  {"pattern": person["pattern"]},
	"exempt.leave[].until": {"pattern": `^\d{4}-\d\d-\d\d(T\d\d?:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d))?$`},
	"GROUP.ad":             {"pattern": `\S*=`},
}

// The variable "person" is the schema for the name of one person. The schema refuses a pattern with * or ?, and a name
// with a domain before it (DOMAIN\name).
var person = node{"type": "string", "pattern": `^[^*?\\]*[^*?\\\s][^*?\\]*$`}
