package sandbox

import (
	"strconv"
	"strings"
)

const upnDomain = "contoso.example"

// The type "name" is the name of a person. The field "local" is the part of the UPN before the @.
type name struct{ given, surname, local string }

func (n name) display() string { return n.given + " " + n.surname }

// The type "spelling" is a name in its own script, and in ASCII for e-mail addresses.
type spelling struct{ text, ascii string }

var givenNames = []spelling{
	{"Maria", "maria"}, {"Jonas", "jonas"}, {"Zoë", "zoe"}, {"José", "jose"}, {"Łukasz", "lukasz"}, {"Søren", "soren"},
	{"Олена", "olena"}, {"محمد", "mohammed"}, {"健太", "kenta"}, {"Γιώργος", "giorgos"}, {"Priya", "priya"}, {"Chidi", "chidi"},
	{"Emma", "emma"}, {"Liam", "liam"}, {"Noor", "noor"}, {"Björn", "bjorn"}, {"Anaïs", "anais"}, {"Tomáš", "tomas"},
	{"Hanna", "hanna"}, {"Peter", "peter"}, {"Sofia", "sofia"}, {"Mateo", "mateo"}, {"Aiko", "aiko"}, {"Yusuf", "yusuf"},
	{"Grace", "grace"}, {"Ole", "ole"}, {"Rosa", "rosa"}, {"Ivan", "ivan"}, {"Lea", "lea"}, {"Paul", "paul"}, {"Ada", "ada"}, {"Hugo", "hugo"},
}

var surnames = []spelling{
	{"Berg", "berg"}, {"Müller", "mueller"}, {"García", "garcia"}, {"Nowak", "nowak"}, {"Sørensen", "sorensen"}, {"Шевченко", "shevchenko"},
	{"الحسن", "alhassan"}, {"田中", "tanaka"}, {"Παπαδόπουλος", "papadopoulos"}, {"Sharma", "sharma"}, {"Okafor", "okafor"},
	{"Smith", "smith"}, {"Murphy", "murphy"}, {"de Vries", "devries"}, {"Åkesson", "akesson"}, {"Lefèvre", "lefevre"}, {"Dvořák", "dvorak"},
	{"Virtanen", "virtanen"}, {"Schmidt", "schmidt"}, {"Rossi", "rossi"}, {"Fernández", "fernandez"}, {"Sato", "sato"}, {"Yılmaz", "yilmaz"},
	{"Johnson", "johnson"}, {"Hansen", "hansen"}, {"Silva", "silva"}, {"Petrov", "petrov"}, {"Weiß", "weiss"}, {"Martin", "martin"}, {"King", "king"},
}

// The variable "awkward" has names with characters that code must escape.
var awkward = []name{
	{`Ann, "Annie"`, `D'Arc`, "annie.darc"},
	{`<script>alert(1)</script>`, `&amp;`, "markup"},
	{`+1`, `=HYPERLINK("http://x.test")`, "sheet"},
	{"\u202eעדי", "כהן\u202c", "adi.cohen"},
	{`back\slash`, `#hash, +plus`, "slash"},
}

// nameOf returns the name of a person. The first people have the names in the variable "fixtures". For other people,
// the local part of the UPN contains the number of the person.
func (c *Company) nameOf(i int, k Kind) name {
	if i < len(fixtures) {
		return name{fixtures[i].given, fixtures[i].surname, fixtures[i].local}
	}
	d := c.dice(i, streamNames)
	g, s := givenNames[d.below(len(givenNames))], surnames[d.below(len(surnames))]
	n := name{g.text, s.text, g.ascii + "." + s.ascii}
	if d.below(64) == 0 {
		n = awkward[d.below(len(awkward))]
	}
	n.local += "." + strconv.Itoa(i)
	if k == Guest {
		n.local += "_fabrikam.example#EXT#"
	}
	return n
}

// byUPN returns the person who has the UPN in Entra ID now. The comparison ignores letter case.
func (c *Company) byUPN(upn string) (int, bool) {
	if i, found := c.renamed[strings.ToLower(upn)]; found {
		return i, true
	}
	i, found := c.byFirstUPN(upn)
	return i, found && (c.changes[i] == nil || c.changes[i].upn == "")
}

func (c *Company) byFirstUPN(upn string) (int, bool) {
	local, domain, ok := strings.Cut(upn, "@")
	if !ok || !strings.EqualFold(domain, upnDomain) {
		return 0, false
	}
	for i, member := range fixtures {
		if strings.EqualFold(member.local, local) {
			return i, true
		}
	}
	number, _, _ := strings.Cut(local, "_")
	i, err := strconv.Atoi(number[strings.LastIndexByte(number, '.')+1:])
	if err != nil || i < 0 || i >= c.Size() {
		return 0, false
	}
	return i, strings.EqualFold(c.nameOf(i, c.profile(i).kind).local, local)
}

func accountName(i int) string {
	digits := strconv.Itoa(i)
	return "u" + "0000000"[:max(0, 7-len(digits))] + digits
}

// byAccountName returns the person with a sAMAccountName. The comparison ignores letter case.
func (c *Company) byAccountName(sam string) (int, bool) {
	if len(sam) < 8 {
		return 0, false
	}
	i, err := strconv.Atoi(sam[1:])
	if err != nil || i < 0 || i >= c.Size() {
		return 0, false
	}
	return i, strings.EqualFold(sam, accountName(i))
}
