package main

import (
	"archive/zip"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/record"
)

var update = flag.Bool("update", false, "rewrite the expected outputs of testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"nextslice": func() { os.Exit(run(context.Background(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:])) },
	})
}

func TestScripts(t *testing.T) {
	// $DICOM: the small DICOM files of package volume/dicom; $SEQUENCES: a data set of two DICOM series a case
	dicom := unzipped(t, "..", "..", "volume", "dicom", "testdata", "inputs.zip")
	sequences := unzipped(t, "..", "..", "dataset", "testdata", "sequences.zip")
	t.Run("scripts", func(t *testing.T) { // their end comes before that of the folder
		testscript.Run(t, testscript.Params{
			Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true,
			Setup: func(e *testscript.Env) error {
				e.Setenv("DICOM", dicom)
				e.Setenv("SEQUENCES", sequences)
				return nil
			},
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"phantom": func(s *testscript.TestScript, _ bool, args []string) { // DIR CASES: what nextslice phantom DIR --cases CASES writes
					cases, err := strconv.Atoi(args[1])
					s.Check(err)
					s.Check(phantomtest.Write(s.MkAbs(args[0]), cases, record.PhantomSeed))
				},
			},
		})
	})
}

// unzipped unpacks an archive to a folder of its own.
func unzipped(t *testing.T, path ...string) string {
	t.Helper()
	files, err := zip.OpenReader(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}
