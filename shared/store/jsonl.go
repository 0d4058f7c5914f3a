package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// maxLine is the largest record of a JSONL object, in bytes.
const maxLine = 1 << 20

// EachLine calls the function "each" with every line of a gzip stream. It returns io.ErrUnexpectedEOF if the last line
// has no newline.
func EachLine(r io.Reader, each func(line string) error) error {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	defer zip.Close()
	scan := bufio.NewScanner(zip)
	scan.Buffer(make([]byte, 128<<10), maxLine)
	scan.Split(wholeLines)
	for scan.Scan() {
		if err := each(scan.Text()); err != nil {
			return err
		}
	}
	return scan.Err()
}

func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return 0, nil, nil
}

// PutLines stores the values that the callback "write" emits, as a compressed, sealed JSONL object. It replaces any
// object at the key. An object of more than spoolInMemory bytes goes to a temporary file first.
func PutLines(ctx context.Context, s Store, key string, write func(emit func(v any) error) error) error {
	return PutSpooled(ctx, s, key, func(w io.Writer) error {
		zip := zips.Get().(*gzip.Writer)
		defer zips.Put(zip)
		zip.Reset(w)
		sum := sumOf(key)
		if err := write(json.NewEncoder(io.MultiWriter(zip, sum)).Encode); err != nil {
			return err
		}
		if _, err := io.WriteString(zip, "{"+seal(sum)+"\n"); err != nil {
			return err
		}
		return zip.Close()
	})
}

// The variable "zips" has writers for reuse, because a new gzip writer would need more memory than most objects.
var zips = sync.Pool{New: func() any {
	zip, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // unreachable: the level is valid
	}
	return zip
}}

// PutSpooled stores the output of the callback "write". An output of more than spoolInMemory bytes goes to a temporary
// file first.
func PutSpooled(ctx context.Context, s Store, key string, write func(io.Writer) error) error {
	sp := &spool{}
	defer sp.close()
	if err := write(sp); err != nil {
		return err
	}
	body, err := sp.body()
	if err != nil {
		return fmt.Errorf("spool object %q: %w", key, err)
	}
	return s.Put(ctx, key, body)
}

// spoolInMemory is the largest number of bytes that a spool keeps in memory.
const spoolInMemory = 1 << 20

// spool collects bytes in memory. More than spoolInMemory bytes go to a temporary file.
type spool struct {
	memory []byte
	file   *os.File
}

func (s *spool) Write(b []byte) (n int, err error) {
	if len(s.memory)+len(b) > spoolInMemory {
		if err := s.flush(); err != nil {
			return 0, err
		}
	}
	s.memory = append(s.memory, b...)
	return len(b), nil
}

func (s *spool) flush() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "idleseat-"); err != nil {
			return err
		}
	}
	_, err = s.file.Write(s.memory)
	s.memory = s.memory[:0]
	return err
}

func (s *spool) body() (io.ReadSeeker, error) {
	if s.file == nil {
		return bytes.NewReader(s.memory), nil
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return s.file, err
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}

// GetLines decodes every line of a JSONL object into a new T, and calls the function "each" with it. The error is
// ErrDamaged, with the key, if the object is incomplete or was altered, or if "each" returns ErrDamaged. Some damage
// shows only at the end of the object, so after an error the caller must discard everything that "each" received.
func GetLines[T any](ctx context.Context, s Store, key string, each func(*T) error) error {
	return Read(ctx, s, key, func(body io.Reader) error {
		var stop error
		sum, sealed := sumOf(key), false
		err := EachLine(body, func(line string) error {
			if strings.HasPrefix(line, "{"+sealName[:len(sealName)-1]) && !sealed { // the prefix also matches a seal that is not valid JSON
				if sealed = true; line == "{"+seal(sum) {
					return nil
				}
				return errAltered
			}
			if sealed || line == "{}" { // no record is empty, so {} is a seal without its hash
				return errAltered
			}
			sum.Write([]byte(line + "\n"))
			v := new(T)
			if err := json.Unmarshal([]byte(line), v); err != nil {
				return err
			}
			stop = each(v)
			return stop
		})
		if err != nil && (stop == nil || errors.Is(stop, ErrDamaged)) {
			return fmt.Errorf("%w %q: %w", ErrDamaged, key, err)
		}
		return err
	})
}
