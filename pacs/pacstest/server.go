// Package pacstest has servers to test DICOMweb clients with: Orthanc, where it is installed, and one of our own that misbehaves as servers were seen to.
package pacstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// Quirks are the ways in which servers were seen to differ. The zero value is a server as Orthanc is.
type Quirks struct {
	User, Password, Token string

	Cap           int  // results at most, without a word
	IgnoreOffset  bool // each page is the first
	RefusePaging  bool // 400 for limit and offset
	NoContent     bool // 204 where nothing is found
	HTML          bool // a login page
	Redirect      string
	RetrieveURL   string // of an inner host, in every answer
	WithoutCounts bool   // no number of instances
	KnowsNoKey    bool   // every key is ignored
	NoAllSeries   bool   // series are searched for in a study only
	LeakName      bool   // errors quote the patient

	RefuseExplicit int // status for Explicit Little Endian
	RefuseAny      int // status for any syntax that is named
	LooseType      bool
	SinglePart     bool
	Fail           int // requests that fail with 503 first
	CutSeries      int // retrievals that are cut in the middle first
	Missing        bool
	Foreign        bool // a file of another series among those asked for
	Twice          bool
	Damaged        bool
	Stall          chan struct{} // retrievals stop in the middle until it is closed

	StoreStatus int
	StoreAnswer string // instead of the usual one
	Forget      bool   // 200, and nothing is named
}

// Request is one that came.
type Request struct{ Method, URI, Accept, ContentType, Authorization string }

// Server is a DICOMweb server in memory.
type Server struct {
	*httptest.Server
	mu        sync.Mutex
	Quirks    Quirks
	Requests  []Request
	instances []instance
}

type instance struct {
	study, series, uid, name string
	set                      map[string]any // DICOM JSON
	file                     []byte
}

// New starts a server with these files; it ends with the test.
func New(t testing.TB, files ...[]byte) *Server {
	t.Helper()
	s := &Server{}
	for _, f := range files {
		if err := s.add(f); err != nil {
			t.Fatal(err)
		}
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// Set changes the quirks.
func (s *Server) Set(q Quirks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Quirks, s.Requests = q, nil
}

// Seen returns the requests since Set.
func (s *Server) Seen() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.Requests)
}

// File returns a stored file.
func (s *Server) File(uid string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.instances {
		if i.uid == uid {
			return i.file
		}
	}
	return nil
}

// Add stores a file.
func (s *Server) Add(file []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(file)
}

func (s *Server) add(file []byte) error {
	set, err := lib.Parse(bytes.NewReader(file), int64(len(file)), nil, lib.SkipPixelData(), lib.AllowMissingMetaElementGroupLength())
	if err != nil {
		return err
	}
	i := instance{set: map[string]any{}, file: file}
	for _, e := range set.Elements {
		values, ok := e.Value.GetValue().([]string)
		if !ok || e.Tag.Group == 2 {
			continue
		}
		var out []any
		for _, v := range values {
			switch e.Tag {
			case tag.PatientName:
				out = append(out, map[string]string{"Alphabetic": v})
			default:
				out = append(out, v)
			}
		}
		i.set[fmt.Sprintf("%04X%04X", e.Tag.Group, e.Tag.Element)] = map[string]any{"vr": e.RawValueRepresentation, "Value": out}
	}
	i.study, i.series, i.uid, i.name = i.text("0020000D"), i.text("0020000E"), i.text("00080018"), i.text("00100010")
	if i.uid == "" {
		return fmt.Errorf("no SOP instance UID")
	}
	if !slices.ContainsFunc(s.instances, func(o instance) bool { return o.uid == i.uid }) { // the first one stays
		s.instances = append(s.instances, i)
	}
	return nil
}

func (i instance) text(key string) string {
	a, _ := i.set[key].(map[string]any)
	values, _ := a["Value"].([]any)
	if len(values) == 0 {
		return ""
	}
	switch v := values[0].(type) {
	case string:
		return strings.Trim(v, " \x00")
	case map[string]string:
		return v["Alphabetic"]
	}
	return ""
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	q := &s.Quirks
	s.Requests = append(s.Requests, Request{r.Method, r.RequestURI, r.Header.Get("Accept"), r.Header.Get("Content-Type"), r.Header.Get("Authorization")})
	all := slices.Clone(s.instances)
	fail := q.Fail > 0
	if fail {
		q.Fail--
	}
	quirks := *q
	s.mu.Unlock()
	refuse := func(code int) {
		text := `{"HttpStatus":` + strconv.Itoa(code) + `}`
		if quirks.LeakName && len(all) > 0 {
			text = `{"Details":"cannot read the images of ` + all[0].name + `"}`
		}
		http.Error(w, text, code)
	}
	user, password, _ := r.BasicAuth()
	switch {
	case quirks.Redirect != "":
		http.Redirect(w, r, quirks.Redirect+r.URL.Path, http.StatusFound)
		return
	case quirks.User != "" && (user != quirks.User || password != quirks.Password), quirks.Token != "" && r.Header.Get("Authorization") != "Bearer "+quirks.Token:
		w.Header().Set("WWW-Authenticate", `Basic realm="Secure Area"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	case quirks.HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<html>Please log in</html>")
		return
	case fail:
		refuse(http.StatusServiceUnavailable)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/dicom-web/")
	if !ok {
		refuse(http.StatusNotFound)
		return
	}
	parts := strings.Split(path, "/")
	switch {
	case r.Method == "POST" && len(parts) == 2:
		s.store(w, r, parts[1], quirks)
	case len(parts) == 1 && parts[0] == "studies":
		search(w, r, all, "0020000D", quirks, refuse)
	case len(parts) == 1 && parts[0] == "series" && !quirks.NoAllSeries:
		search(w, r, all, "0020000E", quirks, refuse)
	case len(parts) == 3 && parts[2] == "series":
		search(w, r, within(all, parts[1], ""), "0020000E", quirks, refuse)
	case len(parts) == 5 && parts[4] == "instances":
		search(w, r, within(all, parts[1], parts[3]), "00080018", quirks, refuse)
	case len(parts) == 4 && parts[2] == "series":
		s.retrieve(w, r, all, within(all, parts[1], parts[3]), quirks, refuse)
	default:
		refuse(http.StatusNotFound)
	}
}

func within(all []instance, study, series string) (out []instance) {
	for _, i := range all {
		if i.study == study && (series == "" || i.series == series) {
			out = append(out, i)
		}
	}
	return out
}

// keys are those that the server knows; others it ignores.
var keys = map[string]string{
	"PatientID": "00100020", "StudyDate": "00080020", "StudyInstanceUID": "0020000D", "SeriesInstanceUID": "0020000E", "Modality": "00080060",
	"StudyDescription": "00081030", "SeriesDescription": "0008103E",
}

// search answers a query. Values are compared as they came, without decoding percent signs.
func search(w http.ResponseWriter, r *http.Request, all []instance, level string, q Quirks, refuse func(int)) {
	limit, offset := 1<<30, 0
	var found []map[string]any
	var uids []string
	counts := map[string]int{}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.ContainsFunc(value, func(c rune) bool { return c > 127 }) {
			refuse(http.StatusBadRequest)
			return
		}
		switch key {
		case "limit", "offset":
			if q.RefusePaging {
				refuse(http.StatusBadRequest)
				return
			}
			n, _ := strconv.Atoi(value)
			if key == "limit" {
				limit = n
			} else if !q.IgnoreOffset {
				offset = n
			}
		default:
			if q.KnowsNoKey {
				continue
			}
			if from, to, ok := strings.Cut(value, "-"); ok && key == "StudyDate" {
				all = slices.DeleteFunc(slices.Clone(all), func(i instance) bool { day := i.text("00080020"); return day < from || to != "" && day > to })
			} else if at := keys[key]; at != "" {
				all = slices.DeleteFunc(slices.Clone(all), func(i instance) bool { return !like(value, i.text(at)) })
			}
		}
	}
	for _, i := range all {
		uid := i.text(level)
		counts[i.series]++
		if slices.Contains(uids, uid) {
			continue
		}
		uids = append(uids, uid)
		o := map[string]any{}
		for k, v := range i.set {
			o[k] = v
		}
		if q.RetrieveURL != "" {
			o["00081190"] = map[string]any{"vr": "UR", "Value": []string{q.RetrieveURL + "/studies/" + i.study}}
		}
		found = append(found, o)
	}
	if level == "0020000E" && !q.WithoutCounts {
		for n, o := range found {
			o["00201209"] = map[string]any{"vr": "IS", "Value": []int{counts[uids[n]]}}
		}
	}
	if q.Cap > 0 {
		found = found[:min(q.Cap, len(found))]
	}
	found = found[min(offset, len(found)):]
	found = found[:min(limit, len(found))]
	if len(found) == 0 && q.NoContent {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if found == nil {
		found = []map[string]any{}
	}
	w.Header().Set("Content-Type", "application/dicom+json")
	json.NewEncoder(w).Encode(found)
}

// like compares with * and ?, whatever the case of letters.
func like(pattern, value string) bool {
	switch {
	case pattern == "":
		return value == ""
	case pattern[0] == '*':
		return like(pattern[1:], value) || value != "" && like(pattern, value[1:])
	}
	return value != "" && (pattern[0] == '?' || strings.EqualFold(pattern[:1], value[:1])) && like(pattern[1:], value[1:])
}

// retrieve sends the files of a series.
func (s *Server) retrieve(w http.ResponseWriter, r *http.Request, all, files []instance, q Quirks, refuse func(int)) {
	accept := r.Header.Get("Accept")
	switch {
	case len(files) == 0:
		refuse(http.StatusNotFound)
		return
	case strings.Count(accept, "multipart/related") != 1:
		refuse(http.StatusTeapot) // of two alternatives servers take any
		return
	case q.RefuseAny > 0 && strings.Contains(accept, "transfer-syntax"):
		refuse(q.RefuseAny)
		return
	case q.RefuseExplicit > 0 && strings.Contains(accept, "1.2.840.10008.1.2.1"):
		refuse(q.RefuseExplicit)
		return
	}
	if q.SinglePart {
		w.Header().Set("Content-Type", "application/dicom")
		w.Write(files[0].file)
		return
	}
	s.mu.Lock()
	cut := s.Quirks.CutSeries > 0
	if cut {
		s.Quirks.CutSeries--
	}
	s.mu.Unlock()
	if q.Missing {
		files = files[1:]
	}
	if q.Foreign {
		for _, i := range all {
			if i.series != files[0].series {
				files = append(slices.Clone(files[1:]), i)
				break
			}
		}
	}
	if q.Twice {
		files = append(slices.Clone(files[1:]), files[1])
	}
	m := multipart.NewWriter(w)
	kind := `multipart/related; type="application/dicom"; boundary=` + m.Boundary()
	if q.LooseType {
		kind = `multipart/related; type=application/dicom; boundary=` + m.Boundary()
	}
	w.Header().Set("Content-Type", kind)
	for n, i := range files {
		part, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/dicom"}, "Content-Length": {strconv.Itoa(len(i.file))}, "MIME-Version": {"1.0"}})
		if err != nil {
			return
		}
		data := i.file
		if q.Damaged && n == 1 {
			data = data[:200]
		}
		if n == len(files)/2 && (cut || q.Stall != nil) {
			part.Write(data[:len(data)/2])
			if q.Stall != nil {
				w.(http.Flusher).Flush()
				<-q.Stall
			}
			panic(http.ErrAbortHandler)
		}
		part.Write(data)
	}
	m.Close()
}

// store takes files as Orthanc does: without a look at what a segmentation holds.
func (s *Server) store(w http.ResponseWriter, r *http.Request, study string, q Quirks) {
	answer := func(code int, stored, failed []map[string]any) {
		w.Header().Set("Content-Type", "application/dicom+json")
		w.WriteHeader(code)
		if q.StoreAnswer != "" {
			io.WriteString(w, q.StoreAnswer)
			return
		}
		sequence := func(items []map[string]any) any {
			if len(items) == 0 {
				return map[string]any{"vr": "SQ"}
			}
			return map[string]any{"vr": "SQ", "Value": items}
		}
		json.NewEncoder(w).Encode(map[string]any{"00081198": sequence(failed), "00081199": sequence(stored)})
	}
	kind, values, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || values["type"] != "application/dicom" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	if r.ContentLength <= 0 {
		w.WriteHeader(http.StatusLengthRequired)
		return
	}
	part, err := multipart.NewReader(r.Body, values["boundary"]).NextPart()
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	file, err := io.ReadAll(part)
	set, parseErr := lib.Parse(bytes.NewReader(file), int64(len(file)), nil, lib.SkipPixelData())
	if err != nil || parseErr != nil {
		answer(http.StatusBadRequest, nil, nil)
		return
	}
	text := func(t tag.Tag) string {
		e, err := set.FindElementByTag(t)
		if err != nil {
			return ""
		}
		v, _ := e.Value.GetValue().([]string)
		return strings.Join(v, "")
	}
	item := func(reason int) map[string]any {
		out := map[string]any{"00081150": map[string]any{"vr": "UI", "Value": []string{text(tag.SOPClassUID)}}, "00081155": map[string]any{"vr": "UI", "Value": []string{text(tag.SOPInstanceUID)}}}
		if reason > 0 {
			out["00081197"] = map[string]any{"vr": "US", "Value": []int{reason}}
		}
		return out
	}
	switch {
	case q.StoreStatus > 0 && q.StoreStatus != http.StatusConflict:
		answer(q.StoreStatus, nil, nil)
	case text(tag.StudyInstanceUID) == "":
		answer(http.StatusBadRequest, nil, []map[string]any{item(49152)})
	case text(tag.StudyInstanceUID) != study || q.StoreStatus == http.StatusConflict:
		answer(http.StatusConflict, nil, []map[string]any{item(272)})
	case q.Forget:
		answer(http.StatusOK, nil, nil)
	default:
		if err := s.Add(file); err != nil {
			answer(http.StatusBadRequest, nil, nil)
			return
		}
		answer(http.StatusOK, []map[string]any{item(0)}, nil)
	}
}
