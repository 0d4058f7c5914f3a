package directory

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Property describes one property of an account. The struct tags of EntraUser and ADUser define the properties:
//
//	field    the name in policies, without entra. or ad.; no policy can name a property without this tag
//	source   the property of Microsoft Graph or the LDAP attribute; defaults to field
//	column   the column of a snapshot, without entra_ or ad_; defaults to field or source in snake case
//	meaning  of a date: activity or creation; defaults to plain
//	read     "always" if a snapshot's column is read in any case; otherwise it is read only if the policy names it
//
// A struct member without a tag is computed or has its own format. An array defines one property per element, numbered
// from 1.
type Property[A any] struct {
	Name    string // empty if no policy may name the property
	Source  string // empty if no request asks for the property
	Column  string
	Kind    Kind
	Meaning Meaning
	Always  bool // read from a snapshot even when no policy names it

	index, item int // the struct member; the element of an array, or -1
}

// EntraProperties and ADProperties describe those fields of EntraUser and ADUser that have a struct tag, in the order
// of the fields.
var (
	EntraProperties = propertiesOf[EntraUser]()
	ADProperties    = propertiesOf[ADUser]()
)

// At returns a pointer to the property in account: a *string, *time.Time, *Flag or *bool.
func (p *Property[A]) At(account *A) any {
	at := reflect.ValueOf(account).Elem().Field(p.index)
	if p.item >= 0 {
		at = at.Index(p.item)
	}
	return at.Addr().Interface()
}

func (p *Property[A]) of(account *A) Value {
	switch at := p.At(account).(type) {
	case *string:
		return text(*at)
	case *time.Time:
		return date(*at)
	case *Flag:
		return flag(*at)
	case *bool:
		return flag(FlagOf(*at))
	default:
		panic(fmt.Sprintf("a property of type %T", at)) // unreachable: kinds has no other type
	}
}

var (
	kinds = map[reflect.Type]Kind{
		reflect.TypeFor[string](): Text, reflect.TypeFor[time.Time](): Date,
		reflect.TypeFor[Flag](): Bool, reflect.TypeFor[bool](): Bool,
	}
	meanings = map[string]Meaning{"": Plain, "activity": Activity, "creation": Creation}
)

// propertiesOf reads the struct tags of A.
func propertiesOf[A any]() (table []Property[A]) {
	account := reflect.TypeFor[A]()
	for i := range account.NumField() {
		f := account.Field(i)
		if f.Tag == "" {
			continue
		}
		p := Property[A]{Name: f.Tag.Get("field"), Source: f.Tag.Get("source"), Column: f.Tag.Get("column"), Always: f.Tag.Get("read") == "always", index: i, item: -1}
		if _, given := f.Tag.Lookup("source"); !given {
			p.Source = p.Name
		}
		of, count := f.Type, 1
		if f.Type.Kind() == reflect.Array {
			of, count = f.Type.Elem(), f.Type.Len()
		}
		var known, sensible bool
		p.Kind, known = kinds[of]
		if p.Meaning, sensible = meanings[f.Tag.Get("meaning")]; !known || !sensible {
			panic(fmt.Sprintf("%s.%s %s cannot be a line of the table of fields", account, f.Name, f.Tag)) // the tags in this package are wrong
		}
		for n := range count {
			one := p
			if f.Type.Kind() == reflect.Array {
				one.numbered(n)
			}
			if one.Column == "" {
				one.Column = snake(one.Name)
			}
			if one.Column == "" {
				one.Column = snake(one.Source)
			}
			table = append(table, one)
		}
	}
	return table
}

// The method "numbered" turns p into the property of one element of an array, counted from 0.
func (p *Property[A]) numbered(item int) {
	number := strconv.Itoa(item + 1)
	p.item = item
	p.Name += number
	p.Source += number
}

// The function "snake" turns employeeId into employee_id.
func snake(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		if unicode.IsUpper(r) && lower {
			b.WriteByte('_')
		}
		lower = !unicode.IsUpper(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
