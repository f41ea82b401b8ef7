package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nextslice/nextslice/random"
)

const crashDir = "NEXTSLICE_CRASH_TEST"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := saveForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

const crashPixels = 64 * 64

// crashMask is the mask number n: what it must be can be computed after the crash.
func crashMask(n uint64) []uint8 {
	rng := rand.New(rand.NewPCG(n, 7))
	mask := make([]uint8, crashPixels)
	for i := range mask {
		mask[i] = uint8(rng.IntN(4))
	}
	return mask
}

// saveForever saves masks and says so of each one after Save has returned, until the process is killed.
func saveForever(dir string) error {
	ctx := context.Background()
	s, err := Open(ctx, dir, time.Now)
	if err != nil {
		return err
	}
	if cases, err := s.Cases(ctx); err != nil {
		return err
	} else if len(cases) == 0 {
		if err := s.AddCase(ctx, Case{Name: "A", Slices: 50, Height: 64, Width: 64, Role: Training}, nil); err != nil {
			return err
		}
	}
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(time.Now().UnixNano())))
	for {
		n, item := rng.Uint64(), Item{"A", rng.IntN(50)}
		if err := s.SaveDraft(ctx, item, "ana", crashMask(n), 0); err != nil {
			return err
		}
		saved, err := s.Save(ctx, Save{Item: item, Person: "ana", Action: ActionEdited, Mask: crashMask(n)})
		if err != nil {
			return err
		}
		fmt.Println(item.Slice, saved.Version, n)
	}
}

// Kills a process in the middle of its saves, several times on the same project, and finds every label that it had
// acknowledged, voxel for voxel.
func TestKilledProcessLosesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "project")
	type key struct{ slice, version int }
	acknowledged := map[key]uint64{}
	for round := range 5 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		want := 5 + random.Stream(1, "crash", round).IntN(40)
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var k key
			var seed uint64
			if _, err := fmt.Sscan(lines.Text(), &k.slice, &k.version, &seed); err != nil {
				break // the line that the kill cut off
			}
			acknowledged[k] = seed
			if n == want {
				child.Process.Kill()
			}
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the process ended by itself")
		}

		s, err := Open(t.Context(), dir, time.Now) // the lock went with the process
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for k, seed := range acknowledged {
			mask, err := s.VersionMask(t.Context(), Item{"A", k.slice}, k.version)
			if err != nil || !slices.Equal(mask, crashMask(seed)) {
				t.Errorf("round %d: slice %d, version %d: %v", round, k.slice, k.version, err)
			}
		}
		labels, err := s.Labels(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range labels {
			if mask, err := l.Mask(); err != nil || len(mask) != crashPixels {
				t.Errorf("round %d: %v: %d pixels, %v", round, l.Item, len(mask), err)
			}
			for k := range acknowledged {
				if k.slice == l.Item.Slice && k.version > l.Version.Version {
					t.Errorf("round %d: %v: the label is version %d, version %d was acknowledged", round, l.Item, l.Version.Version, k.version)
				}
			}
		}
		var check string
		if err := s.db.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
			t.Errorf("round %d: integrity: %s, %v", round, check, err)
		}
		s.Close()
	}
	if len(acknowledged) < 25 {
		t.Errorf("only %d labels were acknowledged", len(acknowledged))
	}
}

func TestFullDisk(t *testing.T) {
	s, _ := open(t)
	ctx, item := t.Context(), Item{"A", 1}
	must[Saved](t)(s.Save(ctx, Save{Item: item, Person: "ana", Action: ActionEdited, Mask: crashMask(1)}))
	if _, err := s.db.Exec(`PRAGMA max_page_count = 1`); err != nil { // no page more than there are
		t.Fatal(err)
	}
	var err error
	for n := range uint64(100) {
		if _, err = s.Save(ctx, Save{Item: item, Person: "ana", Action: ActionEdited, Mask: crashMask(n)}); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	versions := must[[]Version](t)(s.Versions(ctx, item))
	mask, number, err := s.Label(ctx, item)
	if err != nil || number != len(versions) || len(mask) != crashPixels {
		t.Errorf("after the failure: label %d of %d versions, %v", number, len(versions), err)
	}
	if _, err := s.db.Exec(`PRAGMA max_page_count = 1000000`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(ctx, Save{Item: item, Person: "ana", Action: ActionEdited, Mask: crashMask(3)}); err != nil {
		t.Errorf("after space was freed: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	s, _ := open(t)
	if _, err := s.db.Exec(`PRAGMA query_only = 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), Save{Item: Item{"A", 1}, Person: "ana", Action: ActionEdited, Mask: mask(1)}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v, want ErrReadOnly", err)
	}
}

func TestDamagedDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "project.db"), []byte("this is not a database, but long enough to be looked at"), 0o666); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), dir, time.Now); err == nil || !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, %v", s, err)
	}
}
