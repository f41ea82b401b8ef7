package releasetest

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"debug/pe"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestChecksums(t *testing.T) {
	dir := dist(t)
	text, err := os.ReadFile(filepath.Join(dir, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{"checksums.txt": true}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || fmt.Sprintf("%x", sha256.Sum256(data)) != sum {
			t.Errorf("%s: another file, or none: %v", name, err)
		}
		listed[name] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !listed[e.Name()] {
			t.Errorf("%s has no checksum", e.Name())
		}
	}
	if len(listed) < 7 {
		t.Errorf("%d files", len(listed))
	}
}

// The programs need no library of the machine, so that its age does not matter, name no path of the machine that built them, and say
// which commit they are.
func TestPrograms(t *testing.T) {
	dir := dist(t)
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	home, _ := os.UserHomeDir()
	for name, machine := range map[string]elf.Machine{"nextslice-linux-amd64": elf.EM_X86_64, "nextslice-linux-arm64": elf.EM_AARCH64, "nextslice.exe": 0} {
		path := filepath.Join(dir, name)
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if settings["vcs.revision"] != strings.TrimSpace(string(head)) || settings["vcs.modified"] != "false" || settings["CGO_ENABLED"] != "1" {
			t.Errorf("%s: is of commit %s, modified %s, cgo %s; the tree is at %s", name, settings["vcs.revision"], settings["vcs.modified"], settings["CGO_ENABLED"], head)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, here := range []string{root + "/", filepath.Join(home, "go") + "/", "/tmp/go-build"} {
			if bytes.Contains(data, []byte(here)) {
				t.Errorf("%s names the folder %s", name, here)
			}
		}
		if !bytes.Contains(data, []byte("planes-")) || bytes.Contains(data, []byte("assets/page-.js")) {
			t.Errorf("%s has no page", name)
		}
		if machine == 0 {
			continue
		}
		file, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		libraries, _ := file.ImportedLibraries()
		interpreted := slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
		if file.Machine != machine || len(libraries) > 0 || interpreted {
			t.Errorf("%s: %v, needs %v, interpreter %v", name, file.Machine, libraries, interpreted)
		}
		file.Close()
	}
}

// Windows comes with the libraries, and its stack is 16-byte aligned: no wide vector may be stored there by an instruction that wants more.
func TestWindowsProgram(t *testing.T) {
	path := filepath.Join(dist(t), "nextslice.exe")
	file, err := pe.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := file.ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		_, library, _ := strings.Cut(s, ":")
		libraries = append(libraries, library)
	}
	for _, l := range libraries {
		if !slices.Contains([]string{"kernel32.dll", "msvcrt.dll"}, strings.ToLower(l)) {
			t.Errorf("it needs %s", l)
		}
	}
	object := filepath.Join(t.TempDir(), "kernels.o")
	if out, err := exec.Command("x86_64-w64-mingw32-g++", "-std=gnu++17", "-O3", "-Wno-psabi", "-c", "../../tensor/native/kernels.cc", "-o", object).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := exec.Command("x86_64-w64-mingw32-objdump", "-d", "--no-show-raw-insn", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?m)^.*\svmov(aps|apd|dqa|dqa32|dqa64)\s.*%[yz]mm.*$`).FindAll(text, 3); found != nil {
		t.Errorf("aligned vectors:\n%s", bytes.Join(found, []byte("\n")))
	}
	for _, register := range []string{"%ymm", "%zmm"} {
		if n := bytes.Count(text, []byte(register)); n < 1000 {
			t.Errorf("%d times %s: the AVX kernels are missing", n, register)
		}
	}
}

// What computes is said as it is.
func TestVersion(t *testing.T) {
	var versions []map[string]any
	for _, s := range []system{native(t), arm64(t), windows(t)} {
		var v map[string]any
		if err := json.Unmarshal([]byte(s.run(t, "version", "--json")), &v); err != nil {
			t.Fatal(err)
		}
		t.Log(s.name, v)
		if v["engine"] != "native" {
			t.Errorf("%s: engine %v", s.name, v["engine"])
		}
		versions = append(versions, v)
	}
	if got := versions[1]["instruction_set"]; got != "NEON" {
		t.Errorf("arm64: %v", got)
	}
	if runtime.GOARCH == "amd64" && versions[0]["instruction_set"] != versions[2]["instruction_set"] {
		t.Errorf("Windows has %v, Linux %v on this processor", versions[2]["instruction_set"], versions[0]["instruction_set"])
	}
	if text := native(t).run(t, "licences"); !strings.Contains(text, "GNU LESSER GENERAL PUBLIC LICENSE") {
		t.Error("the licence of the C library, which is part of the program, is missing")
	}
}

// The bill of materials lists what the program has compiled into it.
func TestBillOfMaterials(t *testing.T) {
	dir := dist(t)
	for file, want := range map[string][]string{"nextslice.cdx.json": {"modernc.org/sqlite", "github.com/alecthomas/kong", "std"}, "nextslice-page.cdx.json": {"preact", "@niivue/niivue"}} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
			continue
		}
		var bom struct {
			BOMFormat  string `json:"bomFormat"`
			Components []struct{ Name, Group, Version string }
		}
		if err := json.Unmarshal(text, &bom); err != nil || bom.BOMFormat != "CycloneDX" {
			t.Errorf("%s: %v, %q", file, err, bom.BOMFormat)
		}
		for _, name := range want {
			if !slices.ContainsFunc(bom.Components, func(c struct{ Name, Group, Version string }) bool {
				return strings.TrimPrefix(c.Group+"/"+c.Name, "/") == name && c.Version != ""
			}) {
				t.Errorf("%s: %s is missing", file, name)
			}
		}
	}
}
