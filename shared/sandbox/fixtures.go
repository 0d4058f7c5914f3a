package sandbox

// The type "fixture" is one of the first people of every company, so that even the smallest company has every kind of
// person. The demo policy (Sandbox.Policy) says that person 1, Anna, is on leave.
type fixture struct {
	profile
	given, surname, local string // local: the part of the UPN before the @
}

// The variable "fixtures" has the people 0 to 19. Some names have characters that code must escape.
var fixtures = [20]fixture{
	{profile{kind: CloudOnly, activity: Never, hold: holdE3Direct}, "Break", "Glass", "breakglass"},
	{profile{kind: Synced, activity: Idle, logon: Idle, hold: holdE3, citrix: true}, "Anna", "Lindqvist", "anna"},
	{profile{kind: Synced, activity: Idle, logon: Idle, hold: holdE3, citrix: true}, "Ingrid", "Halvorsen", "ingrid.halvorsen.2"},
	{profile{kind: Synced, activity: Never, logon: Never, hold: holdE3, citrix: true}, "Nuno", "Vaz", "nuno.vaz.3"},
	{profile{kind: Synced, activity: New, logon: New, hold: holdE3, citrix: true}, "Nora", "Neumann", "nora.neumann.4"},
	{profile{kind: Synced, activity: Idle, logon: Idle, hold: holdE3, role: disabled}, "Dieter", "Aus", "dieter.aus.5"},
	{profile{kind: Guest, activity: Idle, hold: holdE3Direct}, "Gina", "Visitor", "gina.visitor.6_fabrikam.example#EXT#"},
	{profile{kind: SharedMailbox, activity: Never, hold: holdExchangeDirect}, "Info", "Desk", "info.desk.7"},
	{profile{kind: ADOnly, logon: Active, citrix: true}, "Olaf", "Onprem", "olaf.onprem.8"},
	{profile{kind: CloudOnly, activity: Active, hold: holdE3Twice}, "Clara", "Cloud", "clara.cloud.9"},
	{profile{kind: NoADAccount, activity: Active, hold: holdE3}, "Nils", "Missing", "nils.missing.10"},
	{profile{kind: WrongAnchor, activity: Active, logon: Idle, hold: holdE3, citrix: true}, "Wanda", "Twin", "wanda.twin.11"},
	{profile{kind: Synced, activity: Active, logon: Idle, hold: holdE3Direct, citrix: true, anchored: true}, "Mia", "Grated", "mia.grated.12"},
	{profile{kind: Synced, activity: Active, logon: Active, hold: holdSuite, role: exempt, citrix: true}, "Kim", "Larsen", "kim.larsen.13"},
	{profile{kind: Synced, activity: Recent, logon: Recent, hold: holdE3Synced, citrix: true}, "Kim", "Larsen", "kim.larsen.14"},
	{profile{kind: Synced, activity: Active, logon: Active, hold: holdE3Dynamic, citrix: true}, `Pat "Paddy", <b>`, `O'Brien; & Sons+Co=\`, "pat.o'brien.15"},
	{profile{kind: Synced, activity: Idle, logon: Active, hold: holdE3}, `=cmd|'/C calc'!A1`, `@SUM(1+1)`, "formula.16"},
	{profile{kind: Synced, activity: Idle, logon: Active, hold: holdE3Direct}, "\u202eليلى", "الزهراء", "layla.alzahra.17"},
	{profile{kind: Synced, activity: OnLeave, logon: Active, hold: holdE3}, "美咲", "山田 🌸", "misaki.yamada.18"},
	{profile{kind: Synced, activity: Idle, logon: Active, hold: holdE3, role: contractor, citrix: true, nested: true}, "Cora", "Tractor", "cora.tractor.19"},
}
