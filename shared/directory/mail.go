package directory

// Mail is a mail in plain text.
type Mail struct {
	Person        string // object id of the person in the mail; errors contain it
	To, Copy      string // addresses; Copy is empty if nobody gets a copy
	Subject, Body string
}
