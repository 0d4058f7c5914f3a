package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
)

// A JSON object ends with the member "sha256". It is the SHA-256, in hex, of the object's key, a newline, and the
// object without that member. A JSONL object ends with a line that has only this member. Its sum covers the lines
// before it. So an object that was edited, or copied from another key, is refused by name. The seal proves nothing
// against somebody who makes a new seal. Where that matters, another object binds the hash. Objects of versions before
// the seal have none.
const (
	sealName = `"sha256":"`
	sealSize = len(sealName) + 2*sha256.Size + len(`"}`)
)

// errAltered is returned for an object whose seal does not fit.
var errAltered = errors.New("it was altered, or copied from another place: its SHA-256 is not the one that it carries")

// sumOf begins the sum of an object.
func sumOf(key string) hash.Hash {
	sum := sha256.New()
	sum.Write([]byte(key + "\n"))
	return sum
}

func seal(sum hash.Hash) string { return sealName + hex.EncodeToString(sum.Sum(nil)) + `"}` }

// Encode encodes v as JSON, and seals a JSON object for its key.
func Encode(key string, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode object %q: %w", key, err)
	}
	if b[0] != '{' {
		return b, nil
	}
	sum := sumOf(key)
	sum.Write(b)
	b = b[:len(b)-1]
	if len(b) > 1 {
		b = append(b, ',')
	}
	return append(b, seal(sum)...), nil
}

// Unseal returns the JSON of an object without its seal. The error is ErrDamaged when the seal does not fit the object
// and its key.
func Unseal(key string, b []byte) ([]byte, error) {
	plain, carried := unsealed(b)
	if carried == nil {
		var sealed struct {
			Sum json.RawMessage `json:"sha256"`
		}
		if json.Unmarshal(b, &sealed) == nil && sealed.Sum != nil {
			return nil, fmt.Errorf("%w %q: %w", ErrDamaged, key, errAltered)
		}
		return b, nil // a version before the seal wrote it, or it is not an object
	}
	sum := sumOf(key)
	sum.Write(plain)
	if seal(sum) != string(carried) {
		return nil, fmt.Errorf("%w %q: %w", ErrDamaged, key, errAltered)
	}
	return plain, nil
}

// unsealed divides an object into its content and its seal. The seal is nil when there is none at the place where
// Encode puts it.
func unsealed(b []byte) (plain, seal []byte) {
	at := len(b) - sealSize
	if at < 1 || b[0] != '{' || !bytes.HasPrefix(b[at:], []byte(sealName)) {
		return nil, nil
	}
	return append(bytes.TrimSuffix(bytes.Clone(b[:at]), []byte(",")), '}'), b[at:]
}
