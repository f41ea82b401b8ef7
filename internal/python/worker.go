package python

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"
	"unsafe"
)

// bootstrap reads the worker's text: command lines are too short for it on Windows.
const bootstrap = `import os
n = int.from_bytes(os.read(0, 4), "little")
text = b""
while len(text) < n:
    text += os.read(0, n - len(text)) or exit(0)
exec(compile(text, "nextslice worker.py", "exec"))
`

// startTime is how long loading a module may take: minutes on a network drive that has not seen it before.
const startTime = 5 * time.Minute

// maxHeader bounds the JSON of an answer.
const maxHeader = 1 << 20

// Worker is a running process. One goroutine at a time sends and receives; [Worker.Kill] may be called on any. After an error it has ended.
type Worker struct {
	command *exec.Cmd
	in, out *os.File
	stderr  tail
	why     atomic.Pointer[string] // it was killed
	ended   chan struct{}          // closed when the process is gone
	dead    bool                   // an error was found
	last    string                 // that error
}

// Options are how a worker is started.
type Options struct {
	Env     []string             // beside that of this program, "NAME=VALUE"
	Started func(worker *Worker) // is told the process, which may be killed from then on, before it has answered; may be nil
	Late    string               // the error when five minutes have passed without an answer
}

// Start starts a Python with the worker's text, sends hello and waits for its answer. The error is one line.
func Start(ctx context.Context, path string, text []byte, hello, answer any, o Options) (w *Worker, err error) {
	w = &Worker{command: exec.Command(path, "-u", "-c", bootstrap), ended: make(chan struct{})}
	c := w.command
	c.Dir = root()
	c.Env = append(append(os.Environ(), "PYTHONWARNINGS=ignore"), o.Env...)
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
		_ = c.Wait() // what it says is in ProcessState
		close(w.ended)
	}()
	if o.Started != nil {
		o.Started(w)
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() { w.Kill(o.Late) })()
	theirIn.Close()
	theirOut.Close()
	err = w.write(binary.LittleEndian.AppendUint32(nil, uint32(len(text))))
	if err == nil {
		err = w.write(text)
	}
	if err == nil {
		err = w.greeted()
	}
	if err == nil {
		err = w.Send(hello)
	}
	if err == nil {
		err = w.Receive(answer)
	}
	if err != nil {
		w.End()
		return nil, err
	}
	return w, nil
}

// greeting is the worker's first word: what comes before was printed by Python while it started.
const greeting = "\x00nextslice\x00"

// maxPrinted bounds that.
const maxPrinted = 64 << 10

// greeted reads up to the greeting.
func (w *Worker) greeted() error {
	var seen []byte
	for one := make([]byte, 1); !bytes.HasSuffix(seen, []byte(greeting)); seen = append(seen, one[0]) {
		if len(seen) > maxPrinted {
			return w.fail("it is not a Python that runs nextslice's worker.py")
		}
		if err := w.Read(one); err != nil {
			return err
		}
	}
	return nil
}

// Pid is the number of the process.
func (w *Worker) Pid() int { return w.command.Process.Pid }

// Fault returns the error that ended it, "" if it was none.
func (w *Worker) Fault() string { return w.last }

// Alive reports whether the process can be asked. A nil worker cannot.
func (w *Worker) Alive() bool {
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

// Kill ends the process, also when it hangs; why is then the error of who waits for it.
func (w *Worker) Kill(why string) {
	w.why.CompareAndSwap(nil, &why)
	select {
	case <-w.ended:
	default:
		kill(w.command)
	}
}

// End closes the pipe, which ends a worker that works, and kills it after two seconds. It may be called again, and of nil.
func (w *Worker) End() {
	if w == nil {
		return
	}
	w.dead = true
	w.in.Close()
	select {
	case <-w.ended:
	case <-time.After(2 * time.Second):
		w.Kill("")
		<-w.ended
	}
	w.out.Close()
}

// fail ends the worker and returns the reason: its own word, why it was killed, or the last line that it wrote.
func (w *Worker) fail(said string) error {
	if said == "" {
		select { // its last words may be on their way
		case <-w.ended:
		case <-time.After(2 * time.Second):
		}
	}
	w.End()
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
	return errors.New(said)
}

func (w *Worker) write(data []byte) error {
	if w.dead {
		return w.fail("")
	}
	if _, err := w.in.Write(data); err != nil { // its error may have been sent before it stopped reading
		if err := w.Receive(&struct{}{}); err != nil {
			return err
		}
		return w.fail("")
	}
	return nil
}

// Send writes a header and arrays.
func (w *Worker) Send(header any, arrays ...[]byte) error {
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	if err := w.write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...)); err != nil {
		return err
	}
	for _, a := range arrays {
		if err := w.write(a); err != nil {
			return err
		}
	}
	return nil
}

// Receive reads a header and then arrays, which are as long as they must be; sizes that the header tells are read by [Worker.Read].
func (w *Worker) Receive(header any, arrays ...[]byte) error {
	if w.dead {
		return w.fail("")
	}
	var size [4]byte
	if err := w.Read(size[:]); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > maxHeader {
		return w.fail("the worker's answer is not one of nextslice's worker.py")
	}
	text := make([]byte, n)
	if err := w.Read(text); err != nil {
		return err
	}
	var fault struct{ Error string }
	if err := errors.Join(json.Unmarshal(text, &fault), json.Unmarshal(text, header)); err != nil {
		return w.fail("the worker's answer is not one of nextslice's worker.py: " + err.Error())
	}
	if fault.Error != "" {
		return w.fail(fault.Error)
	}
	for _, a := range arrays {
		if err := w.Read(a); err != nil {
			return err
		}
	}
	return nil
}

// Read fills an array that follows a header.
func (w *Worker) Read(data []byte) error {
	if _, err := io.ReadFull(w.out, data); err != nil {
		return w.fail("")
	}
	return nil
}

// Bytes returns the memory of numbers, which it shares.
func Bytes(x []float32) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
}
