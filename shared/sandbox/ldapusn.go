package sandbox

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
)

const firstUSN = 10_000

const settingsDN = "CN=NTDS Settings,CN=DC1," + sitesDN

// The function "numbered" returns a copy of the list in which the controller's database has a random identity, the
// invocationId. A USN of one company therefore has no meaning in another company.
func numbered(list []*entry) []*entry {
	var id guid
	rand.Read(id[:])
	list = slices.Clone(list)
	extend(list, settingsDN, attribute{"invocationId", []string{id.raw()}})
	return list
}

// The function "extend" replaces the entry with the given DN by a copy that has one more attribute.
func extend(list []*entry, dn string, more attribute) {
	at := slices.IndexFunc(list, func(e *entry) bool { return e.dn == dn })
	own := *list[at]
	own.attrs = append(slices.Clone(own.attrs), more)
	list[at] = &own
}

// The method "replicated" records that, when the simulation began, the first controller had received the changes of
// another controller.
func (c *Company) replicated(controller string) {
	id := guid{0: 0xdc, 15: 2}
	extend(c.fixed, "CN=NTDS Settings,CN="+controller+","+sitesDN, attribute{"invocationId", []string{id.raw()}})
	extend(c.fixed, BaseDN, attribute{"replUpToDateVector", []string{vectorOf([]cursor{{id, firstUSN, c.start}})}})
}

// usnOf returns a person's uSNChanged. A change of membership does not raise it, because the membership is stored with
// the group. A change of lastLogon does not raise it either, because lastLogon is not replicated.
func (c *Company) usnOf(i int) int {
	if ch := c.changes[i]; ch != nil && ch.usn > 0 {
		return ch.usn
	}
	return firstUSN + i
}

func (c *Company) highestUSN() int { return firstUSN + c.Size() + c.moved }

// The method "move" gives a person's object the next USN.
func (c *Company) move(i int) {
	c.moved++
	c.changeOf(i).usn = c.highestUSN()
	c.touched(object{accountObject, i})
}

func (x *condition) atLeast(v string) bool {
	least, errLeast := strconv.ParseInt(x.value, 10, 64)
	n, err := strconv.ParseInt(v, 10, 64)
	return err == nil && errLeast == nil && n >= least
}

// isNumber reports whether filters can compare the attribute as a number.
func isNumber(attr string) bool { return strings.EqualFold(attr, "uSNChanged") }
