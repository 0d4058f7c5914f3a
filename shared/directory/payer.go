package directory

// Payer says who in the company pays for a person's licenses, as read at one moment. A text is nil if it was not read.
// A text is empty if the person has no department or cost center.
type Payer struct {
	Department *string `json:"department,omitempty"`
	CostCenter *string `json:"costCenter,omitempty"`
}

// TextOf returns the text of a value for a Payer. It returns nil if the value is unknown.
func TextOf(v Value) *string {
	switch v.State {
	case Known:
		return &v.Text
	case None:
		return new(string)
	}
	return nil
}
