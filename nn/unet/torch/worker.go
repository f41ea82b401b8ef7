package torch

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/nextslice/nextslice/tensor"
)

//go:embed worker.py
var program []byte

// bootstrap reads the worker's text: command lines are too short for it on Windows.
const bootstrap = `import os
n = int.from_bytes(os.read(0, 4), "little")
text = b""
while len(text) < n:
    text += os.read(0, n - len(text)) or exit(0)
exec(compile(text, "nextslice worker.py", "exec"))
`

// startTime is how long loading PyTorch may take: minutes on a network drive that has not seen it before.
const startTime = 5 * time.Minute

// hello is the first frame, and what the worker answers.
type hello struct {
	Device    string `json:"device"`
	Job       int    `json:"job"`
	Precision string `json:"precision"`
	Eager     bool   `json:"eager"`
	Threads   int    `json:"threads"`

	Torch string `json:"torch,omitempty"`
	Name  string `json:"name,omitempty"`
	Graph bool   `json:"graph,omitempty"`
}

// worker is a running process. Its methods panic with a *tensor.EngineError, after which it has ended.
type worker struct {
	command *exec.Cmd
	in, out *os.File
	stderr  tail
	hello   hello
	why     atomic.Pointer[string] // why it was killed
	ended   chan struct{}          // closed when the process is gone
	dead    bool                   // an error was found; for the goroutine that uses it
	last    string                 // that error
}

// start starts a worker, tells started of it, and waits until it has its device.
func start(ctx context.Context, python string, h hello, started func(*worker)) (w *worker, err error) {
	w = &worker{command: exec.Command(python, "-u", "-c", bootstrap), ended: make(chan struct{})}
	c := w.command
	c.Dir = root()
	c.Env = append(os.Environ(), "CUBLAS_WORKSPACE_CONFIG=:4096:8", "PYTHONWARNINGS=ignore")
	c.Stderr = &w.stderr
	c.WaitDelay = time.Second
	apart(c)
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		ourIn.Close()
		return nil, err
	}
	defer theirOut.Close()
	widen(ourIn)
	widen(ourOut)
	c.Stdin, c.Stdout, w.in, w.out = theirIn, theirOut, ourIn, ourOut
	if err := c.Start(); err != nil {
		ourIn.Close()
		ourOut.Close()
		return nil, fmt.Errorf("start Python: %w", err)
	}
	go func() {
		c.Wait() // what it says is in ProcessState
		close(w.ended)
	}()
	started(w)
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() { w.kill("PyTorch was not loaded in time") })()
	defer func() {
		if err != nil {
			w.end()
		}
	}()
	defer tensor.Catch(&err)
	theirIn.Close()
	theirOut.Close()
	w.write(binary.LittleEndian.AppendUint32(nil, uint32(len(program))))
	w.write(program)
	w.greeted()
	w.send(h)
	w.receive(&w.hello)
	return w, nil
}

// greeting is the worker's first word: what comes before was printed by Python while it started.
const greeting = "\x00nextslice\x00"

// maxPrinted bounds that.
const maxPrinted = 64 << 10

// greeted reads up to the greeting.
func (w *worker) greeted() {
	var seen []byte
	for one := make([]byte, 1); !bytes.HasSuffix(seen, []byte(greeting)); seen = append(seen, one[0]) {
		if len(seen) > maxPrinted {
			w.fail("it is not a Python that runs nextslice's worker.py")
		}
		w.read(one)
	}
}

// alive reports whether the process can be asked.
func (w *worker) alive() bool {
	if w == nil || w.dead {
		return false
	}
	select {
	case <-w.ended:
		return false
	default:
		return true
	}
}

// kill ends the process, also when it hangs. It may be called on any goroutine.
func (w *worker) kill(why string) {
	w.why.CompareAndSwap(nil, &why)
	select {
	case <-w.ended:
	default:
		kill(w.command)
	}
}

// end closes the pipe, which ends a worker that works, and after a while kills it.
func (w *worker) end() {
	w.dead = true
	w.in.Close()
	select {
	case <-w.ended:
	case <-time.After(2 * time.Second):
		w.kill("")
		<-w.ended
	}
	w.out.Close()
}

// fail ends the worker and panics with its reason: its own word, why it was killed, or the last line that it wrote.
func (w *worker) fail(said string) {
	if said == "" {
		select { // its last words may be on their way
		case <-w.ended:
		case <-time.After(2 * time.Second):
		}
	}
	w.end()
	if said == "" {
		said = "the worker ended"
		if why := w.why.Load(); why != nil && *why != "" {
			said = *why
		} else if state := w.command.ProcessState; state != nil {
			said += " (" + state.String() + ")"
		}
		if last := w.stderr.last(); last != "" {
			said += ": " + last
		}
	}
	w.last = said
	panic(&tensor.EngineError{Op: "PyTorch", Status: said})
}

func (w *worker) write(data []byte) {
	if w.dead {
		w.fail("")
	}
	if _, err := w.in.Write(data); err != nil {
		w.answerOrFail()
	}
}

// answerOrFail looks for the error that the worker sent before it stopped reading.
func (w *worker) answerOrFail() {
	w.receive(&struct{}{})
	w.fail("")
}

// send writes a header and arrays.
func (w *worker) send(header any, arrays ...[]byte) {
	text, err := json.Marshal(header)
	if err != nil {
		panic("torch: " + err.Error())
	}
	w.write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...))
	for _, a := range arrays {
		w.write(a)
	}
}

// maxHeader bounds the JSON of an answer.
const maxHeader = 1 << 20

// receive reads a header and then arrays, which are as long as they must be.
func (w *worker) receive(header any, arrays ...[]byte) {
	if w.dead {
		w.fail("")
	}
	var size [4]byte
	w.read(size[:])
	n := binary.LittleEndian.Uint32(size[:])
	if n > maxHeader {
		w.fail("the worker's answer is not one of nextslice's worker.py")
	}
	text := make([]byte, n)
	w.read(text)
	var fault struct{ Error string }
	if err := errors.Join(json.Unmarshal(text, &fault), json.Unmarshal(text, header)); err != nil {
		w.fail("the worker's answer is not one of nextslice's worker.py: " + err.Error())
	}
	if fault.Error != "" {
		w.fail(fault.Error)
	}
	for _, a := range arrays {
		w.read(a)
	}
}

func (w *worker) read(data []byte) {
	if _, err := io.ReadFull(w.out, data); err != nil {
		w.fail("")
	}
}

// bytesOf returns the memory of numbers.
func bytesOf(x []float32) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
}

// tail keeps the end of what was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailLength = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - tailLength; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(p), nil
}

// last returns the last line that is not empty.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
