package plan

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// AppendJSON appends the JSON encoding of d, byte for byte as json.Marshal would write it. It fails for a time that
// JSON cannot represent, such as one in the year 10000. AppendJSON avoids reflection, because reflection took a third
// of the time that a night needs to write its decisions.
func (d *Decision) AppendJSON(to []byte) ([]byte, error) {
	o := object{text: append(to, '{')}
	o.string("user", d.User)
	o.given("sid", d.SID)
	o.string("userPrincipalName", d.UserPrincipalName)
	o.string("rule", d.Rule)
	o.string("license", d.License)
	o.given("to", d.To)
	o.string("outcome", d.Outcome.String())
	o.string("reason", d.Reason)
	o.instant("idleSince", d.IdleSince)
	o.instant("created", d.Created)
	o.given("via", string(d.Via))
	o.given("refused", d.Refused)
	o.evidence("evidence", d.Evidence)
	o.flag("firstReading", d.FirstReading)
	o.given("seat", d.Seat)
	o.given("savesNothing", d.SavesNothing)
	o.flag("notice", d.Notice)
	o.flag("mailbox", d.Mailbox)
	o.flag("blocked", d.Blocked)
	o.given("back", d.RestoreOf)
	o.given("pending", d.Pending)
	o.number("place", d.Place)
	o.instant("after", d.After)
	o.number("setbacks", d.Setbacks)
	o.given("again", d.HeldAgain)
	o.payer("payer", d.Payer)
	return append(o.text, '}'), o.err
}

// object is a JSON object that is being written.
type object struct {
	text []byte
	err  error
}

func (o *object) name(name string) {
	if o.text[len(o.text)-1] != '{' {
		o.text = append(o.text, ',')
	}
	o.text = append(append(append(o.text, '"'), name...), `":`...)
}

func (o *object) string(name, value string) {
	o.name(name)
	o.text = appendString(o.text, value)
}

// given adds a member unless value is empty.
func (o *object) given(name, value string) {
	if value != "" {
		o.string(name, value)
	}
}

func (o *object) flag(name string, value bool) {
	if value {
		o.name(name)
		o.text = append(o.text, "true"...)
	}
}

func (o *object) number(name string, value int) {
	if value != 0 {
		o.name(name)
		o.text = strconv.AppendInt(o.text, int64(value), 10)
	}
}

func (o *object) instant(name string, t time.Time) {
	if t.IsZero() || o.err != nil {
		return
	}
	o.name(name)
	text, err := t.AppendText(append(o.text, '"'))
	if err != nil {
		o.err = fmt.Errorf("write %s: %w", name, err)
		return
	}
	o.text = append(text, '"')
}

func (o *object) payer(name string, p *directory.Payer) {
	if p == nil {
		return
	}
	o.name(name)
	o.text = append(o.text, '{')
	if p.Department != nil {
		o.string("department", *p.Department)
	}
	if p.CostCenter != nil {
		o.string("costCenter", *p.CostCenter)
	}
	o.text = append(o.text, '}')
}

func (o *object) evidence(name string, list []policy.Evidence) {
	if len(list) == 0 {
		return
	}
	o.name(name)
	o.text = append(o.text, '[')
	for i, e := range list {
		if i > 0 {
			o.text = append(o.text, ',')
		}
		o.text = append(o.text, '{')
		o.string("attribute", e.Attribute)
		o.string("field", e.Field)
		o.string("value", e.Value)
		o.given("note", e.Note)
		o.text = append(o.text, '}')
	}
	o.text = append(o.text, ']')
}

// appendString appends s as a JSON string, as encoding/json writes it.
func appendString(text []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(fmt.Sprintf("a string cannot be encoded: %v", err)) // unreachable
			}
			return append(text, quoted...)
		}
	}
	return append(append(append(text, '"'), s...), '"')
}
