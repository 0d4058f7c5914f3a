package sandbox

import ("testing";"time";"net/http";"io";"encoding/json";"os";"strings";"github.com/go-ldap/ldap/v3";"syscall")

func cpu() time.Duration { var r syscall.Rusage; syscall.Getrusage(0,&r); return time.Duration(r.Utime.Nano()+r.Stime.Nano()) }
func TestMillion(t *testing.T) {
	b0 := time.Now()
	s, conn := bound(t, Options{Users: 1000000})
	t.Log("start", time.Since(b0))
	link := s.GraphURL+"/users?$top=500&$select="+everything
	n, pages := 0, 0
	b0 = time.Now(); c0 := cpu()
	for link != "" {
		resp, err := http.Get(link); if err != nil { t.Fatal(err) }
		b, _ := io.ReadAll(resp.Body); resp.Body.Close()
		pages++; n += strings.Count(string(b), `"userPrincipalName"`)
		i := strings.LastIndex(string(b), `"@odata.nextLink":`)
		if i < 0 { break }
		var l string
		if err := json.Unmarshal(b[i+len(`"@odata.nextLink":`):len(b)-1], &l); err != nil { t.Fatal(err) }
		link = l
	}
	t.Log("graph", n, pages, time.Since(b0), "cpu", cpu()-c0)
	b0 = time.Now(); c0 = cpu()
	link = s.GraphURL+"/groups/"+groups[groupE3].id+"/members?$top=999&$select=id,onPremisesSecurityIdentifier"
	for n = 0; ; {
		resp, err := http.Get(link); if err != nil { t.Fatal(err) }
		var page struct { Next string `json:"@odata.nextLink"`; Value []struct{} }
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil { t.Fatal(err) }
		resp.Body.Close()
		n += len(page.Value)
		if link = page.Next; link == "" { break }
	}
	t.Log("members", n, time.Since(b0), "cpu", cpu()-c0)
	b0 = time.Now(); c0 = cpu()
	r := request(s.Base, ldap.ScopeWholeSubtree, peopleFilter, "objectSid","objectGUID","mS-DS-ConsistencyGuid","sAMAccountName","userPrincipalName","displayName","mail","department","employeeType","lastLogonTimestamp","whenCreated","userAccountControl","extensionAttribute1")
	p := ldap.NewControlPaging(1000); r.Controls = []ldap.Control{p}
	for n = 0; ; {
		got, err := conn.Search(r); if err != nil { t.Fatal(err) }
		n += len(got.Entries)
		c, _ := ldap.FindControl(got.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if len(c.Cookie) == 0 { break }
		p.SetCookie(c.Cookie)
	}
	t.Log("ldap", n, time.Since(b0), "cpu", cpu()-c0)
	b, _ := os.ReadFile("/proc/self/status"); for _, l := range strings.Split(string(b),"\n") { if strings.HasPrefix(l,"VmHWM") { t.Log(l) } }
}
