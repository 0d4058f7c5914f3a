package graphcontract

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// requestFaults are what a request has that the description does not.
func (c *contract) requestFaults(r *http.Request, item *openapi3.PathItem, op *openapi3.Operation, body []byte) (faults []string) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return []string{"the query cannot be read: " + err.Error()}
	}
	for name, values := range query {
		// A $skiptoken stands only in links that the server wrote.
		p := parameter(item, op, name)
		switch {
		case name == "$skiptoken":
		case p == nil:
			faults = append(faults, fmt.Sprintf("query option %s is not described", name))
		case len(values) != 1:
			faults = append(faults, fmt.Sprintf("query option %s is given %d times", name, len(values)))
		default:
			faults = append(faults, c.optionFaults(p, op, values[0])...)
		}
	}
	if op.RequestBody == nil {
		if len(body) > 0 {
			faults = append(faults, "a request body is not described")
		}
		return faults
	}
	media := op.RequestBody.Value.Content.Get("application/json")
	return append(faults, c.bodyFaults("request", media.Schema.Value, body)...)
}

func parameter(item *openapi3.PathItem, op *openapi3.Operation, name string) *openapi3.Parameter {
	for _, p := range slices.Concat(item.Parameters, op.Parameters) {
		if p.Value.Name == name && p.Value.In == openapi3.ParameterInQuery {
			return p.Value
		}
	}
	return nil
}

// optionFaults checks the value of a query option. Selected properties must
// be among those that the answer may have.
func (c *contract) optionFaults(p *openapi3.Parameter, op *openapi3.Operation, value string) (faults []string) {
	var typed any = value
	switch s := p.Schema.Value; {
	case s.Type.Is(openapi3.TypeInteger):
		n, err := strconv.Atoi(value)
		if err != nil {
			return []string{fmt.Sprintf("query option %s: %q is no number", p.Name, value)}
		}
		typed = float64(n)
	case s.Type.Is(openapi3.TypeBoolean):
		typed = value == "true"
		if value != "true" && value != "false" {
			typed = value
		}
	case s.Type.Is(openapi3.TypeArray):
		list := []any{}
		for part := range strings.SplitSeq(value, ",") {
			list = append(list, part)
			if p.Name == "$select" && !c.selectable(op, part) {
				faults = append(faults, fmt.Sprintf("$select of %q, which is not described", part))
			}
		}
		typed = list
	}
	if err := p.Schema.Value.VisitJSON(typed); err != nil {
		faults = append(faults, fmt.Sprintf("query option %s: %v", p.Name, err))
	}
	return faults
}

// selectable tells whether the answer of an operation may have a property.
func (c *contract) selectable(op *openapi3.Operation, name string) bool {
	s := op.Responses.Value("2XX").Value.Content.Get("application/json").Schema.Value
	if items := c.propertyOf(s, "value"); items != nil {
		s = items.Items.Value
	}
	if c.propertyOf(s, "deletedDateTime") != nil && c.propertyOf(s, "displayName") == nil { // directory objects: of which type is told by each
		return c.propertyOf(c.typeNamed("#microsoft.graph.user"), name) != nil || c.propertyOf(c.typeNamed("#microsoft.graph.group"), name) != nil
	}
	return c.propertyOf(s, name) != nil
}

func (c *contract) typeNamed(odata string) *openapi3.Schema {
	if ref := c.doc.Components.Schemas[strings.TrimPrefix(odata, "#")]; ref != nil {
		return ref.Value
	}
	return nil
}

// propertyOf finds a property in a schema or in one it extends.
func (c *contract) propertyOf(s *openapi3.Schema, name string) *openapi3.Schema {
	if p := s.Properties[name]; p != nil {
		return p.Value
	}
	for _, part := range s.AllOf {
		if p := c.propertyOf(part.Value, name); p != nil {
			return p
		}
	}
	return nil
}

// walk checks a value against a schema, and that every property is described.
// A derived type is checked as what its @odata.type says. The one departure
// from the description is the date of an error: it is described as a
// date-time, and every captured answer of Graph has it without a zone.
func (c *contract) walk(at string, s *openapi3.Schema, value any, faults *[]string) {
	if len(s.AnyOf) > 0 { // a type, or null
		if value == nil {
			return
		}
		s = s.AnyOf[0].Value
	}
	switch v := value.(type) {
	case map[string]any:
		c.walkObject(at, s, v, faults)
	case []any:
		if s.Items == nil {
			*faults = append(*faults, at+" is a list")
			return
		}
		for n, item := range v {
			c.walk(fmt.Sprintf("%s[%d]", at, n), s.Items.Value, item, faults)
		}
	default:
		if date, ok := value.(string); ok && strings.HasSuffix(at, ".innerError.date") {
			value = date + "Z"
		}
		if err := s.VisitJSON(value, openapi3.EnableFormatValidation()); err != nil {
			*faults = append(*faults, fmt.Sprintf("%s: %v", at, err))
		}
	}
}

func (c *contract) walkObject(at string, s *openapi3.Schema, object map[string]any, faults *[]string) {
	if odata, ok := object["@odata.type"].(string); ok {
		if s = c.typeNamed(odata); s == nil {
			*faults = append(*faults, fmt.Sprintf("%s: type %s is not described", at, odata))
			return
		}
	}
	if s.AllOf == nil && !s.Type.Is(openapi3.TypeObject) {
		*faults = append(*faults, at+" is an object")
		return
	}
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			*faults = append(*faults, fmt.Sprintf("%s lacks %q", at, name))
		}
	}
	for name, value := range object {
		p := c.propertyOf(s, name)
		switch {
		case p != nil:
			c.walk(at+"."+name, p, value, faults)
		case !strings.Contains(name, "@odata."):
			*faults = append(*faults, fmt.Sprintf("%s has %q, which is not described", at, name))
		}
	}
}
