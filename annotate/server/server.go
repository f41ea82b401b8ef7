package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/monailabel"
)

// Options configure a server.
type Options struct {
	// Page are the page's files, index.html at the root; those under assets/ never change. nil: the API alone.
	Page fs.FS
	// ContentSecurityPolicy of the page.
	ContentSecurityPolicy string
	// Token is asked for at login if it is not empty.
	Token string
	// Local refuses requests for host names other than those of this machine's loopback address.
	Local bool
	// Secure says that the server is reached by TLS only.
	Secure bool
}

// Server is the HTTP handler of one project.
type Server struct {
	project *annotate.Project
	options Options
	handler http.Handler
	slicer  *monailabel.Handler
	api     huma.API

	quit  chan struct{} // closed by Close: ends event streams
	once  sync.Once
	login attempts
	masks chan struct{} // holds an element for each mask that is on its way
}

// Sizes of requests. Masks are one byte per pixel.
const (
	maxJSON = 64 << 10
	maxMask = 32 << 20
)

// Masks that are received at the same time, each of at most the largest slice of the project, and how long another one waits for its turn.
const (
	mostMasks = 8
	maskWait  = 3 * time.Second
)

// New returns the handler of a project.
func New(p *annotate.Project, o Options) *Server {
	s := &Server{
		project: p, options: o, quit: make(chan struct{}), masks: make(chan struct{}, mostMasks),
		login: attempts{now: time.Now, wrong: map[string]*guesses{}},
	}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("nextslice annotation", "1")
	config.Info.Description = "What the annotation page does, for scripts. Arrays of numbers are raw and little-endian, row by row. " +
		"An item is named CASE/SLICE with at least three digits and is one element of a path: Case12%2F017. " +
		"Any request may name the project (its id) and the person that it is meant for, as the query parameters " + forProject + " and " + forPerson + ": " +
		"where another project or person answers to it, it does nothing and gets 412. The page does so."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"cookie": {Type: "apiKey", In: "cookie", Name: "nextslice-ID", Description: "ID is the beginning of the project's: see its field id."},
		"bearer": {Type: "http", Scheme: "bearer"},
	}
	config.DocsPath = "" // it would come from a CDN
	config.OpenAPIPath = prefix + "/openapi"
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema in answers
	config.Transformers = append(config.Transformers, withCode)
	s.api = humago.New(mux, config)
	s.register()
	nullable(s.api.OpenAPI())
	describeCodes(s.api.OpenAPI())
	if o.Page != nil {
		mux.Handle("GET /", s.page(http.FileServerFS(o.Page)))
	}
	s.slicer = monailabel.New(p, door{s})
	s.handler = http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(mux), maxMask+1)
	return s
}

// OpenAPI returns the description of the API as JSON.
func (s *Server) OpenAPI() ([]byte, error) { return s.api.OpenAPI().MarshalJSON() }

// Close ends the event streams, so that http.Server.Shutdown can end, and removes temporary files.
func (s *Server) Close() {
	s.once.Do(func() { close(s.quit) })
	s.slicer.Close()
}

// HTTP returns an http.Server around s whose requests are bounded in time.
func (s *Server) HTTP() *http.Server {
	server := bounded(s)
	server.RegisterOnShutdown(s.Close)
	return server
}

// MONAILabel returns an http.Server with the protocol of MONAI Label at its root, which is at [MONAILabelPath] of the server too. local
// says that the address it listens on is reached from this machine only.
func (s *Server) MONAILabel(local bool) *http.Server {
	return bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, s.protocol(), local) }))
}

// MONAILabelPath is where the protocol of MONAI Label is, beside the page.
const MONAILabelPath = "/monailabel"

// protocol is the handler of the protocol of MONAI Label, which bounds what it reads itself.
func (s *Server) protocol() http.Handler { return http.NewCrossOriginProtection().Handler(s.slicer) }

func bounded(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute, // streams and exports set their own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := s.handler
	if r.URL.Path == MONAILabelPath || strings.HasPrefix(r.URL.Path, MONAILabelPath+"/") {
		handler = http.StripPrefix(MONAILabelPath, s.protocol())
	}
	s.answer(w, r, handler, s.options.Local)
}

// answer answers a request by a handler, with what all answers have in common.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, handler http.Handler, local bool) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // it is patients' data
	if s.options.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if local && !loopback(r.Host) {
		http.Error(w, "this server answers for localhost only", http.StatusMisdirectedRequest)
		return
	}
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	handler.ServeHTTP(w, r)
}

// page serves files: those that never change may be kept by the browser.
func (s *Server) page(files http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", s.options.ContentSecurityPolicy)
		w.Header().Set("Cache-Control", "no-cache")
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		if strings.HasSuffix(r.URL.Path, "/") && r.URL.Path != "/" { // a folder: what is in it is nobody's business
			http.NotFound(w, r)
			return
		}
		files.ServeHTTP(w, r)
	})
}

// loopback reports whether a request's host is a name of this machine's loopback address.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// CheckAddress returns whether an address to listen on is reached from this machine only, and an error for one that
// others reach while there is neither a token nor a list of people, each of whom has one.
func CheckAddress(address, token string, people bool) (local bool, err error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, err
	}
	ip := net.ParseIP(host)
	local = strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
	switch {
	case !local && token == "" && !people:
		return false, errors.New("other machines could reach " + address + ": give a list of people with --people, or a secret with --token-file, or listen on 127.0.0.1")
	case token != "" && len(token) < annotate.MinToken:
		return false, fmt.Errorf("the token is too short to be a secret: give at least %d characters", annotate.MinToken)
	}
	return local, nil
}
