//go:build cgo && onednn

package native

// #cgo CXXFLAGS: -DNS_ONEDNN
// #cgo LDFLAGS: -ldnnl
// #cgo darwin CXXFLAGS: -I/opt/homebrew/include -I/usr/local/include
// #cgo darwin LDFLAGS: -L/opt/homebrew/lib -L/usr/local/lib
import "C"
