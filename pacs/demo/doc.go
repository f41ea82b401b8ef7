// Package demo starts a PACS to try package pacs with: an Orthanc that is installed on this machine, with the MR series of synthetic patients. It answers
// to this machine only, and removes all that it holds when it ends.
package demo
