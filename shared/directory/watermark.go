package directory

import "errors"

// ErrNoWatermark is returned when what changed since a mark cannot be told exactly:
// everybody must be read.
var ErrNoWatermark = errors.New("the changes since the earlier reading cannot be told")

// Watermark is a point in the changes of one domain controller. Update sequence
// numbers (USN) are each controller's own and mean nothing to another one, nor
// to the same one after its database was put back (MS-ADTS 3.1.1.1.9).
type Watermark struct {
	Controller string `json:"controller"` // its dnsHostName
	Invocation string `json:"invocation"` // invocationId of its database, in base64
	USN        int64  `json:"usn"`        // highestCommittedUSN, read before the people
	Scope      string `json:"scope"`      // hash of who was asked for what: account, bases, filter, attributes
}
