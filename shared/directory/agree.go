package directory

import (
	"cmp"
	"reflect"
	"slices"
)

// Agree adds what another domain controller says about the same account. A change reaches the controllers one after the
// other, and may never reach one that does not replicate. If the controllers give different values of an attribute,
// Agree lists the attribute in Unreadable and keeps one of the values. If only one controller shows an attribute, its
// value counts. Agree ignores LastLogonTimestamp, because callers compare these dates themselves.
func (a *ADUser) Agree(other *ADUser) {
	a.DatesInDoubt = a.DatesInDoubt || other.DatesInDoubt
	for i := range ADProperties {
		p := &ADProperties[i]
		name := p.unreadable()
		if name == "" || name == lastLogonTimestamp || other.Hides(name) || a.disputes(p) {
			continue
		}
		here, there := reflect.ValueOf(p.At(a)).Elem(), reflect.ValueOf(p.At(other)).Elem()
		switch {
		case a.Hides(name):
			a.Unreadable = slices.DeleteFunc(slices.Clone(a.Unreadable), func(n string) bool { return n == name })
			here.Set(there)
		case here.Interface() != there.Interface():
			a.Unreadable = append(slices.Clone(a.Unreadable), name)
			if here.IsZero() {
				here.Set(there)
			}
		}
	}
}

// The method "unreadable" returns the name of the property in ADUser.Unreadable: its LDAP name, or "" for a property
// that is no attribute. The DN has its LDAP name in Name, because its Source is empty.
func (p *Property[A]) unreadable() string { return cmp.Or(p.Source, p.Name) }

// The method "disputes" reports whether the domain controllers give different values of a property. The field
// Unreadable then has the attribute, and Agree keeps one of the values. An attribute that the account of idleseat may
// not see is in Unreadable, too, but has no value.
func (a *ADUser) disputes(p *Property[ADUser]) bool {
	return a.Hides(p.unreadable()) && !reflect.ValueOf(p.At(a)).Elem().IsZero()
}

// Certain returns the account without the values of the attributes in its field Unreadable. If controllers give
// different values, Agree keeps the one that it gets first, so two readings of an unchanged account may have different
// values there.
func (a ADUser) Certain() ADUser {
	a.Unreadable = slices.Sorted(slices.Values(a.Unreadable))
	for i := range ADProperties {
		if p := &ADProperties[i]; a.Hides(p.unreadable()) {
			reflect.ValueOf(p.At(&a)).Elem().SetZero()
		}
	}
	return a
}

// Hidden returns the LDAP name of the field's attribute if ADUser.Unreadable has this attribute. The value of the field
// is then unknown. Otherwise it returns "". The result "disputed" says that the value is unknown because the domain
// controllers give different values.
func (f *Field) Hidden(p *Person) (name string, disputed bool) {
	if f.Source != AD || !p.AD.Hides(f.hides) {
		return "", false
	}
	v := f.account(p)
	return f.hides, v.State == Known && f.Meaning != Activity && (f.Kind != Text || v.Text != "")
}
