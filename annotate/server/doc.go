// Package server offers an annotation project over HTTP: the page's files, and a JSON API under /api/v1 that does all
// that the page can. The API describes itself at /api/v1/openapi.json. Package monailabel is at /monailabel: 3D Slicer's way in.
//
// Who may do what: everybody logs in under a name; where the project has a list of people, it must be one of them. The
// session is a cookie that scripts in a browser cannot read, or the same token as a bearer token. A server that other
// machines can reach demands a secret at login.
//
// What protects the data: requests name cases and items, which are looked up, never files; sizes and times are bounded;
// writes from other sites are refused, and so are requests under host names that are not the server's, by which a site
// could reach a server on this machine (DNS rebinding).
package server
