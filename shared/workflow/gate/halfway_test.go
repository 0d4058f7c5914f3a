package gate

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
)

// TestNoticeNamesWhatIsHalfWay: a night that fails before it has a plan finishes nothing. Its notice has the commands
// that finish the changes that return a license. The notice of any other request has no such command.
func TestNoticeNamesWhatIsHalfWay(t *testing.T) {
	t.Parallel()
	const command = "idleseat restore --run earlier ann --aws seats"
	for name, tc := range map[string]struct {
		state, failure string
		down           bool
		want           string // part of the message; empty: the message has no such part
	}{
		"the policy is wrong":       {`"policy":"p"`, RefusedError, false, command},
		"Entra ID cannot be read":   {`"run":"` + aRun + `","apply":false`, "E", false, command},
		"the store is down":         {`"run":"` + aRun + `","apply":false`, "E", true, "Half-way   not known, since the store could not be read"},
		"a plan was made":           {`"run":"` + aRun + `","planHash":"` + aHash + `"`, "E", false, ""},
		"a request of one person":   {`"user":"anna"`, "E", false, ""},
		"an approval was refused":   {`"apply":"` + aRun + `"`, RefusedError, false, ""},
		"a restore that was wrong":  {`"restore":"` + aRun + `"`, RefusedError, false, ""},
		"a run that was not sealed": {`"run":"` + aRun + `"`, "E", false, command},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steps(t, quiet())
			s.Deployment = "seats"
			earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": "", "bob": "", "cid": ledger.Done})
			if err := history.Stop(t.Context(), s.Store, "earlier", "ann", "mine", clock); err != nil {
				t.Fatal(err)
			}
			if tc.down {
				s.Store = failing.Nth(s.Store, 1)
			}
			text, err := json.Marshal(Failure{Error: tc.failure, Cause: "why"})
			if err != nil {
				t.Fatal(err)
			}
			message := s.toldAt(t, "", []byte(`{`+tc.state+`,"failure":`+string(text)+`}`)).Notice.Message
			if tc.want == "" && strings.Contains(message, "--run earlier") || !strings.Contains(message, tc.want) || strings.Contains(message, "bob") {
				t.Errorf("want %q in:\n%s", tc.want, message)
			}
		})
	}
}
