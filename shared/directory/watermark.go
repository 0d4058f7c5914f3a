package directory

import "errors"

// ErrNoWatermark is returned when the directory cannot list exactly what changed since a watermark. The caller must
// then read everybody.
var ErrNoWatermark = errors.New("the changes since the earlier reading cannot be listed")

// Watermark is a position in the change history of one domain controller. Update sequence numbers (USNs) are local to a
// controller: they mean nothing to another controller, or to the same one after its database was restored (MS-ADTS
// 3.1.1.1.9).
type Watermark struct {
	Controller string `json:"controller"` // its dnsHostName
	Invocation string `json:"invocation"` // the invocationId of its database, in base64
	USN        int64  `json:"usn"`        // the highestCommittedUSN, read before the people
	Scope      string `json:"scope"`      // a hash of the query: account, bases, filter, attributes
}
