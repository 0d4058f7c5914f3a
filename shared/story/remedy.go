package story

// remedies says what resolves an undecided verdict or a refusal.
func remedies(x *Answer) []string { return nil }
