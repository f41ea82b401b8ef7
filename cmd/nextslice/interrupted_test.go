package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/volume/source"
)

// An interrupted phantom is written again by the same call, and by no other.
func TestPhantomInterrupted(t *testing.T) {
	dir, whole := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "whole")
	ctx, cancel := context.WithCancel(t.Context())
	if err := phantom.Write(ctx, dir, 3, 1, func(done, _ int) {
		if done == 1 {
			cancel()
		}
	}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "imagesTr", ".phantom_002.nii.gz123456789") // as a kill leaves it, two hours ago
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(left, time.Now(), time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := phantom.Write(t.Context(), dir, 4, 1, nil); err == nil || !strings.Contains(err.Error(), "unfinished data set of 3 cases") {
		t.Errorf("another one in its place: %v", err)
	}
	if err := errors.Join(phantom.Write(t.Context(), dir, 3, 1, nil), phantomtest.Write(whole, 3, 1)); err != nil {
		t.Fatal(err)
	}
	got, want := tree(t, dir), tree(t, whole)
	if len(got) != 7 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d files, want 7 and those of a run that was not interrupted", len(got))
	}
	if err := phantom.Write(t.Context(), dir, 3, 1, nil); err == nil {
		t.Error("a finished one was overwritten")
	}
}

func tree(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files = append(files, strings.TrimPrefix(path, dir)+" "+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// After a run that was killed behind the mask of a case the mask stays, and nothing else is taken for one that was.
func TestPredictResumes(t *testing.T) {
	dir := t.TempDir()
	c := predictCommand{In: filepath.Join(dir, "in.nii.gz"), Out: filepath.Join(dir, "mask.nii.gz"), Uncertainty: filepath.Join(dir, "map.nii.gz")}
	write := func(path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(c.In)
	write(unfinished(c.Uncertainty)) // killed before the mask was there: all is done again
	if err := c.checkFiles(source.Volume); err != nil || c.resumes() {
		t.Errorf("without a mask: %v, %v", err, c.resumes())
	}
	write(c.Out) // killed behind the mask
	if err := c.checkFiles(source.Volume); err != nil || !c.resumes() {
		t.Errorf("behind the mask: %v, %v", err, c.resumes())
	}
	forced := c
	if forced.Force = true; forced.resumes() {
		t.Error("all is to be replaced")
	}
	write(c.Uncertainty)
	if err := c.checkFiles(source.Volume); err == nil || c.resumes() { // a map that is there is not replaced
		t.Errorf("with a map: %v, %v", err, c.resumes())
	}
	if err := os.Remove(unfinished(c.Uncertainty)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(c.Uncertainty), c.checkFiles(source.Volume)); err == nil || !strings.Contains(err.Error(), "mask.nii.gz exists") {
		t.Errorf("a mask of another run: %v", err)
	}
}

// An interrupt ends what does not listen to it.
func TestInterruptible(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	forever := make(chan struct{})
	defer close(forever)
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := interruptible(ctx, func() error { <-forever; return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := interruptible(t.Context(), func() error { return os.ErrExist }); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
}

// stuck is an output that somebody interrupts and that never ends, such as a pipe that nobody reads.
type stuck struct {
	cancel func()
	until  chan struct{}
}

func (w stuck) Write(text []byte) (int, error) {
	w.cancel()
	<-w.until
	return len(text), nil
}

// Ctrl-C ends a report at once, whatever it is at.
func TestReportInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	until := make(chan struct{})
	defer close(until)
	var errs strings.Builder
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, nil, stuck{cancel, until}, &errs, []string{"report", "../../record/testdata/run", "--json"})
	}()
	select {
	case got := <-code:
		if got != failed || !strings.Contains(errs.String(), "interrupted") {
			t.Errorf("exit code %d, %q", got, errs.String())
		}
	case <-time.After(time.Minute):
		t.Fatal("the report goes on")
	}
}
