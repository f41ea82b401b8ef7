// Package bundle turns the annotation page's TypeScript into files for a browser.
package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// Page bundles the page whose source is web, the folder with package.json, into
// the folder dist: index.html and assets/. Older assets in dist are removed.
//
// The npm packages must be there: run `npm ci` in web first.
func Page(web, dist string) error {
	web, err := filepath.Abs(web)
	if err != nil {
		return err
	}
	if dist, err = filepath.Abs(dist); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(web, "node_modules", "preact")); err != nil {
		return fmt.Errorf("bundle the page: npm packages are missing, run `npm ci` in %s", web)
	}
	if err := os.RemoveAll(filepath.Join(dist, "assets")); err != nil {
		return err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:       web,
		EntryPointsAdvanced: []api.EntryPoint{{InputPath: "src/main.tsx", OutputPath: "page"}},
		Outdir:              filepath.Join(dist, "assets"),
		EntryNames:          "[name]-[hash]",
		ChunkNames:          "[name]-[hash]",
		AssetNames:          "[name]-[hash]",
		Bundle:              true,
		Splitting:           true, // the viewer is loaded when it is opened
		Format:              api.FormatESModule,
		Target:              api.ES2022,
		JSX:                 api.JSXAutomatic,
		JSXImportSource:     "preact",
		MinifyWhitespace:    true,
		MinifyIdentifiers:   true,
		MinifySyntax:        true,
		LegalComments:       api.LegalCommentsNone,   // licenses writes them all
		External:            []string{"numcodecs/*"}, // of NiiVue, for Zarr, which the server does not send
		Metafile:            true,
		Write:               true,
		LogLevel:            api.LogLevelSilent,
	})
	if err := failure(result.Errors); err != nil {
		return err
	}
	script, style, err := entry(result.Metafile)
	if err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(web, "src", "index.html"))
	if err != nil {
		return err
	}
	page, err := template.New("index.html").Parse(string(source))
	if err != nil {
		return err
	}
	var html bytes.Buffer
	if err := page.Execute(&html, map[string]string{"Script": "assets/" + script, "Style": "assets/" + style}); err != nil {
		return err
	}
	notices, err := licenses(web, result.Metafile)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(dist, "assets", "licenses.txt"), notices, 0o644); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dist, "index.html"), html.Bytes(), 0o644)
}

// licenses gathers the licence texts of the npm packages that went into the page,
// as their licences ask of those who pass them on.
func licenses(web, metafile string) ([]byte, error) {
	var meta struct {
		Inputs map[string]struct{} `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return nil, err
	}
	packages := map[string]bool{}
	for name := range meta.Inputs {
		at := strings.LastIndex(name, "node_modules/")
		if at < 0 {
			continue
		}
		part := strings.Split(name[at+len("node_modules/"):], "/")
		length := 1
		if strings.HasPrefix(part[0], "@") {
			length = 2
		}
		packages[name[:at]+"node_modules/"+path.Join(part[:length]...)] = true
	}
	var out bytes.Buffer
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		text, err := os.ReadFile(filepath.Join(web, dir, "package.json"))
		if err != nil {
			return nil, err
		}
		var about struct{ Name, Version, License string }
		if err := json.Unmarshal(text, &about); err != nil {
			return nil, fmt.Errorf("%s/package.json: %w", dir, err)
		}
		fmt.Fprintf(&out, "%s %s: %s\n\n", about.Name, about.Version, about.License)
		files, err := filepath.Glob(filepath.Join(web, dir, "[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&out, "%s\n\n", strings.TrimSpace(string(text)))
		}
	}
	return out.Bytes(), nil
}

// entry finds the names of the page's script and style sheet in esbuild's
// account of what it wrote.
func entry(metafile string) (script, style string, err error) {
	var meta struct {
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
			CSSBundle  string `json:"cssBundle"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return "", "", err
	}
	for name, out := range meta.Outputs {
		if out.EntryPoint == "src/main.tsx" && out.CSSBundle != "" {
			return path.Base(name), path.Base(out.CSSBundle), nil
		}
	}
	return "", "", errors.New("bundle the page: esbuild wrote no script for src/main.tsx")
}

func failure(messages []api.Message) error {
	if len(messages) == 0 {
		return nil
	}
	text := api.FormatMessages(messages, api.FormatMessagesOptions{Kind: api.ErrorMessage})
	return fmt.Errorf("bundle the page:\n%s", strings.Join(text, ""))
}
