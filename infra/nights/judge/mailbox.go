package judge

// The method "mailless" records a fault because a person has no license for a mailbox left. It records none if somebody
// else took another such license so late that the tool may not know: at the earliest Slack before the tool's last
// removal.
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
