// Package releasetest tries what `make release` has built: the program for arm64 under QEMU, that for Windows under Wine, and the Debian
// package in a fresh system. `make release-test` runs it; without NEXTSLICE_RELEASE, the folder dist, its tests are skipped.
package releasetest
