package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// User and password of the archive.
const (
	User     = "lab"
	Password = "only-for-tests-7"
)

const orthancPlugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"

func orthancProgram() string {
	if found, err := exec.LookPath("Orthanc"); err == nil {
		return found
	}
	return "/usr/sbin/Orthanc"
}

// Missing says in a line why there can be no Orthanc here, "" if there can.
func Missing() string {
	for _, path := range []string{orthancProgram(), orthancPlugin} {
		if _, err := os.Stat(path); err != nil {
			return "there is no Orthanc with its DICOMweb plugin: install them, on Debian or Ubuntu by 'sudo apt-get install orthanc orthanc-dicomweb'"
		}
	}
	return ""
}

// Start starts one that keeps everything in a folder, and returns its root and what stops it.
func Start(dir string, port int) (root string, stop func(), err error) {
	config, err := json.Marshal(map[string]any{
		"HttpPort": port, "DicomServerEnabled": false, "RemoteAccessAllowed": false, "AuthenticationEnabled": true,
		"RegisteredUsers":  map[string]string{User: Password},
		"StorageDirectory": dir, "IndexDirectory": dir, "Plugins": []string{orthancPlugin},
		"DicomWeb": map[string]any{"Enable": true, "Root": "/dicom-web/"},
	})
	if err != nil {
		return "", nil, err
	}
	name := filepath.Join(dir, "orthanc.json")
	if err := os.WriteFile(name, config, 0o600); err != nil {
		return "", nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", nil, err
	}
	defer log.Close()
	server := exec.Command(orthancProgram(), name)
	server.Dir, server.Stdout, server.Stderr = dir, log, log
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	over := make(chan struct{})
	go func() {
		_ = server.Wait()
		close(over)
	}()
	stop = func() { // a second one on its folder would find the database locked
		_ = server.Process.Signal(syscall.SIGTERM)
		select {
		case <-over:
		case <-time.After(10 * time.Second):
			_ = server.Process.Kill()
			<-over
		}
	}
	root = fmt.Sprintf("http://127.0.0.1:%d/dicom-web", port)
	for range 600 {
		r, err := http.NewRequest("GET", root+"/studies", nil)
		if err != nil {
			return "", nil, err
		}
		r.SetBasicAuth(User, Password)
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return root, stop, nil
			}
		}
		select {
		case <-over:
			text, _ := os.ReadFile(log.Name())
			return "", nil, fmt.Errorf("orthanc ended: %s", text)
		case <-time.After(50 * time.Millisecond):
		}
	}
	stop()
	return "", nil, errors.New("orthanc does not answer")
}
