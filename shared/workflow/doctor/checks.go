package doctor

// Names of checks that other code refers to.
const (
	aPolicy     = "policy"
	aSignIn     = "sign-in"
	aGraph      = "Graph"
	controllers = "controllers"
	adPeople    = "people of Active Directory"
	theStore    = "store"
	awsSignIn   = "AWS sign-in"
	permissions = "permissions"
)

var checks = []check{
	{name: aPolicy, run: checkPolicy},
	{name: aSignIn, run: checkSignIn},
	{name: permissions, needs: []string{aSignIn}, run: checkPermissions},
	{name: aGraph, needs: []string{aSignIn}, run: checkGraph},
	{name: "sign-in dates", needs: []string{aGraph}, run: checkSignInDates},
	{name: "products", needs: []string{aPolicy, aGraph}, run: checkProducts},
	{name: "groups", needs: []string{aPolicy, aGraph}, run: checkGroups},
	{name: "names", needs: []string{aPolicy, aGraph}, run: checkNames},
	{name: "mailbox report", needs: []string{aPolicy, aGraph}, run: checkMailboxes},
	{name: "usage reports", needs: []string{aPolicy, aGraph}, run: checkUsage},
	{name: "mailboxes after the change", needs: []string{aPolicy}, run: checkDelicensing},
	{name: "mails", needs: []string{aPolicy, aGraph}, run: checkMails},
	{name: controllers, run: checkControllers},
	{name: adPeople, needs: []string{controllers}, run: checkADPeople},
	{name: "last logon", needs: []string{adPeople}, run: checkLastLogon},
	{name: "groups of Active Directory", needs: []string{aPolicy, controllers}, run: checkADGroups},
	{name: theStore, run: checkStore},
	{name: "conditional writes", needs: []string{theStore}, run: checkConditional},
	{name: "last run", needs: []string{theStore}, run: checkLastRun},
	{name: "channel", run: checkChannel},
}
