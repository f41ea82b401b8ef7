package pacstest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// User and password of the Orthanc of tests.
const (
	OrthancUser     = "lab"
	OrthancPassword = "only for tests 7"
)

// Orthanc starts an Orthanc with its DICOMweb plugin on a free port of this machine and returns its root. It keeps everything in a temporary
// folder and ends with the test, which is skipped where Orthanc is not installed.
func Orthanc(t testing.TB) (root string) {
	t.Helper()
	program := "/usr/sbin/Orthanc"
	if found, err := exec.LookPath("Orthanc"); err == nil {
		program = found
	}
	plugin := "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
	for _, path := range []string{program, plugin} {
		if _, err := os.Stat(path); err != nil {
			t.Skip("there is no Orthanc with its DICOMweb plugin: scripts/deps.sh test installs them")
		}
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	number := port.Addr().(*net.TCPAddr).Port
	port.Close()
	dir := t.TempDir()
	config, err := json.Marshal(map[string]any{
		"HttpPort": number, "DicomServerEnabled": false, "RemoteAccessAllowed": false, "AuthenticationEnabled": true,
		"RegisteredUsers":  map[string]string{OrthancUser: OrthancPassword},
		"StorageDirectory": dir, "IndexDirectory": dir, "Plugins": []string{plugin},
		"DicomWeb": map[string]any{"Enable": true, "Root": "/dicom-web/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "orthanc.json")
	if err := os.WriteFile(name, config, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	server := exec.Command(program, name)
	server.Dir, server.Stdout, server.Stderr = dir, log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { server.Wait(); close(over) }()
	t.Cleanup(func() { // a second one on its folder would find the database locked
		server.Process.Signal(syscall.SIGTERM)
		select {
		case <-over:
		case <-time.After(10 * time.Second):
			server.Process.Kill()
			<-over
		}
	})
	root = fmt.Sprintf("http://127.0.0.1:%d/dicom-web", number)
	for range 200 {
		r, err := http.NewRequest("GET", root+"/studies", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(OrthancUser, OrthancPassword)
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return root
			}
		}
		select {
		case <-over:
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("Orthanc ended: %s", text)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("Orthanc does not answer")
	return ""
}
