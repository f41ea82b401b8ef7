package pacs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	pageSize   = 100
	maxStudies = 1000 // more is no query but a copy of the archive
)

// Query says which series are meant. Fields that are "" match all. In texts * stands for any characters and ? for one, and
// capital letters do not matter.
type Query struct {
	Patient, Accession                  string
	Date                                string // 20250101, or a range 20250101-20250630, open at one end at most
	Modality                            string
	StudyDescription, SeriesDescription string
	Study, Series                       string // UIDs
}

// Series is one that a server has. PatientID is for the eyes of whoever searched; it goes into no record.
type Series struct {
	Study            string `json:"study"`
	UID              string `json:"series"`
	PatientID        string `json:"patient-id,omitempty"`
	Date             string `json:"date,omitempty"`
	Accession        string `json:"accession,omitempty"`
	StudyDescription string `json:"study-description,omitempty"`
	Modality         string `json:"modality,omitempty"`
	Description      string `json:"series-description,omitempty"`
	Number           int    `json:"number"`    // -1 where not known
	Instances        int    `json:"instances"` // files; -1 where the server does not say
}

var dates = regexp.MustCompile(`^(\d{8}|\d{8}-(\d{8})?|-\d{8})$`)

// Check returns an error for values that no server could answer.
func (q Query) Check() error {
	if q.Date != "" {
		if !dates.MatchString(q.Date) {
			return fmt.Errorf("date %q: want 20250131 or 20250101-20250630", q.Date)
		}
		for day := range strings.SplitSeq(q.Date, "-") {
			if _, err := time.Parse("20060102", day); day != "" && err != nil {
				return fmt.Errorf("date %q: there is no day %s", q.Date, day)
			}
		}
	}
	for _, uid := range []string{q.Study, q.Series} {
		if uid == "" {
			continue
		}
		if err := checkUID(uid); err != nil {
			return err
		}
	}
	return nil
}

// wild makes a value fit to be sent: servers do not decode percent signs, so every run of characters other than letters, digits and
// a few signs becomes *. What comes back is compared with what was meant.
func wild(value string) string {
	var b strings.Builder
	star := false
	for _, r := range value {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._~-*?^,", r)
		switch {
		case plain && r != '*':
			b.WriteRune(r)
			star = false
		case !star:
			b.WriteByte('*')
			star = true
		}
	}
	return b.String()
}

// matches compares a value with a pattern of * and ?, whatever the case of letters.
func matches(pattern, value string) bool {
	if pattern == "" {
		return true
	}
	p, v := []rune(strings.ToLower(strings.TrimSpace(pattern))), []rune(strings.ToLower(strings.TrimSpace(value)))
	at, star, back := 0, -1, 0
	for i := 0; i < len(v); {
		switch {
		case at < len(p) && p[at] == '*':
			star, back = at, i
			at++
		case at < len(p) && (p[at] == '?' || p[at] == v[i]):
			at++
			i++
		case star >= 0:
			back++
			at, i = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(string(p[at:]), "*") == ""
}

// onDate reports whether a day lies in a range.
func onDate(span, day string) bool {
	if span == "" {
		return true
	}
	from, to, isRange := strings.Cut(span, "-")
	if !isRange {
		return day == span
	}
	return len(day) == 8 && day >= from && (to == "" || day <= to)
}

// parameters joins keys and values in turn; keys without a value are left out.
func parameters(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i]+"="+pairs[i+1])
		}
	}
	return strings.Join(out, "&")
}

// Find returns the series that match, study by study, and notes on what the server may have kept back. progress, which may be
// nil, gets the studies that were looked into and all of them.
func (c *Client) Find(ctx context.Context, q Query, progress func(done, studies int)) (found []Series, notes []string, err error) {
	if err := q.Check(); err != nil {
		return nil, nil, err
	}
	if q.Series != "" && q.Study == "" {
		if q.Study, err = c.studyOf(ctx, q.Series); err != nil || q.Study == "" {
			return nil, nil, err
		}
	}
	studies, notes, err := c.pages(ctx, "studies", "studies", studyUID, maxStudies, parameters(
		"PatientID", wild(q.Patient), "AccessionNumber", wild(q.Accession), "StudyDate", q.Date, "ModalitiesInStudy", wild(q.Modality),
		"StudyDescription", wild(q.StudyDescription), "StudyInstanceUID", q.Study, "includefield", studyDescription, "includefield", modalities))
	if err != nil {
		return nil, nil, err
	}
	studies = slices.DeleteFunc(studies, func(s object) bool { return !q.study(s) })
	for i, study := range studies {
		if progress != nil {
			progress(i, len(studies))
		}
		uid := study.text(studyUID)
		all, more, err := c.pages(ctx, "studies/"+uid+"/series", "series", seriesUID, 10*maxStudies, parameters(
			"Modality", wild(q.Modality), "SeriesDescription", wild(q.SeriesDescription), "SeriesInstanceUID", q.Series,
			"includefield", instancesInSeries, "includefield", seriesDescription))
		if status(err) == http.StatusNotFound { // gone since
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		notes = append(notes, more...)
		for _, s := range all {
			if q.series(s) {
				found = append(found, newSeries(study, s))
			}
		}
	}
	return found, notes, nil
}

// study reports whether a study is one that was meant. Keys that a server does not know it ignores, so that all come back.
func (q Query) study(s object) bool {
	if of := s.texts(modalities); q.Modality != "" && len(of) > 0 && !slices.ContainsFunc(of, func(m string) bool { return matches(q.Modality, m) }) {
		return false
	}
	return matches(q.Patient, s.text(patientID)) && matches(q.Accession, s.text(accession)) && onDate(q.Date, s.text(studyDate)) &&
		matches(q.StudyDescription, s.text(studyDescription)) && (q.Study == "" || q.Study == s.text(studyUID))
}

// series does the same for a series.
func (q Query) series(s object) bool {
	return matches(q.Modality, s.text(modality)) && matches(q.SeriesDescription, s.text(seriesDescription)) && (q.Series == "" || q.Series == s.text(seriesUID))
}

// What is no free text is left out where it is not of its form, whatever stands there then.
var (
	codeString = regexp.MustCompile(`^[A-Za-z0-9_ ]{1,16}$`)  // CS; some servers write small letters
	dayOnly    = regexp.MustCompile(`^\d{8}$`)                // DA
	shortText  = regexp.MustCompile(`^[^\\[:cntrl:]]{1,64}$`) // SH; more than its 16 characters occur
)

// newSeries is what is told of a series. In the two descriptions, which people type, names of the patient are masked; codes, dates and numbers stay as they are, since a name may have a
// part such as MR.
func newSeries(study, s object) Series {
	names := append(study.texts(patientName), s.texts(patientName)...)
	free := func(o object, tag string) string { return withoutName(o.text(tag), names) }
	of := func(form *regexp.Regexp, o object, tag string) string { return form.FindString(o.text(tag)) }
	return Series{
		Study: study.text(studyUID), UID: s.text(seriesUID), PatientID: withoutName(study.text(patientID), nil), Date: of(dayOnly, study, studyDate),
		Accession: of(shortText, study, accession), StudyDescription: free(study, studyDescription), Modality: of(codeString, s, modality),
		Description: free(s, seriesDescription), Number: s.number(seriesNumber), Instances: s.number(instancesInSeries),
	}
}

// studyOf returns the study of a series, "" where the server does not have it.
func (c *Client) studyOf(ctx context.Context, series string) (string, error) {
	all, err := c.getJSON(ctx, "series", parameters("SeriesInstanceUID", series))
	if err != nil {
		if code := status(err); code == http.StatusNotFound || code == http.StatusBadRequest || code == http.StatusNotImplemented {
			return "", errors.New("the server does not search for series of all studies: give --study as well")
		}
		return "", err
	}
	for _, s := range all {
		if s.text(seriesUID) == series {
			if uid := s.text(studyUID); checkUID(uid) == nil {
				return uid, nil
			}
			return "", errors.New("the server does not say which study the series belongs to: give --study as well")
		}
	}
	return "", nil
}

// pages asks page by page and returns the objects with different UIDs. Servers cut without a word, know no offset or refuse it: the end is a
// page without a new UID, or a short one that ends at no round number. A note says where a server may have kept something back.
func (c *Client) pages(ctx context.Context, path, what, key string, most int, query string) (all []object, notes []string, err error) {
	seen := map[string]bool{}
	paged := true
	for {
		q := query
		if paged {
			q = strings.TrimPrefix(fmt.Sprintf("%s&limit=%d&offset=%d", query, pageSize, len(all)), "&")
		}
		page, err := c.getJSON(ctx, path, q)
		if code := status(err); code == http.StatusBadRequest || code == http.StatusNotImplemented {
			if paged && len(all) == 0 {
				paged = false
				continue
			}
			if len(all) > 0 {
				page, err = nil, nil
			}
		}
		if err != nil {
			return nil, nil, err
		}
		fresh := 0
		for _, o := range page {
			uid := o.text(key)
			if checkUID(uid) != nil || seen[uid] {
				continue
			}
			seen[uid] = true
			all = append(all, o)
			fresh++
		}
		switch n := len(all); {
		case n >= most:
			return all[:most], append(notes, fmt.Sprintf("only the first %d %s are shown: narrow the query", most, what)), nil
		case fresh > 0 && paged && (len(page) >= pageSize || len(page)%10 == 0):
		default:
			if n > 0 && n%50 == 0 && fresh == 0 || n > 0 && n%50 == 0 && !paged {
				notes = append(notes, fmt.Sprintf("the server gave exactly %d %s and no more: it may stop there; narrow the query", n, what))
			}
			return all, notes, nil
		}
	}
}

// filesOf returns how many files the server has of a series, -1 where it does not say.
func (c *Client) filesOf(ctx context.Context, study, series string) int {
	all, err := c.getJSON(ctx, "studies/"+study+"/series", parameters("SeriesInstanceUID", series, "includefield", instancesInSeries))
	if err != nil {
		return -1
	}
	for _, s := range all {
		if n := s.number(instancesInSeries); s.text(seriesUID) == series && n >= 0 {
			return n
		}
	}
	return c.countFiles(ctx, study, series)
}

// countFiles is filesOf by a list of them.
func (c *Client) countFiles(ctx context.Context, study, series string) int {
	all, notes, err := c.pages(ctx, "studies/"+study+"/series/"+series+"/instances", "files", instanceUID, 10*maxStudies, "")
	if err != nil || len(notes) > 0 || len(all) == 0 { // it may have more, or list none
		return -1
	}
	return len(all)
}

// slicesOf returns the slices of a series: its files, where these are few their frames, since a file may hold a whole stack.
func (c *Client) slicesOf(ctx context.Context, s Series, enough int) (int, error) {
	if s.Instances >= enough {
		return s.Instances, nil
	}
	all, _, err := c.pages(ctx, "studies/"+s.Study+"/series/"+s.UID+"/instances", "files", instanceUID, 10*maxStudies, parameters("includefield", numberOfFrames))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, o := range all {
		n += max(1, o.number(numberOfFrames))
	}
	return n, nil
}
