package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/pacs/demo"
)

// The archive to try with says where it is, answers find by the user and password that it prints, and ends with Ctrl-C.
func TestPacsDemo(t *testing.T) {
	if missing := demo.Missing(); missing != "" {
		t.Skip(missing)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(free.Addr().(*net.TCPAddr).Port)
	free.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs output
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, strings.NewReader(""), &out, &errs, []string{"pacs", "demo", "--port", port})
	}()
	root := "http://127.0.0.1:" + port + "/dicom-web"
	want := "76 images of 4 patients at " + root + "; user lab, password only-for-tests-7; Ctrl-C ends it\n"
	for end := time.Now().Add(time.Minute); out.String() != want; time.Sleep(20 * time.Millisecond) {
		if len(ended) > 0 || time.Now().After(end) {
			t.Fatalf("%q, want %q: %s", out.String(), want, errs.String())
		}
	}
	t.Setenv("NEXTSLICE_PACS_USER", "lab")
	t.Setenv("NEXTSLICE_PACS_PASSWORD", "only-for-tests-7")
	if list := command(t, "pacs", "find", root, "--modality", "MR"); !strings.HasSuffix(list, "4 series\n") {
		t.Error(list)
	}
	cancel()
	if code := <-ended; code != done {
		t.Errorf("code %d: %s", code, errs.String())
	}
}
