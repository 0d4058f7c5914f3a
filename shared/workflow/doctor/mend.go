package doctor

import (
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
)

// graphAPI is the application id of Microsoft Graph in every tenant (Microsoft Learn, "Verify first-party Microsoft
// applications in sign-in reports").
const graphAPI = "00000003-0000-0000-c000-000000000000"

// The function "literal" returns text as one word of PowerShell.
func literal(text string) string { return plain.Literal(plain.Line(text)) }

// The function "word" returns text as one word of a POSIX shell.
func word(text string) string { return plain.Word(plain.Line(text)) }

func same(do, command string) *Mend { return &Mend{Do: do, Bash: command, PowerShell: command} }

func (e *exam) again() *Mend {
	return e.command("Run it again; if it stays so, look whether the network or a firewall keeps the answer back.", "doctor", "")
}

func setVariable(name, value string) (bash, powershell string) {
	return "export " + name + "=" + word(value), "$env:" + name + " = " + literal(value)
}

func setTo(do, name, value string) *Mend {
	m := &Mend{Do: do}
	m.Bash, m.PowerShell = setVariable(name, value)
	return m
}

func grantRole(do, application string, permissions ...string) *Mend {
	m := &Mend{Do: do}
	bash, powershell := `"$AZURE_CLIENT_ID"`, `"$env:AZURE_CLIENT_ID"`
	if application != "" {
		bash, powershell = word(application), literal(application)
	}
	for _, p := range permissions {
		role := ` --api ` + graphAPI + ` --api-permissions "$(az ad sp show --id ` + graphAPI + ` --query "appRoles[?value=='` + p + `'].id" --output tsv)=Role"`
		m.Bash += "az ad app permission add --id " + bash + role + "\n"
		m.PowerShell += "az ad app permission add --id " + powershell + role + "\n"
	}
	m.Bash += "az ad app permission admin-consent --id " + bash
	m.PowerShell += "az ad app permission admin-consent --id " + powershell
	return m
}

// graphWrite returns a Mend that writes to Graph as an administrator. The parameter "body" is JSON. The parameter
// "hash" is the same value as a PowerShell hash table, because Windows PowerShell loses the quotation marks in a JSON
// argument.
func graphWrite(do, scope, method, path, body, hash string) *Mend {
	url := "https://graph.microsoft.com/v1.0" + path
	return &Mend{
		Do:   do,
		Bash: "az rest --method " + method + " --url " + word(url) + " --body " + word(body),
		PowerShell: "Connect-MgGraph -Scopes " + literal(scope) + "\n" +
			"Invoke-MgGraphRequest -Method " + strings.ToUpper(method) + " -Uri " + literal(url) + " -Body (" + hash + " | ConvertTo-Json -Depth 4) -ContentType 'application/json'",
	}
}

// The function "read" returns a Mend whose command shows facts from Graph. The parameter "query" is a JMESPath
// expression.
func read(do, path, query string) *Mend {
	return same(do, "az rest --method get --url "+quoted("https://graph.microsoft.com/v1.0"+path)+" --query "+quoted(query)+" --output tsv")
}

// The function "quoted" returns text in double quotation marks, for both shells. The text must not have characters
// that are special between them.
func quoted(text string) string { return `"` + text + `"` }

func (e *exam) edit(do string) *Mend {
	return &Mend{Do: do, Bash: `"${EDITOR:-vi}" ` + word(e.PolicyFile), PowerShell: "notepad " + literal(e.PolicyFile)}
}
