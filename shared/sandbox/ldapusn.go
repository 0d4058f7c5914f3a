package sandbox

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
)

// firstUSN is the USN of person 0 at the start.
const firstUSN = 10_000

const settingsDN = "CN=NTDS Settings,CN=DC1," + sitesDN

// The function "numbered" returns a copy of the list in which the controller's settings have a random invocationId. The
// invocationId identifies the controller's database. A USN of one company therefore has no meaning in another company.
func numbered(list []*entry) []*entry {
	var id guid
	rand.Read(id[:])
	at := slices.IndexFunc(list, func(e *entry) bool { return e.dn == settingsDN })
	list = slices.Clone(list)
	own := *list[at]
	own.attrs = append(slices.Clone(own.attrs), attribute{"invocationId", []string{id.raw()}})
	list[at] = &own
	return list
}

// usnOf returns a person's uSNChanged. A change of membership does not raise uSNChanged, because the membership is
// stored with the group. A change of lastLogon does not raise uSNChanged either, because lastLogon is not replicated.
func (c *Company) usnOf(i int) int {
	if ch := c.changes[i]; ch != nil && ch.usn > 0 {
		return ch.usn
	}
	return firstUSN + i
}

// highestUSN returns the controller's highestCommittedUSN.
func (c *Company) highestUSN() int { return firstUSN + c.Size() + c.moved }

// The method "move" gives a person's object the next USN.
func (c *Company) move(i int) {
	c.moved++
	c.changeOf(i).usn = c.highestUSN()
}

// atLeast reports whether the number v is at least the filter's value.
func (x *condition) atLeast(v string) bool {
	least, errLeast := strconv.ParseInt(x.value, 10, 64)
	n, err := strconv.ParseInt(v, 10, 64)
	return err == nil && errLeast == nil && n >= least
}

// isNumber reports whether filters can compare the attribute as a number.
func isNumber(attr string) bool { return strings.EqualFold(attr, "uSNChanged") }
