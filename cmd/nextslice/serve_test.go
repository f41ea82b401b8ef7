package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
)

// output is a buffer that one goroutine writes while another reads.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// certificate writes a self-signed one for 127.0.0.1 and returns a client that trusts it.
func certificate(t *testing.T) (certFile, keyFile string, client *http.Client) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	trusted, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(trusted)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private), &http.Client{Transport: transport}
}

// The command from start to end: a page over TLS, a second server that is turned away, and an interrupt.
func TestServe(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := phantomtest.Write(data, 2, 1); err != nil {
		t.Fatal(err)
	}
	cert, key, client := certificate(t)
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--data", data, "--addr", "127.0.0.1:0", "--no-train", "--open=false", "--people", "ana,eva:adjudicator",
		"--tls-cert", cert, "--tls-key", key, "--token-file", secret, "--monai-label", "127.0.0.1:0"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs output
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, strings.NewReader(""), &out, &errs, args) }()
	address := regexp.MustCompile(`https://127\.0\.0\.1:\d+`)
	for range 1000 {
		if strings.Contains(out.String(), "stop ") || len(ended) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	url := address.FindString(out.String())
	if url == "" {
		t.Fatalf("no address: %s%s", out.String(), errs.String())
	}
	slicer := regexp.MustCompile(`slicer +(https://127\.0\.0\.1:\d+)\n`).FindStringSubmatch(out.String())
	if slicer == nil {
		t.Fatalf("no address for 3D Slicer: %s", out.String())
	}
	for _, address := range []string{slicer[1] + "/auth/", url + "/monailabel/auth/"} {
		auth, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(auth.Body)
		auth.Body.Close()
		if err != nil || !bytes.HasPrefix(text, []byte(`{"enabled":true,`)) {
			t.Errorf("%s: %s, %v", address, text, err)
		}
	}
	page, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(page.Body)
	page.Body.Close()
	if err != nil || page.StatusCode != 200 || !bytes.Contains(text, []byte("<html")) || page.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("page: %d, %v, %v", page.StatusCode, page.Header, err)
	}
	token := regexp.MustCompile(`token +eva +(\S+)`).FindStringSubmatch(out.String())
	if token == nil {
		t.Fatalf("eva was given no token: %s", out.String())
	}
	refused, err := client.Post(url+"/api/v1/login", "application/json", strings.NewReader(`{"name":"eva","token":"0123456789abcdef"}`))
	if err != nil || refused.StatusCode != 401 {
		t.Fatalf("the shared token opens a name: %v, %v", refused.StatusCode, err)
	}
	refused.Body.Close()
	login, err := client.Post(url+"/api/v1/login", "application/json", strings.NewReader(`{"name":"eva","token":"`+token[1]+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	text, err = io.ReadAll(login.Body)
	login.Body.Close()
	if err != nil || !bytes.Contains(text, []byte(annotate.Adjudicator)) || !strings.Contains(login.Header.Get("Set-Cookie"), "Secure") {
		t.Errorf("login: %s, %v", text, login.Header)
	}

	var second output
	if code := run(t.Context(), strings.NewReader(""), &second, &second, args); code != failed || !strings.Contains(second.String(), "another nextslice serves this project") {
		t.Errorf("second server: code %d: %s", code, second.String())
	}
	client.CloseIdleConnections()
	cancel()
	select {
	case code := <-ended:
		if code != done {
			t.Errorf("code %d: %s", code, errs.String())
		}
	case <-time.After(time.Minute):
		t.Error("an interrupt does not end the server")
	}
	if _, err := os.Stat(filepath.Join(data+"-annotation", "labels", "final", "phantom_000.nii.gz")); err != nil {
		t.Errorf("masks that were there: %v", err)
	}
}

// Tokens that could not be written, as on a full disk, were given to nobody: the command fails, and the next start gives others.
func TestTokensThatNobodySaw(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := phantomtest.Write(data, 2, 1); err != nil {
		t.Fatal(err)
	}
	project, err := annotate.Open(t.Context(), annotate.Options{Data: data, Axis: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer project.Close()
	if err := project.People.Set(t.Context(), []annotate.Account{{Name: "ana", Role: annotate.Annotator}, {Name: "ben", Role: annotate.Annotator}}); err != nil {
		t.Fatal(err)
	}
	c := serveCommand{}
	cut := &full{left: 30} // ana's is shown in part
	if err := c.tokens(t.Context(), streams{out: &results{to: cut}}, project, false); err == nil || !strings.Contains(err.Error(), "write the tokens") {
		t.Errorf("tokens on a full disk: %v", err)
	}
	var out bytes.Buffer
	if err := c.tokens(t.Context(), streams{out: &out}, project, false); err != nil || strings.Count(out.String(), "token ") != 2 {
		t.Errorf("the next start: %q, %v", out.String(), err)
	}
	out.Reset()
	if err := c.tokens(t.Context(), streams{out: &out}, project, false); err != nil || out.Len() > 0 {
		t.Errorf("one after that: %q, %v", out.String(), err)
	}
}

func TestParsePeople(t *testing.T) {
	file := filepath.Join(t.TempDir(), "people.yaml")
	if err := os.WriteFile(file, []byte("- {name: ana, token: abc}\n- {name: eva, role: adjudicator}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	people, err := parsePeople("@" + file)
	if err != nil || len(people) != 2 || people[0] != (annotate.Account{Name: "ana", Role: annotate.Annotator, Token: "abc"}) || people[1].Role != annotate.Adjudicator {
		t.Errorf("%+v, %v", people, err)
	}
	for _, bad := range []string{"ana,ana", "ana,,ben", "ana:boss", "@nowhere.yaml"} {
		if people, err := parsePeople(bad); err == nil {
			t.Errorf("%q: %+v", bad, people)
		}
	}
}
