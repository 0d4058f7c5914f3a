package page

import "github.com/idleseat/idleseat/shared/story"

// englishRemedies adds to english what resolves a reason. The sentences are those of a person's story.
func englishRemedies() map[string]string {
	for _, key := range story.Remedies() {
		english["remedy."+key] = story.RemedyWords(key)
	}
	return english
}

// swedishRemedies adds to swedish what resolves a reason.
func swedishRemedies() map[string]string {
	for key, text := range inSwedish {
		swedish["remedy."+key] = text
	}
	return swedish
}

var inSwedish = map[string]string{
	"ledger":        "Hämta tillbaka det nämnda objektet i liggaren från en tidigare version eller en säkerhetskopia.",
	"leftOut":       "Ingenting: nästa plan tar upp det igen, och planen som valet gjordes ur har det kvar.",
	"fresh":         "Planera igen: nyare data avgör.",
	"agent":         "Fråga den som driver agenten, och ta licensen för hand om ingen behöver den: inga data avgör det.",
	"rights":        "Ge idleseats konto rätt att läsa attributet.",
	"outOfScope":    "Flytta kontot till den del av Active Directory som idleseat läser, eller radera det som är kvar av det i Entra ID.",
	"join":          "Rätta kontona, så att ett i varje katalog hör till personen och båda pekar på varandra.",
	"memory":        "Vänta på nästa körning, som jämför med den här.",
	"future":        "Ställ klockan som skrev datumet rätt, och vänta på nästa inloggning.",
	"dates":         "Vänta på ett nyare datum; om datumen är rätt, planera med --accept-feeds.",
	"feed":          "Ta reda på varför källans datum inte är friska, och planera igen.",
	"horizon":       "Fråga efter färre dagar än rapporten når tillbaka, och skriv i regeln vad som gäller för personer utan datum.",
	"reportDay":     "Planera igen när en nyare rapport finns, eller ge regeln fler dagar.",
	"report":        "Planera igen om tre dagar; se till att organisationens rapporter visar namn och att personen har en licens för tjänsten.",
	"untold":        "Ge kontot det som mejlet behöver, eller ta bort notice ur en regel för sådana konton.",
	"perhapsTold":   "Inget: ändringen meddelas igen; se efter varför postlådan inte svarade.",
	"group":         "Låt idleseat läsa gruppen, eller rätta dess namn i policyn.",
	"heldSince":     "Tilldela licensen igen, så att datumet är känt, eller ta bort grace.newHolder.",
	"sidOfGroup":    "Uppdatera reläet, eller planera igen när Active Directory kan läsas.",
	"account":       "Inget, om personen inte behöver ett konto där; eller låt regeln bara fråga personer som har ett.",
	"source":        "Planera igen när katalogen kan läsas; `idleseat run` och rapporten säger vad som gick fel.",
	"empty":         "Fyll i värdet i katalogen, eller skriv i regeln vad som gäller utan det.",
	"compute":       "Rätta regelns villkor.",
	"pending":       "Avsluta det som den tidigare körningen påbörjade.",
	"cooling":       "Inget: det upphör av sig självt.",
	"superseded":    "Inget: regeln som kommer först bestämmer över licensen.",
	"announced":     "Inget: licensen tas den dag som meddelats, om personen inte är aktiv innan dess.",
	"firstReading":  "Inget: en läsning en annan dag bekräftar det; en operatör kan planera och genomföra det i dag.",
	"setback":       "Åtgärda det som katalogen svarade; `idleseat reevaluate` försöker genast igen.",
	"notBack":       "Ge tillbaka den för hand med `idleseat restore`, om personen behöver den.",
	"seats":         "Köp platser, eller frigör några först.",
	"mailboxSize":   "Låt idleseat läsa rapporten över brevlådornas användning, med synliga namn.",
	"mailboxKind":   "Låt den vara: brevlådans licens finns av ett annat skäl än inloggning.",
	"mailbox":       "Arkivera eller flytta brevlådan först, eller välj en licens som täcker den.",
	"plans":         "Välj en produkt som har tjänstplanerna, eller ta bort dem ur policyn.",
	"usageLocation": "Ange kontots användningsplats.",
	"grants":        "Låt gruppen ge bara den här produkten, eller nämn produkten i policyn.",
	"severalWays":   "Låt personen ha licensen på bara ett sätt.",
	"synced":        "Nämn den grupp i Active Directory som licensen kommer från, och se till att Entra Connect synkroniserar den.",
	"otherGroup":    "Nämn i policyn den grupp som ger licensen.",
	"lockedGroup":   "Ge licensen genom en grupp som idleseat får ändra, eller ta den för hand.",
	"nested":        "Ta personen ur den mellanliggande gruppen för hand.",
	"twin":          "Ta bort tilldelningen av den andra licensen som saknar delar, eller låt båda vara.",
}
