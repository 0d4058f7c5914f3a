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
	"ledger":        "Återställ den filen från en tidigare version eller en säkerhetskopia.",
	"leftOut":       "Ingenting: nästa plan tar upp det igen, och planen som valet gjordes ur har det kvar.",
	"fresh":         "Planera igen: nyare data avgör.",
	"agent":         "Fråga agentens ägare om den behöver licensen. Ta annars bort den för hand; idleseat kan inte avgöra det av data.",
	"rights":        "Ge idleseats konto rätt att läsa attributet.",
	"outOfScope":    "Kontrollera först om kontot finns i Active Directory. Om det finns, utöka den del som idleseat läser. Bara om det har raderats där ska resten i Entra ID tas bort.",
	"join":          "Rätta kontona, så att ett i varje katalog hör till personen och båda pekar på varandra.",
	"memory":        "Vänta på nästa körning, som jämför med den här.",
	"future":        "Rapportera det till dem som sköter katalogen; nästa riktiga inloggning rättar det.",
	"dates":         "Vänta på ett nyare datum; om datumen är rätt, planera med --accept-feeds.",
	"reportUnread":  "Ta reda på varför användningsrapporten inte lästes, och planera igen; körningens rapport säger vad som gick fel.",
	"controller":    "Gör en domänkontrollant nåbar, och planera igen.",
	"feed":          "Ta reda på varför dessa data saknas eller har upphört, och planera igen.",
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
	"undated":       "Skriv i regeln vad som gäller utan ett datum.",
	"compute":       "Rätta regelns villkor.",
	"pending":       "Avsluta det som den tidigare körningen påbörjade.",
	"cooling":       "Inget: det upphör av sig självt.",
	"superseded":    "Inget: regeln som kommer först bestämmer över licensen.",
	"announced":     "Inget: licensen tas den dag som meddelats, om personen inte är aktiv innan dess.",
	"firstReading":  "Inget; det blir aktuellt när en läsning en annan dag visar detsamma. En operatör kan genomföra det i dag.",
	"setback":       "Åtgärda det som katalogen svarade; `idleseat reevaluate` försöker genast igen.",
	"notBack":       "Ge tillbaka den för hand med `idleseat restore`, om personen behöver den.",
	"seats":         "Köp platser, eller frigör några först.",
	"mailboxSize":   "Låt idleseat läsa rapporten över brevlådornas användning, med synliga namn.",
	"mailboxKind":   "Låt den vara: brevlådans licens finns av ett annat skäl än inloggning.",
	"mailbox":       "Arkivera eller flytta brevlådan först, eller välj en licens som täcker den.",
	"plans":         "Välj en produkt som har tjänstplanerna, eller ta bort dem ur policyn.",
	"usageLocation": "Ange kontots användningsplats.",
	"grants":        "Låt gruppen ge bara den här produkten, eller nämn produkten i policyn.",
	"severalWays":   "Ta bort den direkta tilldelningen eller gruppmedlemskap tills bara ett av dem ger licensen.",
	"synced":        "Nämn den grupp i Active Directory som licensen kommer från, och se till att Entra Connect synkroniserar den.",
	"otherGroup":    "Nämn i policyn den grupp som ger licensen, eller ge licensen genom den grupp som policyn nämner.",
	"dynamicGroup":  "Ändra gruppens medlemskapsregel, eller ge licensen genom en grupp som idleseat får ändra.",
	"hiddenGroup":   "Ge applikationen behörigheten Member.Read.Hidden, eller ge licensen genom en grupp som visar sina medlemmar.",
	"lockedGroup":   "Ge licensen genom en grupp som idleseat får ändra, eller ta den för hand.",
	"nested":        "Ta personen ur den mellanliggande gruppen för hand.",
	"twin":          "Ta bort tilldelningen av den andra licensen som saknar delar, eller låt båda vara.",
}
