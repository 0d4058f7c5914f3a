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

// A JSON object ends with the member "sha256", its seal. The seal is the SHA-256, in hex, of the object's key, a
// newline, and the object without that member. A JSONL object ends with a line that has only this member, which covers
// the lines before it. An object that was edited, or copied from another key, is therefore detected. The seal does not
// protect against somebody who computes a new seal. Where that matters, another object records the hash. Objects that
// older versions wrote have no seal.
const (
	sealName = `"sha256":"`
	sealSize = len(sealName) + 2*sha256.Size + len(`"}`)
)

// errAltered is the error for an object that does not match its seal.
var errAltered = errors.New("it was altered, or copied from another place: its SHA-256 is not the one that it carries")

// sumOf returns the hash of a seal, started with the key.
func sumOf(key string) hash.Hash {
	sum := sha256.New()
	sum.Write([]byte(key + "\n"))
	return sum
}

func seal(sum hash.Hash) string { return sealName + hex.EncodeToString(sum.Sum(nil)) + `"}` }

// Encode encodes v as JSON. It adds a seal for the key if the result is a JSON object.
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

// Unseal returns the JSON of an object without its seal. It fails with ErrDamaged if the seal does not match the
// object and its key.
func Unseal(key string, b []byte) ([]byte, error) {
	plain, carried := unsealed(b)
	if carried == nil {
		var sealed struct {
			Sum json.RawMessage `json:"sha256"`
		}
		if json.Unmarshal(b, &sealed) == nil && sealed.Sum != nil {
			return nil, fmt.Errorf("%w %q: %w", ErrDamaged, key, errAltered)
		}
		return b, nil // written by a version before the seal, or not an object
	}
	sum := sumOf(key)
	sum.Write(plain)
	if seal(sum) != string(carried) {
		return nil, fmt.Errorf("%w %q: %w", ErrDamaged, key, errAltered)
	}
	return plain, nil
}

// unsealed splits an object into its content and its seal. seal is nil if there is none where Encode puts it.
func unsealed(b []byte) (plain, seal []byte) {
	at := len(b) - sealSize
	if at < 1 || b[0] != '{' || !bytes.HasPrefix(b[at:], []byte(sealName)) {
		return nil, nil
	}
	return append(bytes.TrimSuffix(bytes.Clone(b[:at]), []byte(",")), '}'), b[at:]
}
