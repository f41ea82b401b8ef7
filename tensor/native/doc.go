//go:build cgo

// Package native is the fast engine: register-tiled convolutions and fused, vectorised passes for everything else, in C++
// without any library.
//
// Below the Go surface and the C one (shim.h) stand team (the threads), kernels (the inner loops, compiled once per
// instruction set and chosen at run time), and conv, ends, winograd, norm and pointwise (how an operation is cut into parts).
// Parts depend on the shapes and the number of threads, never on which thread is faster, so the same inputs on the same
// number of threads give the same bits. With the build tag onednn there is also library: oneDNN's convolutions, to compare with.
//
// No C type appears in an exported signature and C keeps no Go pointer after a call.
package native
