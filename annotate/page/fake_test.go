package page_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
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
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/random"
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
	}
	server := httptest.NewServer(f)
	t.Cleanup(func() { // the page's event stream would keep Close waiting, and come again
		server.Listener.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return f, server
}

// caseFiles are the cases of all fake servers, and a folder with their images and masks as files.
type caseFiles struct {
	all map[string]*fakeCase
	dir string
}

// fakeCases makes the cases once for all tests of this package, which change nothing of them.
var fakeCases = sync.OnceValues(func() (caseFiles, error) {
	dir, err := folder("nextslice-cases")
	if err != nil {
		return caseFiles{}, err
	}
	c := caseFiles{map[string]*fakeCase{"prostate": phantomCase(), "wide": wideCase()}, dir}
	for name, one := range c.all {
		err = errors.Join(err,
			volume.WriteVolume(filepath.Join(dir, name+"-image.nii.gz"), one.image),
			volume.WriteMask(filepath.Join(dir, name+"-label.nii.gz"), one.mask),
			volume.WriteMask(filepath.Join(dir, name+"-proposal.nii.gz"), one.mask))
	}
	return c, err
})

func phantomCase() *fakeCase {
	image, mask := phantom.Generate(random.Stream(1, "x", 2))
	return &fakeCase{image, mask, map[string]string{"left": "R", "right": "L", "top": "A", "bottom": "P"}}
}

func wideCase() *fakeCase {
	const n, slices = 320, 12
	grid := volume.Grid{Size: [3]int{n, n, slices}, Unit: "mm",
		Affine: [3][4]float64{{0.5, 0, 0, -80}, {0, 1, 0, -160}, {0, 0, 3, -20}}}
	image := &volume.Volume{Grid: grid, Data: make([]float32, grid.Len()), Stored: "float32"}
	mask := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
	rng := random.Stream(3, "wide")
	for i := range image.Data {
		x, y, z := float64(i%n)-150, float64(i/n%n)-170, float64(i/n/n)-6
		r := math.Hypot(x/90, y/60) + 0.02*z*z
		image.Data[i] = float32(400/(1+math.Exp(12*(r-1))) + 60*math.Sin(x/17)*math.Cos(y/11) + 15*rng.NormFloat64())
		if r < 1 {
			mask.Data[i] = 1
			if r < 0.5 {
				mask.Data[i] = 2
			}
		}
	}
	return &fakeCase{image, mask, map[string]string{"left": "L", "right": "R", "top": "P", "bottom": "A"}}
}

func (f *fake) split(item string) (*fakeCase, string, int) {
	cut := strings.LastIndex(item, "/")
	if cut < 0 {
		return nil, "", 0
	}
	k, err := strconv.Atoi(item[cut+1:])
	c := f.cases[item[:cut]]
	if err != nil || c == nil || k >= c.image.Size[2] {
		return nil, "", 0
	}
	return c, item[:cut], k
}

// slice is the masks' part of slice k.
func (c *fakeCase) slice(k int) []byte {
	n := c.mask.Size[0] * c.mask.Size[1]
	return c.mask.Data[k*n : (k+1)*n]
}

// proposal is the mask moved by two columns and a row: something to correct.
func (f *fake) proposal(item string) []byte {
	c, _, k := f.split(item)
	w, h := c.mask.Size[0], c.mask.Size[1]
	mask, out := c.slice(k), make([]byte, w*h)
	if f.propose != nil {
		return f.propose(item)
	}
	if f.noProposal[item] {
		return out
	}
	for y := 1; y < h; y++ {
		copy(out[y*w+2:(y+1)*w], mask[(y-1)*w:])
	}
	return out
}

// uncertainty is high where the proposal's neighbours differ.
func (f *fake) uncertainty(item string) []float32 {
	c, _, _ := f.split(item)
	p, w := f.proposal(item), c.mask.Size[0]
	out := make([]float32, len(p))
	for i := range p {
		for _, d := range []int{1, 2, 3, w, 2 * w, 3 * w} {
			if i+d < len(p) && p[i] != p[i+d] {
				out[i] += 0.11
				out[i+d] += 0.11
			}
		}
	}
	return out
}

func (f *fake) task(item string) map[string]any {
	c, name, k := f.split(item)
	s, size := c.image.Spacing(), c.image.Size
	low, high := c.image.Data[0], c.image.Data[0]
	for _, v := range c.image.Data {
		low, high = min(low, v), max(high, v)
	}
	var label any
	if v := f.labels[item]; len(v) > 0 {
		label = v[len(v)-1].Version
	}
	task := map[string]any{
		"item": item, "case": name, "modality": "MR", "presets": []any{}, "drafts": []any{}, "slice": k, "slices": size[2], "height": size[1], "width": size[0],
		"spacing": []float64{s[1], s[0]}, "unit": "mm", "orientation": c.orientation, "position_mm": c.image.World(0, 0, float64(k))[2],
		"step_mm": s[2], "window": map[string]float32{"low": low, "high": high * 0.8}, "score": 0.31 - 0.01*float64(slices.Index(f.order, item)),
		"rank": slices.Index(f.order, item) + 1, "proposal": true, "uncertainty": true, "label": label, "draft": f.drafts[item] != nil, "draft_base": f.bases[item],
		"purpose": "training", "skipped": f.skips[item] != "", "labelled_slices": f.marked(name, true), "queued_slices": f.marked(name, false),
		"lease": map[string]any{"person": "ada", "until": time.Now().Add(time.Hour)}, "model": 3,
	}
	if f.channels {
		task["channels"] = []map[string]any{
			{"name": "T2", "window": map[string]float32{"low": low, "high": high * 0.8}},
			{"name": "ADC", "window": map[string]float32{"low": 1000 - high, "high": 1000 - low}}}
	}
	if f.change != nil {
		f.change(item, task)
	}
	return task
}

// marked are the slices of a case that are labelled, or those that wait.
func (f *fake) marked(name string, labelled bool) []int {
	out, of := []int{}, f.order
	if labelled {
		of = slices.Sorted(maps.Keys(f.labels))
	}
	for _, item := range of {
		if _, of, k := f.split(item); of == name && (len(f.labels[item]) > 0) == labelled {
			out = append(out, k)
		}
	}
	return out
}

// next is the best waiting item after another one, nil at the end.
func (f *fake) next(after string) any {
	from := slices.Index(f.order, after) + 1
	for i := range f.order {
		item := f.order[(from+i)%len(f.order)]
		if item != after && len(f.labels[item]) == 0 && f.skips[item] == "" {
			return f.task(item)
		}
	}
	return nil
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
	if cookie, err := r.Cookie("person"); err != nil || cookie.Value == "" {
		if path != "/login" {
			problem(w, http.StatusUnauthorized, "log in first")
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
		f.project(w, r, part[0], body)
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

func (f *fake) project(w http.ResponseWriter, r *http.Request, what string, body []byte) {
	var in struct{ Name, Token, After string }
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			problem(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	switch r.Method + " " + what {
	case "POST login":
		if in.Name != "ada" {
			problem(w, http.StatusUnauthorized, "nobody of that name is on the list of this project")
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "person", Value: in.Name, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		reply(w, map[string]string{"name": in.Name, "token": "t"})
	case "POST logout":
		http.SetCookie(w, &http.Cookie{Name: "person", Path: "/", MaxAge: -1})
		w.WriteHeader(http.StatusNoContent)
	case "GET me":
		reply(w, map[string]string{"name": "ada"})
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
			"id": "PROJECTID", "problems": []string{}, "name": "Prostate MR, first reading", "axis": 2, "items": cmp.Or(f.items, 62), "labelled": 18 + len(f.labels), "skipped": len(f.skips), "queue": len(f.order) - len(f.labels), "disputed": 0,
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

// better is why the model is in use.
var better = saidAs(fault.ModelBetter, "dice", 0.847, "before", 0.812)

// saidAs is a text of the server's as its one code.
func saidAs(code fault.Code, pairs ...any) []fault.Message {
	return []fault.Message{fault.Say(code, pairs...)}
}

func fakeCurves() map[string]any {
	var labels []map[string]any
	for n := range 18 {
		var dice any
		if n >= 6 {
			dice = 0.93 - 0.5*math.Exp(-float64(n)/5) - 0.04*math.Abs(math.Sin(3.1*float64(n)))
		}
		labels = append(labels, map[string]any{"n": n + 1, "item": fmt.Sprintf("prostate/%03d", n), "dice_to_proposal": dice, "seconds": 95 - 3*float64(n) + 14*math.Sin(5*float64(n))})
	}
	return map[string]any{
		"cycles": []map[string]any{
			{"cycle": 0, "labelled": 6, "minutes": 9.5, "validation_dice": 0.62, "proposal_dice": nil},
			{"cycle": 1, "labelled": 12, "minutes": 17.0, "validation_dice": 0.812, "proposal_dice": 0.74},
			{"cycle": 2, "labelled": 18, "minutes": 22.5, "validation_dice": 0.847, "proposal_dice": 0.861}},
		"labels": labels, "judged": map[string]any{"labels": 14, "foreground": 11, "cases": 3}, "forecast": map[string]any{"next_labels": 6, "gain": 0.014, "text": "The next 6 labels are expected to bring +0.014 validation Dice.", "said": saidAs(fault.ForecastGain, "n", 6, "gain", 0.014)},
	}
}

func (f *fake) item(w http.ResponseWriter, r *http.Request, item string, what []string, body []byte) {
	c, _, k := f.split(item)
	if c == nil {
		problem(w, http.StatusNotFound, "there is no slice "+item)
		return
	}
	if r.Method == "PUT" && len(body) != len(c.slice(k)) {
		problem(w, http.StatusUnprocessableEntity, fmt.Sprintf("%d bytes, want %d", len(body), len(c.slice(k))))
		return
	}
	versions := f.labels[item]
	switch r.Method + " " + what[0] {
	case "GET proposal":
		w.Header().Set("X-Model", "3")
		send(w, f.proposal(item))
	case "GET uncertainty":
		send(w, f.uncertainty(item))
	case "GET chances":
		class, err := strconv.Atoi(r.URL.Query().Get("class"))
		if err != nil || f.chances == nil {
			problem(w, http.StatusNotFound, "no model")
			return
		}
		send(w, f.chances(item, class))
	case "GET draft":
		send(w, f.drafts[item])
	case "PUT draft":
		base, err := strconv.Atoi(r.URL.Query().Get("base"))
		if err != nil {
			problem(w, http.StatusUnprocessableEntity, "a draft without its base")
			return
		}
		f.drafts[item], f.bases[item] = body, base
		w.WriteHeader(http.StatusNoContent)
	case "GET label":
		send(w, versions[len(versions)-1].mask)
	case "PUT label":
		q := r.URL.Query()
		seconds, err := strconv.ParseFloat(q.Get("seconds"), 64)
		proposal, err2 := strconv.Atoi(q.Get("proposal"))
		if q.Get("proposal") == "" && f.task(item)["proposal"] == false {
			err2 = nil
		}
		if err != nil || err2 != nil || !slices.Contains([]string{"edited", "accepted", "empty"}, q.Get("action")) {
			problem(w, http.StatusUnprocessableEntity, "query: "+r.URL.RawQuery)
			return
		}
		if q.Get("action") == "empty" && !bytes.Equal(body, make([]byte, len(body))) {
			problem(w, http.StatusUnprocessableEntity, "the mask is said to be empty and is not")
			return
		}
		if base, err := strconv.Atoi(q.Get("base")); err == nil && base < len(versions) && !(versions[len(versions)-1].Who == "ada" && bytes.Equal(versions[len(versions)-1].mask, body)) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			json.NewEncoder(w).Encode(map[string]any{"detail": "somebody was quicker", "code": fault.SavedMeanwhile,
				"values": map[string]any{"who": versions[len(versions)-1].Who, "version": len(versions), "item": item}})
			return
		}
		f.save(item, fakeVersion{Who: "ada", When: time.Now(), Seconds: seconds, Action: q.Get("action"), Proposal: &proposal, mask: body})
		reply(w, map[string]any{"version": len(f.labels[item]), "labelled": f.agreement == nil || *f.agreement >= 0.8, "agreement": f.agreement, "next": f.next(item)})
	case "POST release":
		w.WriteHeader(http.StatusNoContent)
	case "POST hold":
		reply(w, map[string]any{"person": "ada", "until": time.Now().Add(time.Hour)})
	case "POST skip":
		var in struct{ Reason string }
		if err := json.Unmarshal(body, &in); err != nil || in.Reason == "" {
			problem(w, http.StatusUnprocessableEntity, "skip without a reason")
			return
		}
		f.skips[item] = in.Reason
		w.WriteHeader(http.StatusNoContent)
	case "GET versions":
		if len(what) == 1 {
			reply(w, versions)
			return
		}
		n, err := strconv.Atoi(what[1])
		if err != nil || n < 1 || n > len(versions) {
			problem(w, http.StatusNotFound, "no such version")
			return
		}
		send(w, versions[n-1].mask)
	case "POST versions":
		n, err := strconv.Atoi(what[1])
		if err != nil || n < 1 || n > len(versions) {
			problem(w, http.StatusNotFound, "no such version")
			return
		}
		f.save(item, fakeVersion{Who: "ada", When: time.Now(), Action: "restored", mask: versions[n-1].mask})
		w.WriteHeader(http.StatusNoContent)
	default:
		problem(w, http.StatusNotFound, "no such path")
	}
}

func (f *fake) save(item string, v fakeVersion) {
	v.Version = len(f.labels[item]) + 1
	f.labels[item] = append(f.labels[item], v)
	if v.Who == "ada" {
		delete(f.drafts, item)
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

// latest is the newest saved version of an item.
func (f *fake) latest(item string) (fakeVersion, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v := f.labels[item]
	if len(v) == 0 {
		return fakeVersion{}, false
	}
	return v[len(v)-1], true
}

func (f *fake) draft(item string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.drafts[item]
}

// hold keeps the volumes of cases back until a gate is closed; nil: no longer.
func (f *fake) hold(gate chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gate = gate
}

// asked is how many requests had such an end.
func (f *fake) asked(end string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.seen {
		if strings.HasSuffix(r, end) {
			n++
		}
	}
	return n
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
