package weather

import "slices"

// Kind is a kind of fault. Its text is in the output of command nights.
type Kind string

// Faults of all answers of Graph, to reads and to writes.
const (
	// Simulated seconds pass before the request is carried out.
	GraphSlow Kind = "graph: slow"
	// Status 429 with Retry-After in seconds (docs-contrib: concepts/throttling.md), sometimes too long for the client
	// to wait.
	GraphThrottled Kind = "graph: throttled"
	// Status 429 with Retry-After as a date (RFC 9110, section 10.2.3, allows both forms).
	GraphThrottledUntil Kind = "graph: throttled until a date"
	// The answer has Graph's error form, a page of HTML (OneDrive/onedrive-api-docs#697), or no body. With status 503,
	// it may also have Retry-After (docs-contrib: concepts/errors.md).
	Graph500 Kind = "graph: 500"
	Graph502 Kind = "graph: 502"
	Graph503 Kind = "graph: 503"
	Graph504 Kind = "graph: 504"
	// The connection is closed before the request is carried out.
	GraphReset Kind = "graph: reset"
	// No answer comes for minutes. Then the connection is closed. A write may have been carried out.
	GraphStalled Kind = "graph: stalled"
	// Status 401 for a token that was valid a moment ago (msgraph-sdk-dotnet-core#222, mail-archiver#267).
	GraphToken Kind = "graph: token expired"
)

// GraphAnswerLost carries out a write but answers with status 504, with a part of the body, or not at all. Clients
// have recorded "already exists" and "do not exist" as the answers to the repeated write
// (terraform-provider-azuread#578).
const GraphAnswerLost Kind = "graph: answer lost"

// Faults of the body of the answer to a read.
const (
	GraphCutLength Kind = "graph: body shorter than its length"
	GraphCutChunks Kind = "graph: chunks cut off"
	// The HTTP answer is complete, but its JSON is not. The JSON may end right after an entry.
	GraphCutJSON Kind = "graph: JSON cut"
	// Status 200 with a page of HTML, as a proxy or the login of a portal sends. Graph itself has sent markup with
	// status 200 (microsoft-graph-docs#12951).
	GraphHTML Kind = "graph: HTML with 200"
)

// Faults of a list.
const (
	// A page of a list comes twice. The next link of the first copy leads to the second copy, which has a different
	// address.
	GraphPageTwice Kind = "graph: page twice"
	// One to three entries of a page are listed twice (microsoft-graph-docs#5363). In msgraph-sdk-powershell#1198, the
	// last entry of a page was also the first entry of the next page.
	GraphEntryTwice Kind = "graph: entry twice"
	// The order of the entries differs. Graph promises no order without $orderby.
	GraphShuffled Kind = "graph: other order"
	// The next link of a page is the address of the page itself, so a client never reaches the last page
	// (microsoft-graph-docs#2635, #9008).
	GraphLinkBack Kind = "graph: link leads back"
	// An empty page has a next link. A page may have fewer entries than requested, even none (docs-contrib:
	// concepts/paging.md).
	GraphEmptyPage Kind = "graph: empty page"
)

// Faults that last for the whole night.
const (
	// signInActivity is missing for some people or for all people (msgraph-sdk-powershell#1898, #2141; azure-docs#59529).
	GraphDatesLost    Kind = "graph: sign-in dates lost"
	GraphAllDatesLost Kind = "graph: all sign-in dates lost"
	// signInActivity is older than in earlier nights. In msgraph-sdk-powershell#1665, answers about 10 to 20 % of the
	// people alternated between two dates two weeks apart. In microsoft-graph-docs#12358, a date was one day old.
	GraphDatesOlder Kind = "graph: older sign-in dates"
	// A selected property is missing for some people (in microsoft-graph-explorer-v4#3584, on later pages). The weather
	// never removes text that rules read, such as department, because the answer would equal the correct answer about a
	// person without a department.
	GraphPropertyLost Kind = "graph: property lost"
	// People are missing from the list of users, or from lists of members, for the whole night. Lists come from
	// replicas that lag by minutes (terraform-provider-azuread#283, #793). A lag of a whole night is an exaggeration:
	// no source reports one.
	GraphPeopleMissing  Kind = "graph: people missing"
	GraphMembersMissing Kind = "graph: members missing"
	// Status 403 for some of the granted reads, because consent was withdrawn or a license has expired.
	GraphDatesDenied   Kind = "graph: sign-in dates denied"
	GraphMembersDenied Kind = "graph: members of a group denied"
	GraphSKUsDenied    Kind = "graph: subscriptions denied"
	GraphReportsDenied Kind = "graph: reports denied"
	// The header Date of the answers differs from the clock of the tool by minutes to days.
	GraphClock Kind = "graph: clock"
)

// Faults of Active Directory. The result codes are from RFC 4511, appendix A.2.
const (
	// Simulated seconds pass before the operation is carried out.
	LDAPSlow Kind = "ldap: slow"
	// The connections break before (LDAPDropped) or after (LDAPAnswerLost) the operation is carried out, as when a
	// controller restarts.
	LDAPDropped    Kind = "ldap: dropped"
	LDAPAnswerLost Kind = "ldap: answer lost"
	// A controller under load returns these result codes: busy (51), unavailable (52), timeLimitExceeded (3;
	// node-LDAP#109) and adminLimitExceeded (11; SSSD#22).
	LDAPBusy        Kind = "ldap: busy"
	LDAPUnavailable Kind = "ldap: unavailable"
	LDAPTimeLimit   Kind = "ldap: time limit"
	LDAPAdminLimit  Kind = "ldap: admin limit"
	// The answer has some of the entries and then sizeLimitExceeded (4) without a cookie (passcore#74).
	LDAPSizeLimit Kind = "ldap: size limit"
	// The result is referral (10), because the search reached a controller of a domain that does not have the base
	// (node-ldapjs#262, impacket#788).
	LDAPReferral Kind = "ldap: referral"
	// An entry comes twice, because an object that moves during a search is found again.
	LDAPEntryTwice Kind = "ldap: entry twice"
	LDAPShuffled   Kind = "ldap: other order"
	// For one night, the account of the tool may not read lastLogonTimestamp and lastLogon of some people or of all
	// people, as with AdminSDHolder and disabled inheritance.
	LDAPDatesHidden    Kind = "ldap: logon dates hidden"
	LDAPAllDatesHidden Kind = "ldap: all logon dates hidden"
	// The controller lags: its lastLogonTimestamp is older than the value of another controller on an earlier night.
	LDAPDatesOlder Kind = "ldap: older logon dates"
	// currentTime of the rootDSE differs from the clock of the tool by minutes to days.
	LDAPClock Kind = "ldap: clock"
)

// Faults of the store. No fault delays a written object, because S3 has been strongly consistent since December 2020
// (AWS: Amazon S3 data consistency model), and folders are consistent too.
const (
	StoreSlow Kind = "store: slow"
	// Status 503 SlowDown for longer than the SDK retries (AWS: best practices for S3).
	StoreThrottled Kind = "store: throttled"
	// The operation fails and has no effect.
	StoreFailed Kind = "store: failed"
	// The write succeeds but returns an error, because the answer was lost or the last fsync of a folder failed. With
	// S3, the SDK may also repeat a successful write and get status 412. If it then cannot read the object to compare
	// the content, the write fails, too.
	StoreAnswerLost Kind = "store: answer lost"
	// The body ends before the announced length, with an error (aws-sdk-go#1242, #4510). No source reports an object
	// that was cut without an error.
	StoreBodyCut Kind = "store: body cut"
	// A later page of a listing fails (aws-sdk-go-v2#1717).
	StoreListCut Kind = "store: listing cut"
)

// The kinds of faults, in one list for each sort of operation. At most one kind of a list affects an operation, but
// several kinds of graphPeople or ldapPeople can affect one answer. A list whose name ends with Kinds only combines
// other lists.
var (
	graphBefore = []Kind{GraphSlow, GraphThrottled, GraphThrottledUntil, Graph500, Graph502, Graph503, Graph504, GraphReset, GraphStalled, GraphToken}
	graphWrites = append([]Kind{GraphAnswerLost}, graphBefore...)
	graphBodies = []Kind{GraphCutLength, GraphCutChunks, GraphCutJSON, GraphHTML}
	graphLists  = []Kind{GraphPageTwice, GraphEntryTwice, GraphShuffled, GraphLinkBack, GraphEmptyPage}
	graphDenied = []Kind{GraphDatesDenied, GraphMembersDenied, GraphSKUsDenied, GraphReportsDenied}
	graphPeople = []Kind{GraphDatesLost, GraphAllDatesLost, GraphDatesOlder, GraphPropertyLost, GraphPeopleMissing, GraphMembersMissing}
	graphDrawn  = slices.Concat(graphWrites, graphBodies, graphLists, graphDenied, graphPeople, []Kind{GraphClock})
	graphUsers  = slices.Concat(graphPeople, graphSpells)
	graphKinds  = slices.Concat(graphDrawn, graphSpells)

	ldapBefore   = []Kind{LDAPSlow, LDAPDropped, LDAPAnswerLost, LDAPBusy, LDAPUnavailable}
	ldapSingles  = append([]Kind{LDAPTimeLimit, LDAPAdminLimit}, ldapBefore...) // for a search for one object by its DN
	ldapSearches = append([]Kind{LDAPSizeLimit, LDAPReferral, LDAPEntryTwice, LDAPShuffled}, ldapSingles...)
	ldapPeople   = []Kind{LDAPDatesHidden, LDAPAllDatesHidden, LDAPDatesOlder}
	ldapKinds    = slices.Concat(ldapSearches, ldapPeople, []Kind{LDAPClock})

	storeAny    = []Kind{StoreSlow, StoreThrottled, StoreFailed}
	storeWrites = append([]Kind{StoreAnswerLost}, storeAny...)
	storeReads  = append([]Kind{StoreBodyCut}, storeAny...)
	storeLists  = append([]Kind{StoreListCut}, storeAny...)
	storeKinds  = append([]Kind{StoreBodyCut, StoreListCut}, storeWrites...)

	allKinds = slices.Concat(graphDrawn, ldapKinds, storeKinds)
)

// Kinds returns all kinds of faults that the method Plan draws. A spell comes in other nights; see Spell.
func Kinds() []Kind { return slices.Clone(allKinds) }
