package activedirectory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	// listAge is how long the list of a domain's controllers is reused. It is longer than the reading of a batch of
	// people, and shorter than the setup of a new controller.
	listAge = time.Minute
	// defaultInterval is the interval if msDS-LogonTimeSyncInterval is absent (MS-ADA2 2.494).
	defaultInterval = 14 * day
	day             = 24 * time.Hour
)

// The type "domain" has the data that the directory stores about the domain itself.
type domain struct {
	controllers []controller  // all controllers of the domain, including read-only controllers
	interval    time.Duration // the longest delay of lastLogonTimestamp; 0 if the date is never updated
	unnamed     error         // set if the names of some controllers may be unknown

	asked  string               // name of the controller that gave the list
	synced map[string]time.Time // the result of syncTimes on that controller
}

// errNotKept is the error for the dates of a domain that does not maintain lastLogonTimestamp.
var errNotKept = errors.New("msDS-LogonTimeSyncInterval of the domain is 0, so lastLogonTimestamp is never updated; clear the attribute and wait until people have logged on again")

// domainNow returns the domain with its current controllers. It reuses the list only for listAge, because a new
// controller must soon be in it.
func (d *Directory) domainNow(ctx context.Context) (*domain, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.domain != nil && d.now().Sub(d.domainRead) < listAge {
		return d.domain, nil
	}
	var read domain
	var listed []controller
	known := false // whether a controller has returned the interval
	err := d.ask(ctx, func(s *session) error {
		interval, err := s.syncInterval()
		if err != nil {
			return err // the interval from an earlier controller remains valid
		}
		read.interval, known = interval, true
		base, err := s.home()
		if err != nil {
			return err
		}
		if listed, read.unnamed, err = s.listControllers(base); err != nil {
			return err
		}
		read.asked = s.host
		read.synced, err = s.syncTimes()
		return err
	})
	if err != nil && known && ctx.Err() == nil {
		return d.unlisted(ctx, read.interval, err)
	}
	if err != nil {
		return nil, err
	}
	read.controllers = d.reachBy(ctx, listed)
	d.domain, d.domainRead = &read, d.now()
	return d.domain, nil
}

// The method "unlisted" returns the domain if its list of controllers could not be read. The result has only the
// controllers of the configuration or of DNS, so a logon on any other controller stays unknown. domainNow does not
// cache the result.
func (d *Directory) unlisted(ctx context.Context, interval time.Duration, why error) (*domain, error) {
	known, err := d.bootstrap(ctx)
	if err != nil {
		return nil, err
	}
	return &domain{controllers: known, interval: interval, unnamed: why}, nil
}

func (s *session) home() (string, error) { return s.rootDSE("defaultNamingContext") }

func (s *session) domainObject(attributes ...string) (*ldap.Entry, error) {
	doing := "read " + strings.Join(attributes, " and ")
	base, err := s.home()
	if err != nil {
		return nil, err
	}
	found, err := s.search(doing, base, ldap.ScopeBaseObject, "(objectClass=*)", attributes)
	if err != nil {
		return nil, err
	}
	if len(found.Entries) != 1 {
		return nil, s.fault(doing, fmt.Errorf("the account may not read %s", base))
	}
	return found.Entries[0], nil
}

// syncInterval reads msDS-LogonTimeSyncInterval of the domain, a number of days.
func (s *session) syncInterval() (time.Duration, error) {
	const attribute, longest = "msDS-LogonTimeSyncInterval", 100_000
	e, err := s.domainObject(attribute)
	if err != nil {
		return 0, err
	}
	value := e.GetEqualFoldAttributeValue(attribute)
	if value == "" {
		return defaultInterval, nil
	}
	days, err := strconv.Atoi(value)
	if err != nil || days < 0 || days > longest {
		return 0, s.fault("read "+attribute, fmt.Errorf("%q is no number of days", clean(value)))
	}
	return time.Duration(days) * day, nil
}

// listControllers returns all controllers that have a full copy of the domain with the DN "base", to be reached by
// their DNS names. If some controllers have no DNS name, the result "unnamed" is an error that names them. In CN=Sites
// of the configuration, every controller of the forest has a server object with an nTDSDSA object below it (MS-ADTS
// 6.1.1.2.2.1.2.1.1). The result omits global catalogs with a partial copy, because nobody logs on to the domain there.
func (s *session) listControllers(base string) (list []controller, unnamed error, err error) {
	const doing = "list the domain's controllers"
	configuration, err := s.rootDSE("configurationNamingContext")
	if err != nil {
		return nil, nil, err
	}
	sites := "CN=Sites," + configuration
	hosts := map[string]string{} // dNSHostName by the DN of the server object
	err = s.pages(doing, sites, "(objectClass=server)", []string{"dNSHostName"}, func(e *ldap.Entry) error {
		hosts[strings.ToLower(e.DN)] = e.GetEqualFoldAttributeValue("dNSHostName")
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	held := ldap.EscapeFilter(base)
	filter := fmt.Sprintf("(&(|(objectClass=nTDSDSA)(objectClass=nTDSDSARO))(|(msDS-hasMasterNCs=%s)(hasMasterNCs=%s)(msDS-hasFullReplicaNCs=%s)))", held, held, held)
	err = s.pages(doing, sites, filter, []string{"invocationId"}, func(e *ldap.Entry) error {
		_, server, _ := strings.Cut(e.DN, ",") // the first RDN is always CN=NTDS Settings
		if host := hosts[strings.ToLower(server)]; host != "" {
			c := byName(host)
			c.invocation = string(e.GetEqualFoldRawAttributeValue("invocationId"))
			list = append(list, c)
		} else {
			unnamed = errors.Join(unnamed, s.fault(doing, fmt.Errorf("%q has no dNSHostName", clean(server))))
		}
		return nil
	})
	if err == nil && len(list) == 0 {
		err = s.fault(doing, fmt.Errorf("none holds %s; may the account read %s?", base, sites))
	}
	return list, unnamed, err
}

// reachBy decides how to reach each listed controller: by a configured address that leads to it, or by its name over
// LDAPS. An address may lead to another controller later, so each controller in the result has its name, and every
// session checks that the answering controller has this name.
func (d *Directory) reachBy(ctx context.Context, listed []controller) []controller {
	leadsTo := make([]string, len(d.configured))
	var asked sync.WaitGroup
	for i, c := range d.configured {
		leadsTo[i] = c.host
		if slices.ContainsFunc(listed, func(l controller) bool { return strings.EqualFold(l.name, c.host) }) {
			continue
		}
		asked.Go(func() {
			// An address that does not answer matches no controller.
			_ = d.do(ctx, c, func(s *session) (err error) {
				leadsTo[i], err = s.rootDSE("dnsHostName")
				return err
			})
		})
	}
	asked.Wait()
	var all []controller
	for _, l := range listed {
		known := len(all)
		for i, c := range d.configured {
			if strings.EqualFold(leadsTo[i], l.name) {
				c.name, c.invocation = l.name, l.invocation
				all = append(all, c)
			}
		}
		if len(all) == known {
			all = append(all, l)
		}
	}
	return all
}
