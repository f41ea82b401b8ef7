package atomicfile

import (
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// stale is the age from which a file is nobody's whose process cannot be asked after: one of another machine, or of a process whose number
// is in use again.
const stale = time.Hour

// A temporary name is a dot, the file's name, ~, a hash of the machine's name, the process, what it drew, and a count.
var temporary = regexp.MustCompile(`^\.(.+)~([0-9a-f]{8})-([0-9]+)-([0-9a-f]{8})-([0-9]+)$`)

// earlier is how versions up to 0.1 named them: a dot, the file's name and digits.
var earlier = regexp.MustCompile(`^\.(.+[^0-9])[0-9]{5,}$`)

var count atomic.Int64

// self is what the names of this process's files have in common: the machine, the process and what it drew.
var self = sync.OnceValues(func() (machine, drawn string) {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	hash := fnv.New32a()
	hash.Write([]byte(name))
	number := make([]byte, 4)
	rand.Read(number) // never fails
	return fmt.Sprintf("%08x", hash.Sum32()), fmt.Sprintf("%x", number)
})

func temporaryName(name string) string {
	machine, drawn := self()
	return fmt.Sprintf(".%s~%s-%d-%s-%d", name, machine, os.Getpid(), drawn, count.Add(1))
}

// IsTemporary tells whether a file's name is one of a file that is being written, or that a killed process left.
func IsTemporary(name string) bool {
	return temporary.MatchString(name) || earlier.MatchString(name)
}

// Sweep removes the temporary files and folders, of a folder and those below, whose process is no more: at once where the process
// was one of this machine, after an hour otherwise.
func Sweep(dir string) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir || !IsTemporary(e.Name()) {
			return nil
		}
		if abandoned(e) {
			os.RemoveAll(path)
		}
		if e.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
}

// sweep removes the abandoned temporary files of one file.
func sweep(dir, name string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		m := temporary.FindStringSubmatch(e.Name())
		if m == nil {
			m = earlier.FindStringSubmatch(e.Name())
		}
		if m != nil && m[1] == name && abandoned(e) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// abandoned tells whether nobody will finish a temporary file.
func abandoned(e fs.DirEntry) bool {
	if m := temporary.FindStringSubmatch(e.Name()); m != nil {
		machine, drawn := self()
		pid, err := strconv.Atoi(m[3])
		switch {
		case m[2] != machine || err != nil: // that process cannot be asked after
		case pid == os.Getpid():
			return m[4] != drawn // an earlier process with this number, as in a container that was started again
		case !alive(pid):
			return true
		}
	}
	info, err := e.Info()
	return err == nil && time.Since(info.ModTime()) >= stale
}
