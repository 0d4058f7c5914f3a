package directory

import "errors"

// ErrNoWatermark means that the directory cannot list exactly what changed since a watermark. The caller must then read
// all people.
var ErrNoWatermark = errors.New("the changes since the earlier reading cannot be listed")

// Watermark is a place in the changes of one domain controller. Update sequence numbers (USNs) are valid only on their
// own controller, and only until its database is restored from a backup (MS-ADTS 3.1.1.1.9).
type Watermark struct {
	Controller string `json:"controller"` // the dnsHostName of the controller
	Invocation string `json:"invocation"` // the invocationId of the database of the controller, in base64
	USN        int64  `json:"usn"`        // the highestCommittedUSN, read before the people are read
	Scope      string `json:"scope"`      // a hash of the query: account, bases, filter, attributes
}
