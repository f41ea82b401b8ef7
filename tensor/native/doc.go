//go:build cgo

// Package native is the fast engine: convolutions by its own register-tiled kernels or by Intel's oneDNN, everything
// else by fused, vectorised passes.
//
// The C++ below the Go surface (shim.h) has four parts: team (the threads), kernels (the inner loops, compiled once
// per instruction set and chosen at run time), conv, winograd, norm and pointwise (how an operation is cut into parts),
// and library (oneDNN). Parts are cut by the shapes alone or by the thread count, never by which thread is faster, so the
// same inputs and thread count give the same bits.
//
// No C type appears in an exported signature and C keeps no Go pointer after a call.
package native
