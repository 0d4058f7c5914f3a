package judge

// The method "mailless" records a fault: the tool has left a person without any license for a mailbox. It records none
// if somebody else took such a license after the tool's last removal, or less than Slack before it, because the tool
// may not know of that.
func (j *Judge) mailless(e Event, p *person) {
	last := &license{}
	for name, l := range p.licenses {
		if j.rules[name].Mailbox && l.taken.After(last.taken) {
			last = l
		}
	}
	for name, l := range p.licenses {
		byOther := l.taken.IsZero() || l.strange != last.strange
		if j.rules[name].Mailbox && l != last && byOther && !last.taken.IsZero() && l.released.After(last.taken.Add(-Slack)) {
			return
		}
	}
	j.fault(Without, e, "no license with a mailbox is left")
}
