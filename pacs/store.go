package pacs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
)

// boundary stands between the parts of what is stored; it is longer than any run of such characters in a DICOM file is likely to be, and a
// file that has it is refused.
const boundary = "nextslice-8f0d1c5b7e2a49c6a3b4-nextslice"

// failures are the reasons that servers give (PS3.18 I.2.2 and PS3.4 B.2.3), by their numbers.
var failures = map[int]string{
	272: "it could not process it, or the file belongs to another study", 273: "it has another file of this UID", 279: "the UID is invalid",
	290: "it stores no segmentations", 292: "this account may not store", 42752: "it is out of space", 43264: "the file is not what its class says",
	49152: "it does not understand the file",
}

// changes are what servers warn of that they did with a file that they stored (PS3.18 I.2.1 and PS3.4 B.2.3).
var changes = map[int]string{
	45056: "it changed some of what the file says, which may be whose it is", 45062: "it left out some of what the file says", 45063: "the file is not what its class says",
}

// Store sends a file to its study. It succeeds only if the server says that it has the instance; warning says what the server did with it otherwise than to store it as it is, "" for
// nothing that it told.
func (c *Client) Store(ctx context.Context, study, instance, path string) (warning string, err error) {
	for _, uid := range []string{study, instance} {
		if err := checkUID(uid); err != nil {
			return "", err
		}
	}
	err = c.try(ctx, func() error {
		answer, err := c.do(ctx, request{
			method: "POST", path: "studies/" + study, accept: dicomJSON,
			contentType: `multipart/related; type="application/dicom"; boundary=` + boundary,
			body:        func() (io.ReadCloser, int64, error) { return storeBody(path) },
		})
		if answer == nil {
			return err
		}
		defer answer.Body.Close()
		code := status(err)
		if err != nil && code != http.StatusConflict && code != http.StatusBadRequest {
			if code == http.StatusNotFound || code == http.StatusMethodNotAllowed || code == http.StatusNotImplemented {
				return final(fmt.Errorf("the server takes no files (%d): send to one that does, with --to", code))
			}
			return err
		}
		warning, err = stored(io.LimitReader(answer.Body, 1<<20), instance, answer.StatusCode)
		return err
	})
	return warning, err
}

// stored reads the answer to a file that was sent.
func stored(body io.Reader, instance string, code int) (warning string, err error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return "", errors.New("the server's answer was cut short: whether the file is stored is not known")
	}
	text = []byte(strings.TrimSpace(string(text)))
	if len(text) > 0 && text[0] == '{' {
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	all, err := decodeObjects(strings.NewReader(string(text)))
	if err != nil || len(all) == 0 {
		return "", final(fmt.Errorf("the server does not say what became of the file (%d): it does not count as stored", code))
	}
	is := func(o object) bool { return o.text(referencedUID) == instance }
	for _, o := range all[0].items(storedSequence) {
		if !is(o) {
			continue
		}
		switch n := o.number(warningReason); {
		case n > 0 && changes[n] != "":
			return fmt.Sprintf("the server stored it, and warns: %s (reason %d)", changes[n], n), nil
		case n > 0:
			return fmt.Sprintf("the server stored it, and warns, with a reason that is not known here (%d)", n), nil
		case code == http.StatusAccepted:
			return "the server stored it, and warns, without a reason (202)", nil
		}
		return "", nil
	}
	for _, o := range all[0].items(failedSequence) {
		if !is(o) && o.text(referencedUID) != "" {
			continue
		}
		n := o.number(failureReason)
		why := failures[n]
		if why == "" {
			why = "it gives no reason that is known here"
		}
		return "", final(fmt.Errorf("the server refuses the file: %s (reason %d)", why, n))
	}
	return "", final(fmt.Errorf("the server does not name the file among those that it stored (%d)", code))
}

// storeBody is a file as a body of one part, and its length.
func storeBody(path string) (io.ReadCloser, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	head, tail := "--"+boundary+"\r\nContent-Type: application/dicom\r\n\r\n", "\r\n--"+boundary+"--\r\n"
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(strings.NewReader(head), io.LimitReader(f, info.Size()), strings.NewReader(tail)), f}, int64(len(head)+len(tail)) + info.Size(), nil
}
