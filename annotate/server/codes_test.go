package server_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/server"
)

// checkCode fails for an answer of the API that says what went wrong without a code that there is, with all of its values. Every request of
// these tests goes through it.
func (a answer) checkCode(t testing.TB, request string) {
	t.Helper()
	if a.status < 400 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") { // the protocol of MONAI Label has no codes
		return
	}
	var got struct {
		fault.Message
		Detail string
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		t.Fatal(err)
	}
	names, known := fault.Codes[got.Code]
	if !known || len(got.Values) != len(names) || got.Detail == "" {
		t.Errorf("%s: %d without a code, its values or a sentence: %s", request, a.status, a.body)
	}
	for _, name := range names {
		if _, has := got.Values[name]; !has {
			t.Errorf("%s: %s has no value %q: %s", request, got.Code, name, a.body)
		}
	}
}

// Errors of the project, of the server and of requests that never reach it have codes.
func TestEveryErrorHasACode(t *testing.T) {
	s := start(t, server.Options{}, nil, nil)
	ana, ben := s.logIn("ana", ""), s.logIn("ben", "")
	s.want(200, s.do("POST", path("c1/002")+"/hold", "", ana...))
	for _, c := range []struct {
		method, path, body string
		who                []string
		status             int
		code               fault.Code
		value              string // of the first name, as JSON
	}{
		{"POST", "/api/v1/login", `{"name":" "}`, nil, 422, fault.NameMissing, ""},
		{"GET", "/api/v1/me", "", nil, 401, fault.LogIn, ""},
		{"POST", path("c1/002") + "/hold", "", ben, 409, fault.Held, `"ana"`},
		{"GET", "/api/v1/tasks/c1%2F099", "", ana, 404, fault.NoItem, `"c1/099"`},
		{"GET", path("c1/002") + "/proposal", "", ana, 404, fault.NotSegmented, `"c1/002"`},
		{"PUT", path("c1/002") + "/label", "abc", ana, 422, fault.MaskSize, "3"},
		{"GET", path("c1/002") + "/versions/7/mask", "", ana, 404, fault.NoVersion, `"c1/002"`},
		{"GET", "/api/v1/export?format=nifti", "", ana, 422, fault.ExportNoneWhole, ""},
		{"GET", "/api/v1/export?format=paper", "", ana, 422, fault.Invalid, ""},                        // refused by the description of the API
		{"POST", path("c1/002") + "/skip", `{"reason":"x","seconds":-1}`, ana, 422, fault.Invalid, ""}, // likewise
		{"POST", path("c1/002") + "/skip", `{`, ana, 400, fault.Invalid, ""},
	} {
		a := s.do(c.method, c.path, c.body, c.who...)
		var got fault.Message
		if err := json.Unmarshal(a.body, &got); err != nil || a.status != c.status || got.Code != c.code {
			t.Errorf("%s %s: %d %s, want %d %s: %s", c.method, c.path, a.status, got.Code, c.status, c.code, a.body)
			continue
		}
		if c.value != "" {
			if text, _ := json.Marshal(got.Values[fault.Codes[c.code][0]]); string(text) != c.value {
				t.Errorf("%s %s: value %s, want %s", c.method, c.path, text, c.value)
			}
		}
	}
	var task annotate.Task
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/tasks/c1%2F002", "", ana...)).body, &task); err != nil || task.Note != "" && task.Why == nil {
		t.Errorf("why there is no proposal: %q, %v, %v", task.Note, task.Why, err)
	}
}

// There is no code that nothing has.
func TestEveryCodeIsUsed(t *testing.T) {
	source := ""
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && filepath.Base(filepath.Dir(path)) != "fault" {
			text, fault := os.ReadFile(path)
			source, err = source+string(text), fault
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for file, codes := range map[string]map[fault.Code][]string{"codes.go": fault.Codes, "told.go": fault.Told} {
		constants, err := os.ReadFile("../fault/" + file)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(constants)) {
			name, value, ok := strings.Cut(line, " Code = ")
			if !ok {
				continue
			}
			found++
			event, log := strings.CutPrefix(strings.Trim(value, "\"\n"), "log-") // of the name of the store's event
			used := log && strings.Contains(source, `"`+strings.ReplaceAll(event, "-", " ")+`"`)
			if name = strings.TrimSpace(name); !used && !strings.Contains(source, "fault."+name) {
				t.Errorf("nothing has the code %s", name)
			}
		}
		if found != len(codes) || found < 40 {
			t.Errorf("%s: %d constants, %d codes", file, found, len(codes))
		}
	}
	for code := range fault.Told {
		if _, twice := fault.Codes[code]; twice {
			t.Errorf("%s is two codes", code)
		}
	}
}

// Every line of the audit log has a code, and so have its details, but for the reason of a skip: a person's words.
func TestEveryEventHasACode(t *testing.T) {
	found := 0
	for _, dir := range []string{"..", "../store"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				name, detail, said := "", false, false
				switch n := n.(type) {
				case *ast.CompositeLit: // of store.Event
					for _, e := range n.Elts {
						pair, ok := e.(*ast.KeyValueExpr)
						if !ok {
							continue
						}
						switch fmt.Sprint(pair.Key) {
						case "Event":
							if text, ok := pair.Value.(*ast.BasicLit); ok {
								name = strings.Trim(text.Value, `"`)
							}
						case "Detail":
							detail = true
						case "Said":
							said = true
						}
					}
				case *ast.CallExpr:
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Recover" && len(n.Args) == 3 {
						if text, ok := n.Args[1].(*ast.BasicLit); ok {
							name = strings.Trim(text.Value, `"`)
						}
					}
				}
				if name == "" {
					return true
				}
				found++
				if _, known := fault.LogCode(name); !known {
					t.Errorf("%v: the event %q has no code", set.Position(n.Pos()), name)
				}
				if detail && !said && name != "skip" {
					t.Errorf("%v: the details of %q have no code", set.Position(n.Pos()), name)
				}
				return true
			})
		}
	}
	if found != len(events()) {
		t.Errorf("%d events found, there are codes for %d", found, len(events()))
	}
}

func events() (codes []fault.Code) {
	for code := range fault.Told {
		if strings.HasPrefix(string(code), "log-") {
			codes = append(codes, code)
		}
	}
	return codes
}
