package judge

// The method "mailless" judges that a person has lost the last license for a mailbox.
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
