package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page must open without a network: nothing in it may point outside.
func TestPageIsSelfContained(t *testing.T) {
	var b bytes.Buffer
	if err := goldenReport(t).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	outside := regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?(https?:|//|[a-z./]+\.(js|css|png|svg))|@import|url\(|fetch\(|XMLHttpRequest`)
	if found := outside.FindString(page); found != "" {
		t.Errorf("the page points outside itself: %s", found)
	}
	for _, want := range []string{"In short", "Read with care", "entropy+sb − entropy", "Test cases", "made-up", `class="published"`, "paired by initial set"} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "+", "&#43;")) {
			t.Errorf("%q is not on the page", want)
		}
	}
	for _, id := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+id[1]+`"`) {
			t.Errorf("a link to #%s leads nowhere", id[1])
		}
	}
	if strings.Contains(page, "NaN") || strings.Contains(page, "ZgotmplZ") {
		t.Error("a number or a text is missing on the page")
	}
}

// Names come from folders and files of others: none may become part of the page's code.
func TestPageEscapes(t *testing.T) {
	evil := `<script>alert("1")</script>`
	run := makeRun("", "random", 1, 0.5, 0.6)
	run.Cycles[0].Query = []string{evil + "/001"}
	run.Cycles[1].Cases = nil
	s := source(1, 1, []string{"random"}, run)
	s.Name, s.Data.Name, s.Data.Pool = evil, evil, []string{evil}
	r, err := Analyse([]Source{s}, Options{Draws: 10})
	if err != nil {
		t.Fatal(err)
	}
	r.Experiments[0].Classes = []string{evil}
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), evil) {
		t.Error("a name became part of the page's code")
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "report")
	r := goldenReport(t)
	for range 2 { // a report may be written again
		if err := r.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"index.html", "report.json", "tables.md", "tables.tex", "tables/table.csv", "tables/cases.csv",
		"figures/curves.png", "figures/classes.svg", "figures/forest.png", "figures/picks.svg", "figures/calibration.png", "figures/adjacent.png"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		switch filepath.Ext(name) {
		case ".svg":
			if !bytes.Contains(text, []byte("sans-serif;")) || bytes.Contains(text, []byte("family:Liberation")) {
				t.Errorf("%s names no font for where ours is missing", name)
			}
			for d := xml.NewDecoder(bytes.NewReader(text)); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Errorf("%s: %v", name, err)
					break
				}
			}
		case ".png":
			if !bytes.HasPrefix(text, []byte("\x89PNG")) {
				t.Errorf("%s is no PNG", name)
			}
		}
	}
	mine := t.TempDir()
	if err := os.WriteFile(filepath.Join(mine, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(mine); err == nil || !strings.Contains(err.Error(), "holds no report") {
		t.Errorf("a folder with something else was written to: %v", err)
	}
}
