// Package page holds the annotation page: its source in TypeScript, and the
// files that a browser loads, which `make web` builds into dist.
//
// Words: a task is the slice of a case that a person is asked to label. The
// proposal is the model's own mask of it. A draft is an unfinished mask. See
// package annotate for the server that the page talks to.
//
// Where to start reading: src/main.tsx shows what the page consists of,
// src/editor/editor.ts is the slice editor, src/flow.ts the way from slice to slice, src/api.ts the server's API as the
// page sees it. bundle.Page turns the source into dist.
package page

import (
	"embed"
	"errors"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// ContentSecurityPolicy is what the page needs and no more: scripts and data
// from its own server only. Workers from blobs are NiiVue's.
const ContentSecurityPolicy = "default-src 'self'; img-src 'self' blob: data:; worker-src 'self' blob:; " +
	"style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Files returns the page's files with index.html at the root. The other files
// lie under assets/ and carry a hash of their content in their names: they
// never change and may be cached for good, index.html must not be.
//
// In a program built without `make web`, index.html says so and is the only file.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("page: Files: " + err.Error())
	}
	return files(sub)
}

// files shows unbuilt.html as index.html where there is no index.html.
func files(built fs.FS) fs.FS {
	if _, err := fs.Stat(built, "index.html"); errors.Is(err, fs.ErrNotExist) {
		return unbuilt{built}
	}
	return built
}

type unbuilt struct{ fs.FS }

func (u unbuilt) Open(name string) (fs.File, error) {
	switch name {
	case ".": // a file server asks for the folder before its index.html
		return u.FS.Open(name)
	case "index.html":
		return u.FS.Open("unbuilt.html")
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
