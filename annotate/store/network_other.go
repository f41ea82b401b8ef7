//go:build !linux

package store

func networkFile(string) bool { return false }
