package decision

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// The type "account" is an account of one source. The pointer of the other source is nil.
type account struct {
	entra *directory.EntraUser
	ad    *directory.ADUser

	twin   int32          // index in group.list of the previous entry of the same account, or -1
	before *known.Account // the entry in the table of the last run, or nil
}

// The method "id" returns the object id of an account in Entra ID, and the SID of an account in Active Directory.
func (a account) id() string {
	if a.ad != nil {
		return a.ad.SID
	}
	return a.entra.ID
}

func (a account) place() string {
	if a.ad != nil {
		return a.ad.SID
	}
	return a.entra.PartitionKey()
}

func (a account) created() time.Time {
	if a.ad != nil {
		return a.ad.Created
	}
	return a.entra.Created
}

// The method "enabled" reports whether the directory shows the account as enabled, and the account was not expired when
// the run read it (the argument "read"). Nobody can log on with an expired account of Active Directory ([MS-ADA1],
// accountExpires: "the date when the account expires"), although its userAccountControl does not change.
func (a account) enabled(read time.Time) bool {
	if a.ad != nil {
		return a.ad.Enabled == directory.Yes && (a.ad.Expires.IsZero() || a.ad.Expires.After(read))
	}
	return a.entra.Enabled == directory.Yes
}

func (a account) dates() [directory.ActivityDates]time.Time {
	if a.ad != nil {
		return a.ad.Activity()
	}
	return a.entra.Activity()
}

func (a account) inDoubt() bool {
	if a.ad != nil {
		return a.ad.DatesInDoubt
	}
	return a.entra.DatesInDoubt
}

func (a account) lost() *time.Time {
	if a.ad != nil {
		return &a.ad.DatesLost
	}
	return &a.entra.DatesLost
}

func (a account) past() *directory.Past {
	if a.ad != nil {
		return &a.ad.Past
	}
	return &a.entra.Past
}

func (a account) noActivity() bool {
	return a.dates() == [directory.ActivityDates]time.Time{} && !a.inDoubt()
}

// The method "back" returns a bit mask of the activity dates that went back. Bit i is set if Past.Newest[i], the newest
// date in the tables of earlier runs, is later than date i of the account. A missing date counts as the earliest.
func (a account) back() (bits uint8) {
	dates := a.dates()
	for i, t := range a.past().Newest {
		if t.After(dates[i]) {
			bits |= 1 << i
		}
	}
	return bits
}

// accountsOf passes the accounts of a source to the function. It skips accounts whose Past.Row is set, because
// Plain.accounts already has them.
func accountsOf(h *directory.Accounts, s directory.Source, each func(account)) {
	if s == directory.AD {
		for i := range h.AD {
			if h.AD[i].Past.Row == 0 {
				each(account{ad: &h.AD[i], twin: -1})
			}
		}
		return
	}
	for i := range h.Entra {
		if h.Entra[i].Past.Row == 0 {
			each(account{entra: &h.Entra[i], twin: -1})
		}
	}
}

// The type "group" has the accounts that belong to one partition of an earlier run. The map "at" has, by known.KeyOf of
// an id, the index of the last account with this id in "list".
type group struct {
	list []account
	at   map[uint64]int32
}

// groupsOf puts the accounts of a source into one group for each partition of an earlier run. That run had the given
// number of partitions.
func groupsOf(h *directory.Accounts, s directory.Source, partitions int) map[int]*group {
	groups := map[int]*group{}
	room := len(h.Entra)
	if s == directory.AD {
		room = len(h.AD)
	}
	accountsOf(h, s, func(a account) {
		n := directory.Partition(a.place(), partitions)
		g := groups[n]
		if g == nil { // usually all accounts are in one partition, so the first group gets room for all
			g = &group{list: make([]account, 0, room), at: make(map[uint64]int32, room)}
			groups[n], room = g, 0
		}
		k := known.KeyOf(a.id())
		if twin, twice := g.at[k]; twice {
			a.twin = twin
		}
		g.at[k] = int32(len(g.list))
		g.list = append(g.list, a)
	})
	return groups
}

func (g *group) each(k uint64, each func(*account)) {
	at, there := g.at[k]
	for there && at >= 0 {
		each(&g.list[at])
		at = g.list[at].twin
	}
}
