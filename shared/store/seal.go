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

// A sealed JSON object ends with the member "sha256", its seal: the SHA-256, in hex, of the key, a newline, and the
// object without the seal. A sealed JSONL object ends with a line that has only this member. A seal shows that an
// object was edited or copied from another key. It does not protect against a person who computes a new seal. Objects
// of older versions have no seal.
const (
	sealName = `"sha256":"`
	sealSize = len(sealName) + 2*sha256.Size + len(`"}`)
)

// errAltered is the error for an object that does not match its seal.
var errAltered = errors.New("it was altered, or copied from another place: its SHA-256 is not the one that it carries")

// sumOf begins the hash of a seal with the key and the newline. The caller then adds the object.
func sumOf(key string) hash.Hash {
	sum := sha256.New()
	sum.Write([]byte(key + "\n"))
	return sum
}

func seal(sum hash.Hash) string { return sealName + hex.EncodeToString(sum.Sum(nil)) + `"}` }

// Encode encodes v as JSON. If the result is a JSON object, Encode adds a seal for the key.
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

// Unseal returns the JSON of an object without its seal. The error is ErrDamaged if the seal does not match the object
// and its key. An object without a seal is returned unchanged.
func Unseal(key string, b []byte) ([]byte, error) {
	plain, carried := unsealed(b)
	if carried == nil {
		var sealed struct {
			Sum json.RawMessage `json:"sha256"`
		}
		if json.Unmarshal(b, &sealed) == nil && sealed.Sum != nil {
			return nil, fmt.Errorf("%w %q: %w", ErrDamaged, key, errAltered)
		}
		return b, nil // an older version wrote it without a seal, or it is not a JSON object
	}
	sum := sumOf(key)
	sum.Write(plain)
	if seal(sum) != string(carried) {
		return nil, fmt.Errorf("%w %q: %w", ErrDamaged, key, errAltered)
	}
	return plain, nil
}

// The function "unsealed" splits an object into its content and its seal, or returns nil for an object without a seal.
func unsealed(b []byte) (plain, seal []byte) {
	at := len(b) - sealSize
	if at < 1 || b[0] != '{' || !bytes.HasPrefix(b[at:], []byte(sealName)) {
		return nil, nil
	}
	return append(bytes.TrimSuffix(bytes.Clone(b[:at]), []byte(",")), '}'), b[at:]
}
