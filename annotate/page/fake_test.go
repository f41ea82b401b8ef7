package page_test

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/page"
	"github.com/nextslice/nextslice/volume"
)

// fake is the annotation server's API on a few cases in memory: what the page
// needs to be tested without models and files.
type fake struct {
	// What a test sets before the page opens: several channels, a class unsure, models whose masks are outlines or empty, other fields of
	// tasks, and readings to decide between.
	channels, unsure bool
	classes          int // more than the two
	until            any // labels until the first model
	change           func(item string, task map[string]any)
	chances          func(item string, class int) []byte // of a class; nil: there is no such thing
	propose          func(item string) []byte            // the proposal of an item, in place of the usual one
	noProposal       map[string]bool                     // these items' proposals are empty
	agreement        *float64                            // of a reading that is saved with the one before
	items            int                                 // of the project, if not 62
	id               string                              // of the project
	session          string                              // who is logged in by now, if not the person of the cookie; "nobody": nobody
	t                testing.TB
	files            http.Handler
	dir              string // of the cases' files
	cases            map[string]*fakeCase
	order            []string // the queue, best first
	mu               sync.Mutex
	labels           map[string][]fakeVersion
	drafts           map[string][]byte
	bases            map[string]int // of the drafts
	skips            map[string]string
	down             bool          // answers nothing but errors, as a server that was killed
	gate             chan struct{} // if not nil, volumes of cases wait until it is closed
	saving           chan struct{} // likewise labels that are saved
	events           chan string
	seen             []string // requests, method and path
}

type fakeCase struct {
	image       *volume.Volume
	mask        *volume.Mask
	orientation map[string]string
}

type fakeVersion struct {
	Version  int       `json:"version"`
	Who      string    `json:"who"`
	When     time.Time `json:"when"`
	Seconds  float64   `json:"seconds"`
	Action   string    `json:"action"`
	Proposal *int      `json:"proposal"`
	Dice     *float64  `json:"dice_to_proposal"`
	Reading  int       `json:"reading"`
	Agree    *float64  `json:"agreement"`
	mask     []byte
}

// newFake serves the page in dist over two cases: "prostate", a phantom, and
// "wide", 320 x 320 voxels of 1.0 x 0.5 mm stored with the patient's left first
// and the front at the bottom, as NIfTI's RAS is.
func newFake(t testing.TB, dist string) (*fake, *httptest.Server) {
	cases, err := fakeCases()
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{
		t: t, files: http.FileServer(http.Dir(dist)), dir: cases.dir,
		cases:  cases.all,
		labels: map[string][]fakeVersion{}, drafts: map[string][]byte{}, bases: map[string]int{}, skips: map[string]string{},
		order:  []string{"prostate/010", "wide/003", "prostate/012", "wide/004", "prostate/007", "wide/008"},
		events: make(chan string, 8),
		id:     "PROJECTID",
	}
	server := httptest.NewServer(f)
	t.Cleanup(func() { // the page's event stream would keep Close waiting, and come again
		server.Listener.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return f, server
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", page.ContentSecurityPolicy)
	path, api := strings.CutPrefix(r.URL.EscapedPath(), "/api/v1")
	if !api {
		f.files.ServeHTTP(w, r)
		return
	}
	if path == "/events" {
		f.stream(w, r)
		return
	}
	if strings.HasSuffix(path, ".nii.gz") {
		f.mu.Lock()
		gate := f.gate
		f.seen = append(f.seen, r.Method+" "+path)
		f.mu.Unlock()
		if gate != nil {
			<-gate
		}
	}
	f.mu.Lock()
	if saving := f.saving; saving != nil && r.Method == "PUT" && strings.HasSuffix(path, "/label") {
		f.saving = nil
		f.mu.Unlock()
		<-saving
		f.mu.Lock()
	}
	defer f.mu.Unlock()
	if !strings.HasSuffix(path, ".nii.gz") {
		f.seen = append(f.seen, r.Method+" "+path)
	}
	if f.down {
		panic(http.ErrAbortHandler)
	}
	var part []string
	for _, p := range strings.Split(strings.Trim(path, "/"), "/") {
		p, err := url.PathUnescape(p)
		if err != nil {
			problem(w, http.StatusBadRequest, err.Error())
			return
		}
		part = append(part, p)
	}
	who := f.session
	if cookie, err := r.Cookie("person"); err == nil && who == "" {
		who = cookie.Value
	}
	if id := r.URL.Query().Get("for_project"); id != "" && id != f.id {
		w.WriteHeader(http.StatusPreconditionFailed)
		reply(w, map[string]any{"code": fault.OtherProject, "values": map[string]any{}})
		return
	}
	if path != "/login" {
		if who == "" || who == "nobody" {
			problem(w, http.StatusUnauthorized, "log in first")
			return
		}
		if name := r.URL.Query().Get("for_person"); name != "" && name != who {
			w.WriteHeader(http.StatusPreconditionFailed)
			reply(w, map[string]any{"code": fault.OtherPerson, "values": map[string]any{"who": who}})
			return
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	switch {
	case len(part) == 1:
		f.project(w, r, part[0], who, body)
	case part[0] == "tasks":
		if c, _, _ := f.split(part[1]); c == nil {
			problem(w, http.StatusNotFound, "there is no slice "+part[1])
		} else {
			reply(w, f.task(part[1]))
		}
	case part[0] == "cases" && len(part) == 5:
		c, _, k := f.split(part[1] + "/" + part[3])
		n := c.image.Size[0] * c.image.Size[1]
		out := slices.Clone(c.image.Data[k*n : (k+1)*n])
		if channel := r.URL.Query().Get("channel"); channel == "1" { // the second channel is the first one's negative
			for i, v := range out {
				out[i] = 1000 - v
			}
		}
		send(w, out)
	case part[0] == "cases":
		w.Header().Set("Cache-Control", "no-store") // as the server's: the browser asks each time
		http.ServeFile(w, r, filepath.Join(f.dir, part[1]+"-"+filepath.Base(part[2])))
	case part[0] == "items":
		f.item(w, r, part[1], part[2:], body)
	default:
		problem(w, http.StatusNotFound, "no such path")
	}
}

func (f *fake) project(w http.ResponseWriter, r *http.Request, what, who string, body []byte) {
	var in struct{ Name, Token, After string }
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			problem(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	switch r.Method + " " + what {
	case "POST login":
		if in.Name != "ada" && in.Name != "ben" {
			problem(w, http.StatusUnauthorized, "nobody of that name is on the list of this project")
			return
		}
		f.session = ""
		http.SetCookie(w, &http.Cookie{Name: "person", Value: in.Name, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		reply(w, map[string]string{"name": in.Name, "token": "t"})
	case "POST logout":
		http.SetCookie(w, &http.Cookie{Name: "person", Path: "/", MaxAge: -1})
		w.WriteHeader(http.StatusNoContent)
	case "GET me":
		reply(w, map[string]string{"name": who})
	case "GET project":
		var model any
		if f.until == nil {
			model = map[string]any{"version": 3, "validation_dice": 0.847, "labelled": 18}
		}
		classes := []map[string]any{{"value": 0, "name": "background", "color": "#000000"}, {"value": 1, "name": "prostate", "color": "#35d0ba"}, {"value": 2, "name": "transition zone", "color": "#ff9f43"}}
		for n := range f.classes {
			classes = append(classes, map[string]any{"value": 3 + n, "name": fmt.Sprintf("organ %d", 3+n), "color": fmt.Sprintf("#%02x8040", 20*n)})
		}
		if f.unsure {
			classes = append(classes, map[string]any{"value": 255, "name": "unsure", "color": "#808080"})
		}
		reply(w, map[string]any{
			"until_model": f.until, "warnings": []string{"data: Case07: 12 voxels are NaN or infinite: they count as background"}, "warnings_said": saidAs(fault.DataNaN, "case", "Case07", "n", 12),
			"id": f.id, "problems": []string{}, "name": "Prostate MR, first reading", "axis": 2, "items": cmp.Or(f.items, 62), "labelled": 18 + len(f.labels), "skipped": len(f.skips), "queue": len(f.order) - len(f.labels), "disputed": 0,
			"classes": classes,
			"people":  []map[string]any{{"name": "ada", "role": "annotator", "labelled": 14, "minutes": 21.5}, {"name": "grace", "role": "adjudicator", "labelled": 4, "minutes": 9}},
			"model":   model, "training": nil,
			"stop": map[string]any{"suggested": false, "reason": "The last 3 cycles have raised the best validation Dice by 0.020.", "said": saidAs(fault.StopRise, "cycles", 3, "rise", 0.02)}, "strategy": "stochastic batches of entropy", "query_size": 6,
		})
	case "POST next":
		if task := f.next(in.After); task != nil {
			reply(w, task)
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
	case "GET queue":
		out := []map[string]any{}
		for i, item := range f.order {
			state, rank := "waiting", i+1
			if len(f.labels[item]) > 0 {
				state, rank = "done", 0
			}
			out = append(out, map[string]any{"item": item, "rank": rank, "score": 0.31 - 0.01*float64(i), "state": state, "purpose": "training", "person": nil, "until": nil})
		}
		reply(w, out)
	case "GET cases":
		reply(w, []map[string]any{
			{"case": "prostate", "use": "training", "slices": 20, "labelled": len(f.marked("prostate", true)), "skipped": 0, "waiting": 3, "proposed": 3, "done": false, "next": 10},
			{"case": "wide", "use": "validation", "slices": 12, "labelled": 12, "skipped": 0, "waiting": 0, "proposed": 0, "done": true, "next": nil}})
	case "GET reviews":
		reply(w, []map[string]any{{"case": "prostate", "slices": 20, "labelled": 3, "waiting": 2, "accepted": 1, "rejected": 0, "discuss": 0, "returned": 0}})
	case "GET drafts":
		out := []map[string]any{}
		for item := range f.drafts {
			out = append(out, map[string]any{"item": item, "person": "ada", "when": time.Now()})
		}
		reply(w, out)
	case "GET history":
		reply(w, []map[string]any{
			{"when": time.Now().Add(-3 * time.Minute), "person": "ada", "action": "saved", "item": "prostate/007", "detail": "version 1, edited"}, // of an older program
			{"when": time.Now().Add(-4 * time.Minute), "person": "ada", "action": "label", "item": "prostate/006", "detail": "version 1, edited", "what": fault.Say(fault.LogLabel), "said": saidAs(fault.OfVersion, "version", 1, "action", "edited")},
			{"when": time.Now().Add(-9 * time.Minute), "person": "", "action": "model", "item": "", "detail": "version 3 on 18 labels: put into use: validation Dice 0.847, the model before 0.812",
				"what": fault.Say(fault.LogModel), "said": append(saidAs(fault.OfModel, "version", 3, "n", 18), better...)}})
	case "GET curves":
		reply(w, fakeCurves())
	case "GET export":
		if r.URL.Query().Get("format") == "dicom-seg" {
			problem(w, http.StatusUnprocessableEntity, "no case of this project is DICOM")
			return
		}
		w.Header().Set("Content-Disposition", `attachment; filename="labels.csv"`)
		io.WriteString(w, "item,version\n")
	case "GET models":
		reply(w, []map[string]any{
			{"version": 1, "cycle": 0, "labelled": 6, "validation_dice": 0.62, "in_use": false, "reason": "not worse on the validation labels", "when": time.Now().Add(-3 * time.Hour)},
			{"version": 2, "cycle": 1, "labelled": 12, "validation_dice": 0.812, "in_use": false, "reason": "not worse on the validation labels", "when": time.Now().Add(-2 * time.Hour)},
			{"version": 3, "cycle": 2, "labelled": 18, "validation_dice": 0.847, "in_use": true, "reason": "put into use: validation Dice 0.847, the model before 0.812", "said": better, "when": time.Now().Add(-time.Hour)}})
	default:
		problem(w, http.StatusNotFound, "no such path")
	}
}

func (f *fake) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case e := <-f.events:
			fmt.Fprintf(w, "data: %s\n\n", e)
			w.(http.Flusher).Flush()
		}
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"title":%q,"status":%d,"detail":%q}`, http.StatusText(status), status, detail)
}

func send(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(binary.Size(data)))
	if err := binary.Write(w, binary.LittleEndian, data); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
