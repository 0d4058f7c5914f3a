package activedirectory

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// errEntry is the error for an entry or a value that a healthy Active Directory does not return, such as a person
// without an objectSid.
var errEntry = errors.New("damaged entry")

// The type "reader" stores one raw value of an attribute in the person.
type reader func(u *directory.ADUser, value []byte, now time.Time) error

// The map readers has the reader of each attribute of a person, by attribute in lower case.
var readers = allReaders()

var personAttributes = slices.Sorted(maps.Keys(readers))

func allReaders() map[string]reader {
	all := map[string]reader{
		"objectsid": func(u *directory.ADUser, v []byte, _ time.Time) (err error) {
			u.SID, err = SID(v)
			return err
		},
		"objectguid": func(u *directory.ADUser, v []byte, _ time.Time) error {
			if len(v) != 16 {
				return fmt.Errorf("%d bytes, not 16", len(v))
			}
			u.GUID = base64.StdEncoding.EncodeToString(v)
			return nil
		},
		"ms-ds-consistencyguid": func(u *directory.ADUser, v []byte, _ time.Time) error {
			u.ConsistencyGUID = base64.StdEncoding.EncodeToString(v)
			return nil
		},
		"useraccountcontrol": func(u *directory.ADUser, v []byte, _ time.Time) error {
			const accountDisable = 0x2
			control, err := strconv.ParseInt(string(v), 10, 64)
			u.Enabled = directory.FlagOf(control&accountDisable == 0)
			return err
		},
		"whencreated": func(u *directory.ADUser, v []byte, _ time.Time) (err error) {
			u.Created, err = time.Parse("20060102150405Z0700", string(v))
			u.Created = u.Created.UTC()
			return err
		},
		"lastlogontimestamp": func(u *directory.ADUser, v []byte, now time.Time) (err error) {
			u.LastLogonTimestamp, err = Time(string(v), now)
			if u.DatesInDoubt = errors.Is(err, ErrFuture); u.DatesInDoubt {
				return nil
			}
			return err
		},
	}
	// A date in the future comes from a wrong clock. The attribute is then unreadable, so it is unknown when the
	// password was set.
	all["pwdlastset"] = func(u *directory.ADUser, v []byte, now time.Time) (err error) {
		if u.PasswordSet, err = Time(string(v), now); errors.Is(err, ErrFuture) {
			u.Unreadable, err = append(u.Unreadable, "pwdLastSet"), nil
		}
		return err
	}
	all["accountexpires"] = func(u *directory.ADUser, v []byte, _ time.Time) (err error) {
		u.Expires, err = expiry(string(v))
		return err
	}
	all["primarygroupid"] = func(*directory.ADUser, []byte, time.Time) error { return nil } // the value is unused; the request shows whether the account may read the attribute
	for i := range directory.ADProperties {
		p := &directory.ADProperties[i]
		name := strings.ToLower(p.Source)
		if all[name] != nil || name == "" {
			continue
		}
		if p.Kind != directory.Text {
			panic("how Active Directory writes " + p.Source + " is not known") // a bug in this package
		}
		all[name] = func(u *directory.ADUser, v []byte, _ time.Time) error {
			*p.At(u).(*string) = text(v)
			return nil
		}
	}
	return all
}

// parsePerson reads an entry. It fails without a SID or a GUID, because such a person would match nobody and would be
// lost silently.
func parsePerson(e *ldap.Entry, now time.Time) (directory.ADUser, error) {
	u := directory.ADUser{DN: text([]byte(e.DN))}
	for _, a := range e.Attributes {
		read, ok := readers[strings.ToLower(a.Name)]
		if !ok || len(a.ByteValues) == 0 {
			continue
		}
		if err := read(&u, a.ByteValues[0], now); err != nil {
			return directory.ADUser{}, fmt.Errorf("%w %q: %s: %w", errEntry, u.DN, clean(a.Name), err)
		}
	}
	if u.SID == "" || u.GUID == "" {
		return directory.ADUser{}, fmt.Errorf("%w %q: it has no objectSid or no objectGUID; may the account read them?", errEntry, u.DN)
	}
	return u, nil
}

func text(value []byte) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(value), "�"), "\x00", "�")
}

// SID formats a binary security identifier as "S-1-5-21-…" (MS-DTYP 2.4.2).
func SID(b []byte) (string, error) {
	const head = 8 // one byte of revision, one byte with the number of sub-authorities, six bytes of authority
	if len(b) < head || b[0] != 1 || len(b) != head+4*int(b[1]) {
		return "", fmt.Errorf("%d bytes are no security identifier", len(b))
	}
	authority := binary.BigEndian.Uint64(b) & (1<<48 - 1)
	sid := strconv.AppendUint([]byte("S-1-"), authority, 10)
	for sub := range slices.Chunk(b[head:], 4) {
		sid = append(sid, '-')
		sid = strconv.AppendUint(sid, uint64(binary.LittleEndian.Uint32(sub)), 10)
	}
	return string(sid), nil
}

// ErrFuture means that a date lies more than a day in the future. Some clock is wrong, so it is unknown whether the
// person logged on.
var ErrFuture = errors.New("the date lies in the future")

// fileTime parses a FILETIME, the number of 100 ns intervals since 1601 in UTC. It returns the zero time for 0, for
// negative values and for the largest value, which means "never" (MS-ADA1, accountExpires).
func fileTime(filetime string) (time.Time, error) {
	const perSecond, unixEpoch = 1e7, 11644473600 // ticks; seconds from 1601 to 1970
	ticks, err := strconv.ParseInt(filetime, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no FILETIME: %w", text([]byte(filetime)), errors.Unwrap(err))
	}
	if ticks <= 0 || ticks == math.MaxInt64 {
		return time.Time{}, nil
	}
	return time.Unix(ticks/perSecond-unixEpoch, ticks%perSecond*100).UTC(), nil
}

// The function "expiry" parses a FILETIME like fileTime. It returns the zero time ("never") for a date after the year
// 9999, because the text form of a date has only four digits for the year.
func expiry(filetime string) (time.Time, error) {
	const lastYear = 9999
	t, err := fileTime(filetime)
	if err != nil || t.Year() > lastYear {
		return time.Time{}, err
	}
	return t, nil
}

// Time parses the FILETIME of a past date like fileTime. It returns the zero time for a date before 2000, because such
// a date cannot be a logon, and ErrFuture for a date more than a day after "now".
func Time(filetime string, now time.Time) (time.Time, error) {
	t, err := fileTime(filetime)
	switch {
	case err != nil || t.IsZero():
		return time.Time{}, err
	case t.Year() < 2000:
		return time.Time{}, nil
	case t.After(now.AddDate(0, 0, 1)):
		return time.Time{}, ErrFuture
	}
	return t, nil
}

func hasClass(e *ldap.Entry, class string) bool {
	return slices.ContainsFunc(e.GetEqualFoldAttributeValues("objectClass"), func(c string) bool { return strings.EqualFold(c, class) })
}
