package words

import (
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

var swedish = tongue{
	quote: "”%s”", and: " och ", or: " eller ", both: " och ",
	code: "villkoret `%s` gäller", notCode: "villkoret `!(%s)` gäller",
	always: "detta gäller i samtliga fall", never: "detta gäller i inget fall",
	choose: "om %s: %s; annars: %s",

	nothing: "%s saknar värde", something: "%s har ett värde",
	same: "%s är %s", other: "%s har ett annat värde än %s",
	oneOf: "%s är något av %s", noneOf: "%s har ett annat värde än %s",
	orNone:      "%s eller saknar värde",
	oneOfOrNone: "%s är något av %s eller saknar värde",
	begins:      "%s börjar med %s", notBegins: "%s har ett värde som inte börjar med %s",
	ends: "%s slutar med %s", notEnds: "%s har ett värde som inte slutar med %s",
	contains: "%s innehåller %s", notContains: "%s har ett värde som inte innehåller %s",
	matches: "%s följer mönstret %s", notMatches: "%s har ett värde som inte följer mönstret %s",

	isMember:    "personen är med i gruppen %s i %s, direkt eller genom en annan grupp",
	notMember:   "personen står utanför gruppen %s i %s",
	directories: map[string]string{"entra": "Entra ID", "ad": "Active Directory"},
	in:          "%s i %s", named: "%s (%s)",
	latest: "%s (det senaste i %s)", latestOf: "det senaste av %s",

	days: [2]string{"%s dag", "%s dagar"}, hours: [2]string{"%s timme", "%s timmar"},
	minutes: [2]string{"%s minut", "%s minuter"}, seconds: [2]string{"%s sekund", "%s sekunder"},
	now: "nu",
	months: [12]string{"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september",
		"oktober", "november", "december"},
	instant: "%[1]d %[2]s %[3]d kl. %[4]s UTC",

	happened: "skedde", was: "inföll", lies: "infaller",
	ago: comparison{"%s %s för mer än %s sedan", "%s %s för minst %s sedan", "%s %s för mindre än %s sedan",
		"%s %s för högst %s sedan", "%s %s för exakt %s sedan", "%s %s för mer eller mindre än %s sedan"},
	orAhead: "%s eller ligger i framtiden",
	fromNow: comparison{"%s %s tidigare än %s från nu", "%s %s senast %s från nu", "%s %s senare än %s från nu",
		"%s %s tidigast %s från nu", "%s %s exakt %s från nu", "%s %s tidigare eller senare än %s från nu"},
	atNow: comparison{"%s %s före nu", "%s %s senast nu", "%s %s efter nu", "%s %s tidigast nu",
		"%s %s exakt nu", "%s %s före eller efter nu"},
	at: comparison{"%s %s före %s", "%s %s senast %s", "%s %s efter %s", "%s %s tidigast %s",
		"%s %s exakt %s", "%s %s före eller efter %s"},
	after: "%s efter %s", before: "%s före %s",
	noDate: "%s saknar datum", hasDate: "%s har ett datum",
	noDates: "datum saknas för samtliga av %s", hasDates: "det finns ett datum för minst ett av %s",

	heads: struct{ licenses, rules, leftOut, grace, limits, notes string }{"Licenser", "Regler", "Ingen regel berör", "Respit", "Gränser", "För varje regel"},
	rule: ruleWords{
		take: "En person som har %s förlorar den om %s.", change: "En person som har %s flyttas till %s om %s.",
		asks:   "Regeln gäller bara personer för vilka detta är sant: %s.",
		notice: "Ändringen meddelas %s innan den görs.",
		back:   "En person som är aktiv igen får tillbaka %s vid nästa körning.",
		listed: "En person som är aktiv igen visas i planen, och en operatör kan återställa licensen.",
		mail:   "Ändringen får lämna en postlåda utan licens.",
	},
	whole: policyWords{
		tenant: "Policyn gäller klientorganisationen %s.",
		modes: map[policy.Mode]string{
			policy.Audit:   "Planer görs, men ingenting ändras (läge audit).",
			policy.Review:  "En plan utförs när en operatör har godkänt den (läge review).",
			policy.Enforce: "Schemat utför sina planer utan godkännande (läge enforce).",
		},
		product: "Det är produkten %s.", member: "Det är medlemskap i gruppen %s i %s.",
		byGroup: "Den ges av gruppen %s i %s.", price: "En plats kostar %s %s i månaden.",
		renewsOn:      "Avtalet förnyas den %d %s %d, och en ledig plats sparar ingenting dessförinnan.",
		renewsYearly:  "Avtalet förnyas varje år den %d %s, och en ledig plats sparar ingenting dessförinnan.",
		renewsMonthly: "Avtalet förnyas den första dagen i varje månad.",
		keepSeats:     "%s platser hålls lediga för andra personer.",
		quota:         "Postlådan rymmer högst %s GB, och en person vars postlåda inte får plats ändras inte.",
		needs:         "Den måste innehålla dessa tjänsteplaner: %s.",
		models: map[policy.Model]string{
			"":                "Det är okänt om en plats blir ledig när en person lämnar gruppen, så ingenting räknas som sparat.",
			policy.PerUser:    "En plats blir ledig när en person lämnar gruppen.",
			policy.PerDevice:  "Platserna räknas per enhet, så ingenting räknas som sparat.",
			policy.Concurrent: "Platserna räknas per samtidig session, så ingenting räknas som sparat.",
		},
		anchor: "Entra Connect kopplar ihop konton med attributet %s.",
		user:   "%s", group: "alla i gruppen %s i %s, direkt eller genom en annan grupp",
		leave: "%s till %s", reason: "%s (%s)", when: "alla för vilka detta är sant: %s", endOf: "slutet av %d %s %d",
		allKinds: "inget konto på grund av sitt slag", onlyKind: "konton av dessa slag: %s",
		kinds: map[string]string{
			directory.KindPerson: "personer", directory.KindGuest: "gäster", directory.KindAgent: "programvaruagenter",
			directory.KindShared: "delade postlådor", directory.KindRoom: "rum", directory.KindEquipment: "utrustning",
			directory.KindService: "tjänster", directory.KindUnknown: "okända slag",
		},
		neverUsed:    "Ett konto som aldrig har använts lämnas i fred i %s efter att det skapades.",
		holder:       "En person lämnas i fred i %s efter att ha fått licensen.",
		enabledAgain: "En person lämnas i fred i %s efter att kontot aktiverades igen.",
		stop:         "En körning stoppas när en regel träffar mer än %s procent av dem som har licensen (och minst tio av dem), eller fler än %s.",
		everyone:     "Den stoppas också när en regel träffar samtliga av tre eller fler som har licensen.",
		perRun:       "En körning gör högst %s ändringar, och börjar med dem som har varit inaktiva längst.",
		notes: []string{
			"Det som inte har lästs är okänt, och ingen förlorar en licens på grund av något okänt.",
			"Stora och små bokstäver räknas som lika när texter jämförs.",
			"En text utan värde räknas inte som olik en annan text.",
			"Den första regeln om en licens avgör.",
		},
	},
}
