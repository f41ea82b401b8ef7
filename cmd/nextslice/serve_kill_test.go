package main

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate/script"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/volume"
)

// child starts the program as a process of its own and returns the page's address.
func child(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	c := exec.Command("nextslice", args...) // TestMain puts it in the path
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "page"); ok {
			return c, strings.TrimSpace(address)
		}
	}
	t.Fatal("the server has not started")
	return nil, ""
}

// Kills the server in the middle of saves. The next one has every label that was acknowledged, voxel for voxel, over the
// API and in the mask files.
func TestServeKilled(t *testing.T) {
	if _, err := exec.LookPath("nextslice"); err != nil {
		t.Skip("the test binary is not in the path under the program's name")
	}
	data := filepath.Join(t.TempDir(), "data")
	if err := phantomtest.Write(data, 2, 1); err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--data", data, "--masks", "ignore", "--no-train", "--open=false", "--addr", "127.0.0.1:0"}
	server, address := child(t, args...)
	client, err := script.LogIn(t.Context(), script.HTTP(), address, "ana", "")
	if err != nil {
		t.Fatal(err)
	}
	saved := map[string][]uint8{}
	rng := rand.New(rand.NewPCG(1, 2))
	for len(saved) < 12 {
		task, err := client.Next(t.Context())
		if err != nil || task == nil {
			t.Fatal(task, err)
		}
		mask := make([]uint8, task.Height*task.Width)
		for i := range mask {
			mask[i] = uint8(rng.IntN(2))
		}
		if _, err := client.Save(t.Context(), task.Item, mask, 1, "edited", 0); err != nil {
			t.Fatal(err)
		}
		saved[task.Item] = mask
	}
	// One more is on its way when the process dies: it may be there or not.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	flying := make(chan struct{})
	go func() {
		defer close(flying)
		if task, err := client.Next(ctx); err == nil && task != nil {
			client.Save(ctx, task.Item, make([]uint8, task.Height*task.Width), 1, "empty", 0)
		}
	}()
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	server.Wait()
	<-flying

	_, address = child(t, args...)
	if client, err = script.LogIn(t.Context(), script.HTTP(), address, "ana", ""); err != nil {
		t.Fatal(err)
	}
	project, err := client.Project(t.Context())
	if err != nil || project.Labelled < len(saved) || project.Labelled > len(saved)+1 {
		t.Errorf("%d labels, %d were acknowledged, %v", project.Labelled, len(saved), err)
	}
	for item, mask := range saved {
		if !bytes.Equal(get(t, address, item, "label"), mask) {
			t.Errorf("%s over the API: another mask", item)
		}
		name, number, _ := strings.Cut(item, "/")
		slice, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(data+"-annotation", "labels", "final", name+".nii.gz")
		written := func() bool { // in the background
			file, err := volume.ReadMask(path)
			return err == nil && bytes.Equal(file.Slice(project.Axis, slice), mask)
		}
		for end := time.Now().Add(time.Minute); !written(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s is not in %s", item, path)
			}
		}
	}
}
