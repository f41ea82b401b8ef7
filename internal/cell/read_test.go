package cell

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// wide is a text in UTF-16 with its mark.
func wide(text string, big bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

// One table as many programs write it.
func TestNewReader(t *testing.T) {
	want := [][]string{{"id", "score"}, {"ä 1/3", "0.5"}, {"b", ""}}
	commas := "id,score\nä 1/3,0.5\nb,\n"
	semicolons, tabs := strings.ReplaceAll(commas, ",", ";"), strings.ReplaceAll(commas, ",", "\t")
	for name, text := range map[string]string{
		"commas": commas, "marked": "\ufeff" + commas, "marked and quoted": "\ufeff\"id\",\"score\"\r\n\"ä 1/3\",\"0.5\"\r\n\"b\",\"\"\r\n", "blank lines first": "\r\n\n" + semicolons,
		"semicolons": semicolons, "tabs": tabs, "quoted semicolons": "\ufeff\"id\";\"score\"\r\n\"ä 1/3\";0.5\r\nb;\r\n",
		"UTF-16": wide(tabs, false), "UTF-16, big end first": wide(commas, true), "blanks": "id, score\nä 1/3, 0.5\nb,\n",
	} {
		got, err := NewReader(strings.NewReader(text), "id", "score").ReadAll()
		if err != nil || !slices.EqualFunc(got, want, func(a, b []string) bool { return slices.Equal(a, b) }) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// What is no heading, or has a comma, is separated by commas.
	for text, want := range map[string]int{"a;1\n": 1, "id;x,score\n": 2, "name;value\n": 1, "id\n": 1, "": 0} {
		if got, err := NewReader(strings.NewReader(text), "id", "score").ReadAll(); err != nil || len(got) > 0 && len(got[0]) != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if got, err := NewReader(strings.NewReader("id\tnote\tscore\nx\t\t1\n"), "id").ReadAll(); err != nil || !slices.Equal(got[1], []string{"x", "", "1"}) {
		t.Errorf("an empty field between tabs: %q, %v", got, err)
	}
}

func TestColumn(t *testing.T) {
	heading := []string{"Case", " ID ", "note", "note"}
	for name, want := range map[string]int{"case": 0, "id": 1, "score": -1} {
		if got, err := Column(heading, name); got != want || err != nil {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if _, err := Column(heading, "note"); err == nil || !strings.Contains(err.Error(), "two columns note") {
		t.Error(err)
	}
}
