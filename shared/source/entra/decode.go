package entra

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The variable "tolerant" allows invalid UTF-8, because Graph cuts long names in the middle of a surrogate pair. A
// single cut name must not make the whole list fail.
var tolerant = jsontext.AllowInvalidUTF8(true)

// The type "envelope" has the members of a collection answer, without the entries.
type envelope struct {
	next  string // @odata.nextLink; empty on the last page
	count *int   // @odata.count; nil if it was not requested
}

// readList reads a whole collection answer. It calls "entry" at the start of each entry, which is an object. If
// entries may be missing, it returns an error.
func readList(body []byte, entry func(*jsontext.Decoder) error) (envelope, error) {
	var head envelope
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), tolerant)
	if dec.PeekKind() != '{' {
		return head, broken(body, errors.New("it is not a JSON object"))
	}
	_, _ = dec.ReadToken() // the brace that PeekKind found
	listed := false
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return head, broken(body, err)
		}
		switch name.String() {
		case "value":
			listed, err = true, readEntries(dec, entry)
		case "@odata.nextLink":
			err = json.UnmarshalDecode(dec, &head.next)
		case "@odata.count":
			err = json.UnmarshalDecode(dec, &head.count)
		default:
			err = dec.SkipValue()
		}
		if err != nil {
			return head, broken(body, err)
		}
	}
	if err := readEnd(dec); err != nil {
		return head, broken(body, err)
	}
	if !listed {
		return head, broken(body, errors.New("it has no value"))
	}
	return head, nil
}

func readEntries(dec *jsontext.Decoder, entry func(*jsontext.Decoder) error) error {
	if kind := dec.PeekKind(); kind != '[' && kind != 0 {
		return fmt.Errorf("value is a %s, not an array", kind)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for i := 0; dec.PeekKind() != ']'; i++ {
		if kind := dec.PeekKind(); kind != '{' && kind != 0 {
			return fmt.Errorf("entry %d of value is a %s, not an object", i, kind)
		}
		if err := entry(dec); err != nil {
			return fmt.Errorf("entry %d of value: %w", i, err)
		}
	}
	_, err := dec.ReadToken()
	return err
}

// readEnd reads the closing brace. It fails if anything follows.
func readEnd(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	switch _, err := dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	default:
		return errors.New("something follows its end")
	}
}

func decodeList[T any](body []byte) ([]T, envelope, error) {
	var list []T
	head, err := readList(body, func(dec *jsontext.Decoder) error {
		var item T
		if err := json.UnmarshalDecode(dec, &item); err != nil {
			return err
		}
		list = append(list, item)
		return nil
	})
	return list, head, err
}

// decodeOne decodes an answer that is a single object.
func decodeOne[T any](body []byte) (T, error) {
	var item T
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return item, broken(body, errors.New("it is not a JSON object"))
	}
	if err := json.Unmarshal(body, &item, tolerant); err != nil {
		return item, broken(body, err)
	}
	return item, nil
}

// The function "broken" returns an error about a malformed answer, most often an HTML page from a proxy. The error
// shows the beginning of the answer if this helps to identify the sender.
func broken(body []byte, err error) error {
	start := bytes.TrimSpace(body)
	if len(start) == 0 {
		return errors.New("the answer of Graph is empty")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("the answer of Graph of %d bytes is cut off", len(body))
	}
	if bytes.HasPrefix(start, []byte("{")) {
		return fmt.Errorf("the answer of Graph is damaged: %w", err)
	}
	return fmt.Errorf("the answer of Graph is damaged: %w; it begins %q", err, start[:min(len(start), 60)])
}

// selectOf returns the names of the properties of a wire type, for $select, so that the client requests exactly what
// it decodes.
func selectOf[T any]() []string {
	var names []string
	for field := range reflect.TypeFor[T]().Fields() {
		if name := jsonName(field); !strings.HasPrefix(name, "@") {
			names = append(names, name)
		}
	}
	return names
}

// jsonName returns the name of a struct field in JSON, or "" for an embedded struct.
func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}
