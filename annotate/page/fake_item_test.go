package page_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
)

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
