// Package store keeps an annotation project on disk: an SQLite file with every mask that was ever saved, who saved it
// and what is asked for next.
//
// Words: an item is a slice of a case. A version is one saved mask of an item; versions are numbered 1, 2 … and never
// change or go away. The label of an item is one of its versions, usually the newest. A lease gives an item to one
// person for a time. A draft is an unfinished mask, one per person and item; drafts are overwritten.
//
// Every method that changes something is one transaction, and what it changed is synced to disk when it returns: a
// process that is killed at any moment loses nothing that was returned. See docs/decisions/annotation-store.md.
package store
