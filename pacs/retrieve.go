package pacs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
)

// wanted are what Accept says in turn until a server agrees, one at a time: of two alternatives in one header servers take any. Unpacked first;
// then as it is stored; then without a word of it, for servers that refuse every syntax that is named.
var wanted = []string{
	`multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1`,
	`multipart/related; type="application/dicom"; transfer-syntax=*`,
	`multipart/related; type="application/dicom"`,
}

// refused reports whether a server may agree to another transfer syntax: 406 by the standard, 500 where unpacking fails, 400, 415
// and 501 of others.
func refused(err error) bool {
	switch status(err) {
	case http.StatusNotAcceptable, http.StatusInternalServerError, http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusNotImplemented:
		return true
	}
	return false
}

// Retrieve asks for all files of a series and calls each with one after the other, as they come. It tries once: what came before an
// error is not whole.
func (c *Client) Retrieve(ctx context.Context, study, series string, each func(file io.Reader) error) error {
	for _, uid := range []string{study, series} {
		if err := checkUID(uid); err != nil {
			return final(err)
		}
	}
	var err error
	for _, accept := range wanted {
		var answer *http.Response
		answer, err = c.do(ctx, request{method: "GET", path: "studies/" + study + "/series/" + series, accept: accept})
		if err != nil {
			if answer != nil {
				answer.Body.Close()
			}
			if refused(err) {
				continue
			}
			return err
		}
		defer answer.Body.Close()
		return parts(answer, each)
	}
	return err
}

// parts calls each with the parts of an answer.
func parts(answer *http.Response, each func(io.Reader) error) error {
	kind := answer.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(kind, "application/dicom") && !strings.HasPrefix(kind, "application/dicom+"):
		return each(answer.Body)
	case !strings.HasPrefix(strings.ToLower(kind), "multipart/"):
		return final(fmt.Errorf("the server sent %.40q instead of DICOM files", kind))
	}
	boundary := boundaryOf(kind)
	if boundary == "" {
		return final(errors.New("the server sent several parts and no boundary between them"))
	}
	r := multipart.NewReader(answer.Body, boundary)
	for {
		part, err := r.NextRawPart()
		if err == io.EOF { // behind the last boundary: all has come
			return nil
		}
		if err != nil {
			return cut(err)
		}
		if err := each(part); err != nil {
			return cut(err)
		}
	}
}

// cut says in plain words that a connection ended too early.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the connection ended in the middle of the series")
	}
	return err
}

var boundaries = regexp.MustCompile(`(?i);\s*boundary\s*=\s*("[^"]*"|[^\s;]*)`)

// boundaryOf returns the boundary of a multipart type, also where a server leaves out the quotes around type="application/dicom".
func boundaryOf(kind string) string {
	if _, values, err := mime.ParseMediaType(kind); err == nil {
		return values["boundary"]
	}
	found := boundaries.FindStringSubmatch(kind)
	if found == nil {
		return ""
	}
	return strings.Trim(found[1], `"`)
}
