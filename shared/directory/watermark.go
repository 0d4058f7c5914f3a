package directory

import "errors"

// ErrNoWatermark is returned when the changes since a watermark cannot be listed exactly. The caller must then read
// everybody.
var ErrNoWatermark = errors.New("the changes since the earlier reading cannot be listed")

// Watermark is a point in the changes of one domain controller. Update sequence numbers (USN) belong to one controller.
// They mean nothing to another controller, or to the same one after its database was restored (MS-ADTS 3.1.1.1.9).
type Watermark struct {
	Controller string `json:"controller"` // its dnsHostName
	Invocation string `json:"invocation"` // invocationId of its database, in base64
	USN        int64  `json:"usn"`        // highestCommittedUSN, read before the people are
	Scope      string `json:"scope"`      // hash of the question: account, bases, filter, attributes
}
