package endtoend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
)

// Canaries: names of a person and of a group that no error may contain.
const (
	canaryName  = "Canary Vogel"
	canaryUPN   = "canary.vogel@contoso.example"
	canaryGroup = "Canary Club of Vogel"
	canaryDN    = "CN=Canary Vogel,OU=People,DC=corp,DC=example,DC=test"
	canaries    = canaryName + " " + canaryUPN + " '" + canaryGroup + "' " + canaryDN + ` CORP\canary.vogel`
)

type payload struct {
	function, op string
	body         []byte
}

// The function "recorded" runs a night, an approval, a restore and a run for one person. It returns the rig, and the
// payload of the first call of each operation of each function. It adds payloads of the operation "hold" and of the
// function reevaluate, which these executions do not call.
func recorded(t *testing.T) (*rig, []payload) {
	small := company
	small.Users = 60
	var calls []payload
	var r *rig
	r = newRig(t, options{company: small, mode: "review", broken: func(function string, body []byte) *states.Failure {
		var of struct{ Op string }
		_ = json.Unmarshal(body, &of) // for evaluate, Op stays empty
		r.mu.Lock()
		defer r.mu.Unlock()
		if !slices.ContainsFunc(calls, func(p payload) bool { return p.function == function && p.op == of.Op }) {
			calls = append(calls, payload{function, of.Op, slices.Clone(body)})
		}
		return nil
	}})
	out, failure := r.run(nightly)
	for _, input := range []string{`{"apply":"RUN","planHash":"HASH"}`, `{"restore":"RUN"}`, `{"user":"` + r.box.Company.Person(3).Entra.UserPrincipalName + `"}`} {
		if failure != nil {
			t.Fatal(failure)
		}
		r.longAgo()
		_, failure = r.run(strings.NewReplacer("RUN", out["run"].(string), "HASH", out["planHash"].(string)).Replace(input))
	}
	if failure != nil {
		t.Fatal(failure)
	}
	for _, p := range calls {
		if p.op == "gate" {
			hold := strings.Replace(string(p.body), `"op":"gate"`, `"op":"hold","failure":{"Error":"E","Cause":"of \"`+canaryName+`\""}`, 1)
			calls = append(calls, payload{"gate", "hold", []byte(hold)})
		}
	}
	return r, append(calls, payload{"reevaluate", "", []byte(`{"user":"` + canaryUPN + `"}`)})
}

// The function "requests" returns payloads with a mistake of an operator: the name of a person or group stands where a
// run id, a hash or another value belongs.
func requests() (all []payload) {
	begin := func(entrance, request string) {
		all = append(all, payload{"collect", "begin", []byte(`{"op":"begin","entrance":"` + entrance + `","execution":"e","started":"2026-11-29T02:00:00Z","request":` + request + `}`)})
	}
	gate := func(op, request string) {
		all = append(all, payload{"gate", op, []byte(`{"op":"` + op + `","entrance":"` + op + `","execution":"e","started":"2026-11-29T02:00:00Z","request":` + request + `}`)})
	}
	for _, name := range []string{canaryName, canaryUPN, canaryGroup, canaryDN, `CORP\canary.vogel`, "canary.vogel"} {
		text, _ := json.Marshal(name) // Marshal can encode any string
		begin("plan", fmt.Sprintf(`{"user":%s}`, text))
		begin("approve", fmt.Sprintf(`{"user":%s,"apply":true}`, text))
		begin("plan", fmt.Sprintf(`{%s:true}`, text))
		begin("plan", fmt.Sprintf(`{"user":[%s]}`, text))
		begin("plan", string(text))
		gate("approve", fmt.Sprintf(`{"apply":%s,"planHash":%[1]s}`, text))
		gate("approve", fmt.Sprintf(`{"apply":[%s],"override":%[1]s}`, text))
		gate("restore", fmt.Sprintf(`{"restore":%s}`, text))
		gate("restore", fmt.Sprintf(`{"user":%s}`, text))
		gate("restore", fmt.Sprintf(`{"restore":%s,"user":%[1]s}`, text))
		gate("restore", fmt.Sprintf(`{"restore":"20261129T020000Z-1a2b3c4d","user":%s}`, text))
		gate("fly "+name, `{}`)
		state, _ := json.Marshal(map[string]any{"user": name, "restore": name, "failure": map[string]string{"Error": "E", "Cause": fmt.Sprintf("of %q", name)}})
		all = append(all, payload{"gate", "notice", []byte(`{"op":"notice","execution":"arn:e","state":` + string(state) + `}`)})
		all = append(all, payload{"reevaluate", "", []byte(`{"user":` + string(text) + `,"apply":"x"}`)})
	}
	return all
}

// The method "faults" returns functions that each begin a fault. A key is the name of the fault. During a fault, S3 or
// Graph answers wrongly, or the policy is altered. Most of the wrong texts contain the canary names.
func (r *rig) faults() map[string]func() {
	body := func(status int, kind, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, req *http.Request) bool {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text)) // an error means that the client disconnected
			return true
		}
	}
	s3 := func(fault func(http.ResponseWriter, *http.Request) bool, methods ...string) func() {
		return func() {
			only := func(w http.ResponseWriter, req *http.Request) bool {
				return caller(req) != "simulated" && slices.Contains(methods, req.Method) && fault(w, req)
			}
			r.faulty.Store(&only)
		}
	}
	graph := func(fault func(http.ResponseWriter, *http.Request) bool) func() {
		return func() {
			r.box.Intercept(func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { fault(w, req) })
			})
		}
	}
	said, _ := json.Marshal(canaries)
	envelope := `{"error":{"code":"Request_BadRequest","message":` + string(said) + `}}`
	denied := func(w http.ResponseWriter, req *http.Request) bool { // as in S3, the message contains the requested key
		return body(403, "application/xml", `<Error><Code>AccessDenied</Code><Message>not authorized to perform s3:GetObject on arn:aws:s3://`+req.URL.Path+`</Message></Error>`)(w, req)
	}
	all := map[string]func(){
		"no fault":                 func() {},
		"S3 denies":                s3(denied, "GET", "PUT", "HEAD"),
		"S3 denies writing":        s3(denied, "PUT"),
		"objects are text":         s3(body(200, "text/plain", canaries), "GET"),
		"objects are other JSON":   s3(body(200, "application/json", `{"run":`+string(said)+`,"partitions":`+string(said)+`}`), "GET"),
		"Graph refuses":            graph(body(400, "application/json", envelope)),
		"Graph denies":             graph(body(403, "application/json", envelope)),
		"Graph knows nothing":      graph(body(404, "application/json", envelope)),
		"Graph's answers are text": graph(body(200, "text/plain", canaries)),
		"Graph's answers are odd":  graph(body(200, "application/json", `{"value":[{"id":`+string(said)+`,"userPrincipalName":`+string(said)+`}]}`)),
	}
	for name, edit := range map[string][2]string{
		"a policy with a text":        {"tenant:", canaries + "\ntenant:"},
		"a policy with a member":      {"tenant:", canaryName + ": 1\ntenant:"},
		"a policy of another mode":    {"mode: review", "mode: " + canaryName},
		"a policy with a group":       {"groups: [", "groups: [{entra: " + canaryGroup + "}, "},
		"a policy with no name":       {"  users:  [", "  users:  [{" + canaryName + ": 1}, "},
		"a policy with a wrong date":  {"until: 20", "until: " + canaryName + "20"},
		"a policy with a wrong rule":  {"when: AzureAdSistaLogon.earlierThan", "when: " + `"` + canaryName + `" + AzureAdSistaLogon.earlierThan`},
		"a policy with a quoted name": {"when: AzureAdSistaLogon.earlierThan", "when: userPrincipalName == '" + canaryName + "' + AzureAdSistaLogon.earlierThan"},
		"a policy of another license": {"license: m365-e3", "license: " + canaryName},
		"a policy with another group": {"group: {entra: LIC-M365-E3}", "group: {entra: " + canaryGroup + "}"},
	} {
		all[name] = func() { r.alterPolicy(edit[0], edit[1]) }
	}
	return all
}

func (r *rig) alterPolicy(old, text string) {
	was := r.policy
	if r.putPolicy("review", func(string) string { return strings.Replace(was, old, text, 1) }); r.policy == was {
		r.Errorf("the policy has no %q", old)
	}
}

// TestNoNameLeaves: no error, log, notice or output of a function has the name of a person or group, with and without
// the faults above. The outputs of the operation "begin" and of the function reevaluate are not checked, because they
// repeat the name that the caller gave.
func TestNoNameLeaves(t *testing.T) {
	t.Parallel()
	r, calls := recorded(t)
	if len(calls) != 14 {
		t.Fatalf("%d operations are known", len(calls))
	}
	whole := r.policy
	secrets := []string{"canary", "vogel"}
	for i := range r.box.Company.Size() {
		if e := r.box.Company.Person(i).Entra; e != nil {
			secrets = append(secrets, strings.ToLower(e.UserPrincipalName), strings.ToLower(e.DisplayName))
		}
	}
	failed := map[string]int{}
	for name, begin := range r.faults() {
		begin()
		also := calls
		if name == "no fault" || strings.HasPrefix(name, "S3") {
			also = slices.Concat(calls, requests())
		}
		for _, p := range also {
			answer, err := r.call(t, p)
			if err != nil {
				failed[p.function+" "+p.op]++
				answer = []byte(err.Error())
			} else if p.op == "begin" || p.function == "reevaluate" {
				continue
			}
			tells(t, fmt.Sprintf("%s, %s %s", name, p.function, p.op), string(answer), secrets)
		}
		r.faulty.Store(nil)
		r.box.Intercept(nil)
		r.putPolicy("review", func(string) string { return whole })
	}
	for function, f := range r.functions {
		tells(t, "log of "+function, f.Logs(), secrets)
	}
	for _, n := range r.notices {
		tells(t, "notice", n, secrets)
	}
	for _, p := range calls {
		if failed[p.function+" "+p.op] == 0 && p.op != "notice" && p.function != "reevaluate" { // notice and reevaluate read nothing that a fault affects
			t.Errorf("no fault made %s %s fail", p.function, p.op)
		}
	}
}

func (r *rig) call(t *testing.T, p payload) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return r.functions["arn:"+p.function].Invoke(ctx, p.body)
}

func tells(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	low := strings.ToLower(text)
	for _, s := range secrets {
		if at := strings.Index(low, s); at >= 0 {
			t.Errorf("%s tells %q: …%s…", where, s, text[max(0, at-200):min(len(text), at+100)])
			return
		}
	}
}
