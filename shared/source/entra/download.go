package entra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
	abs "github.com/microsoft/kiota-abstractions-go"
)

// downloadTimeout is the timeout of one try. It covers only the transfer, because the file is complete before Graph
// names its address.
const downloadTimeout = 10 * time.Minute

// fileError is an answer to a download with a status other than 200.
type fileError struct {
	status, retryAfter string
	code               int
}

func (e *fileError) Error() string { return "the download answered " + e.status }

// The method "download" reads a file from an address that Graph named, and repeats a failed try like other reads. It
// calls "read" once, with the whole file.
func (c *Client) download(ctx context.Context, location string, read func(io.Reader) error) error {
	u, err := url.Parse(location)
	if err != nil || u.User != nil || u.Scheme != "https" && c.base.Scheme == "https" || u.Host == "" {
		return errors.New("the place of the report that Graph names may not be asked")
	}
	spool, err := os.CreateTemp("", "idleseat-")
	if err != nil {
		return fmt.Errorf("spool the download: %w", err)
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	var waited time.Duration
	for try := 1; ; try++ {
		err := c.fetch(ctx, location, spool)
		if err == nil {
			break
		}
		if ctx.Err() != nil || !worthRepeating(err, abs.GET, try) {
			return err
		}
		if err := c.rest(ctx, err, try, &waited); err != nil {
			return err
		}
	}
	if err := seekStart(spool); err != nil {
		return fmt.Errorf("spool the download: %w", err)
	}
	file, err := gzip.NewReader(spool)
	if err != nil {
		return fmt.Errorf("spool the download: %w", err)
	}
	return read(file)
}

// The method "fetch" tries a download once. It replaces the content of spool with the compressed file, because a
// report of 1,000,000 people has about 300 MB, and a Lambda function has 512 MB of disk.
func (c *Client) fetch(ctx context.Context, location string, spool *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, http.NoBody)
	if err != nil {
		return errors.New("the place of the report that Graph names is no address")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }() // Close of a read-only body reports nothing useful
	if response.StatusCode != http.StatusOK {
		return &fileError{response.Status, response.Header.Get("Retry-After"), response.StatusCode}
	}
	if err := errors.Join(spool.Truncate(0), seekStart(spool)); err != nil {
		return fmt.Errorf("spool the download: %w", err)
	}
	zip, err := gzip.NewWriterLevel(spool, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("spool the download: %w", err)
	}
	body := &received{Reader: response.Body}
	if _, err := io.Copy(zip, body); err != nil && body.failed {
		return fmt.Errorf("%w while the file was downloaded: %w", errNetwork, err)
	} else if err != nil {
		return fmt.Errorf("spool the download: %w", err)
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("spool the download: %w", err)
	}
	return nil
}

func seekStart(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// The type "received" is a body that records a failed read, which distinguishes a broken connection from a full disk.
type received struct {
	io.Reader
	failed bool
}

func (r *received) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.failed = r.failed || err != nil && !errors.Is(err, io.EOF)
	return n, err
}
