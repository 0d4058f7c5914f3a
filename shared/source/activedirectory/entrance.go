package activedirectory

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// The method "entrance" returns controllers of this domain if the configuration has several domains. It prefers the
// configured controllers of this domain. If there are none, it asks the controllers of the other domains, because
// CN=Sites lists the controllers of the whole forest.
func (d *Directory) entrance(ctx context.Context) ([]controller, error) {
	d.entranceMu.Lock()
	defer d.entranceMu.Unlock()
	if len(d.entrances) > 0 && d.now().Sub(d.entrancesGot) < listAge {
		return d.entrances, nil
	}
	var own, listed []controller
	var unreachable faults
	for _, c := range d.configured {
		err := d.do(ctx, c, func(s *session) error {
			base, err := s.home()
			if err != nil {
				return err
			}
			if domainName(base) == d.dnsDomain {
				own = append(own, c)
				return nil
			}
			some, _, err := s.listControllers(domainDN(d.dnsDomain))
			listed = append(listed, some...)
			return err
		})
		if err != nil {
			unreachable = append(unreachable, err)
		}
	}
	if len(own) == 0 {
		own = listed
	}
	if len(own) == 0 {
		err := error(unreachable)
		if len(unreachable) == 0 {
			err = errors.New("no controller of IDLESEAT_AD_URLS is of it, or lists one")
		}
		return nil, fmt.Errorf("look for controllers of %s: %w; name one in IDLESEAT_AD_URLS", d.dnsDomain, err)
	}
	d.entrances, d.entrancesGot = own, d.now()
	return own, nil
}

// ownSID returns the SID of the domain, with which the SIDs of its people begin. It never changes, so the result is
// cached.
func (d *Directory) ownSID(ctx context.Context) (sid string, err error) {
	d.entranceMu.Lock()
	known := d.sid
	d.entranceMu.Unlock()
	if known != "" {
		return known, nil
	}
	err = d.ask(ctx, func(s *session) error {
		var e *ldap.Entry
		e, err := s.domainObject("objectSid")
		if err != nil {
			return err
		}
		if sid, err = SID(e.GetEqualFoldRawAttributeValue("objectSid")); err != nil {
			return s.fault("read the domain's objectSid", err)
		}
		return nil
	})
	if err == nil {
		d.entranceMu.Lock()
		d.sid = sid
		d.entranceMu.Unlock()
	}
	return sid, err
}
