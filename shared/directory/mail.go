package directory

// Mail is a mail in plain text.
type Mail struct {
	Person        string // object id of the person whom the mail is about; errors contain it
	To, Copy      string // addresses; Copy is empty if nobody gets a copy
	Subject, Body string
}
