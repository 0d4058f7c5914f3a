package activedirectory

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// The method "values" calls the function "each" with every value of an attribute, as an extended DN. Windows returns a
// part of a long attribute under the name member;range=0-1499 (MS-ADTS 3.1.1.3.1.3.3, range retrieval). The method then
// requests member;range=1500-*, until a returned range ends in *.
func (s *session) values(doing, dn, attribute string, each func(value string) error) error {
	for next, asked := 0, attribute; asked != ""; {
		found, err := s.search(doing, dn, ldap.ScopeBaseObject, "(objectClass=*)", []string{asked}, extendedDN)
		if err != nil {
			return err
		}
		if len(found.Entries) != 1 {
			return s.fault(doing, errNoGroup)
		}
		asked = ""
		for _, a := range found.Entries[0].Attributes {
			last, more, err := span(a.Name, attribute, next)
			switch {
			case err != nil:
				return s.fault(doing, err)
			case last < 0:
				continue
			case len(a.Values) == 0 && !more:
				continue // the attribute under its plain name has no values
			case more && last-next+1 != len(a.Values):
				return s.fault(doing, fmt.Errorf("%w: %s came with %d values", errEntry, clean(a.Name), len(a.Values)))
			}
			for _, v := range a.Values {
				if err := each(v); err != nil {
					return err
				}
			}
			if more {
				next = last + 1
				asked = fmt.Sprintf("%s;range=%d-*", attribute, next)
			}
		}
	}
	return nil
}

// The function "span" parses the name of a returned attribute, such as member;range=0-1499. The result "last" is the
// index of the last value in this answer. It is negative if the name is that of another attribute. The result "more"
// reports whether further values follow.
func span(name, attribute string, next int) (last int, more bool, err error) {
	base, option, ranged := strings.Cut(name, ";")
	if !strings.EqualFold(base, attribute) {
		return -1, false, nil
	}
	if !ranged {
		return 0, false, nil
	}
	bounds, ok := strings.CutPrefix(strings.ToLower(option), "range=")
	low, high, dash := strings.Cut(bounds, "-")
	if from, err := strconv.Atoi(low); !ok || !dash || err != nil || from != next {
		return 0, false, fmt.Errorf("%w: values came as %q and were asked for from %d", errEntry, clean(name), next)
	}
	if high == "*" {
		return 0, false, nil
	}
	if last, err = strconv.Atoi(high); err != nil || last < next {
		return 0, false, errors.Join(errEntry, fmt.Errorf("values came as %q", clean(name)))
	}
	return last, true, nil
}

// The method "extended" parses an extended DN. The result "sid" is empty if the object has no SID.
func (s *session) extended(value string) (sid, dn string, err error) {
	_, rest, _ := strings.Cut(value, ">;")
	id, dn, two := strings.Cut(rest, ">;")
	sid, isSID := strings.CutPrefix(id, "<SID=")
	switch {
	case !strings.HasPrefix(value, "<GUID="):
		return "", "", s.fault("list members", fmt.Errorf("%w %q: it should begin with its GUID", errEntry, clean(value)))
	case !two:
		return "", rest, nil
	case !isSID:
		return "", dn, nil
	case strings.HasPrefix(sid, "S-"): // Samba writes the SID as text, Windows in hexadecimal
		return sid, dn, nil
	}
	raw, err := hex.DecodeString(sid)
	if err == nil {
		sid, err = SID(raw)
	}
	if err != nil {
		return "", "", s.fault("list members", fmt.Errorf("%w %q: %w", errEntry, clean(value), err))
	}
	return sid, dn, nil
}
