package directory

// Payer says who in the company pays for a person's licenses. A text is nil if it was not read, and empty if the person
// has none.
type Payer struct {
	Department *string `json:"department,omitempty"`
	CostCenter *string `json:"costCenter,omitempty"`
}

// TextOf returns the text of a value for a Payer. It returns "" if the directory has no value, and nil if the value is
// unknown.
func TextOf(v Value) *string {
	switch v.State {
	case Known:
		return &v.Text
	case None:
		return new(string)
	}
	return nil
}
