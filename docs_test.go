package nextslice

import (
	"bytes"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// TestDocs holds that what a Markdown file links to is there: files, folders, pictures, and the headings behind a #. Links
// to other hosts are not followed. Every page of docs/ is in the site's navigation.
func TestDocs(t *testing.T) {
	pages := map[string]*page{}
	for _, name := range markdownFiles(t) {
		pages[name] = readPage(t, name)
	}
	if len(pages) < 30 {
		t.Fatalf("%d Markdown files were found", len(pages))
	}
	for name, p := range pages {
		if p.html {
			t.Errorf("%s links by HTML, which is not checked: write Markdown", name)
		}
		for _, link := range p.links {
			if problem := broken(pages, name, link); problem != "" {
				t.Errorf("%s: (%s) %s", name, link, problem)
			}
		}
	}
	site, err := os.ReadFile("zensical.toml")
	if err != nil {
		t.Fatal(err)
	}
	for name := range pages {
		if in, is := strings.CutPrefix(name, "docs/"); is && !bytes.Contains(site, []byte(`"`+in+`"`)) {
			t.Errorf("%s is missing in zensical.toml, under nav", name)
		}
	}
	for _, m := range regexp.MustCompile(`"([^"]+\.md)"`).FindAllSubmatch(site, -1) {
		name := string(m[1])
		if pages["docs/"+name] == nil && pages[name] == nil && name != "index.md" {
			t.Errorf("zensical.toml: there is no page %s", name)
		}
	}
}

// page is what one Markdown file links to, and what can be linked to in it.
type page struct {
	links   []string
	anchors map[string]bool
	html    bool // links by HTML, which nobody checks
}

var tag = regexp.MustCompile(`(?i)\b(href|src)\s*=`)

// markdownFiles lists those that are the project's: tracked by Git or, in a copy without Git, outside ignored folders.
func markdownFiles(t *testing.T) (names []string) {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "-co", "--exclude-standard", "--", "*.md").Output()
	if err == nil && len(out) > 0 {
		for _, name := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			if _, err := os.Stat(name); err == nil {
				names = append(names, name)
			}
		}
		return names
	}
	err = filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".venv" || name == "site"):
			return fs.SkipDir
		case filepath.Ext(name) == ".md":
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func readPage(t *testing.T, name string) *page {
	t.Helper()
	source, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	p := &page{anchors: map[string]bool{}}
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	err = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.HTMLBlock:
			p.html = p.html || tag.Match(n.Lines().Value(source))
		case *ast.RawHTML:
			p.html = p.html || tag.Match(n.Segments.Value(source))
		case *ast.Heading:
			p.anchors[anchor(words(n, source))] = true
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// words is the text of a node without its marks.
func words(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if s, is := c.(*ast.Text); is {
			b.Write(s.Value(source))
		} else {
			b.WriteString(words(c, source))
		}
	}
	return b.String()
}

// anchor is what GitHub calls a heading behind the #; the site does the same for headings of letters, digits and hyphens.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// broken says what is wrong with a link of a page, or nothing.
func broken(pages map[string]*page, from, link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return "is no URL: " + err.Error()
	}
	if u.Scheme != "" || u.Host != "" {
		return ""
	}
	if strings.HasPrefix(u.Path, "/") {
		return "begins with /: it leads nowhere on the site and on GitHub"
	}
	target := from
	if u.Path != "" {
		target = path.Join(path.Dir(from), u.Path)
		if strings.HasPrefix(target, "../") {
			return "leaves the repository"
		}
		if _, err := os.Stat(filepath.FromSlash(target)); err != nil {
			return "is not there"
		}
	}
	if u.Fragment == "" {
		return ""
	}
	if pages[target] == nil {
		return "has a # and is no Markdown"
	}
	if !pages[target].anchors[u.Fragment] {
		return "has no such heading"
	}
	return ""
}
