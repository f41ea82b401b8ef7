package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Names of the files of a record folder.
const (
	ConfigFile = "config.yaml"
	DataFile   = "data.json"
	EnvFile    = "env.json"
	CyclesFile = "cycles.csv"
)

// Folder is the content of a record folder.
type Folder struct {
	Config, Data, Env []byte // the files as they stand; Data and Env may be nil
	Runs              []Run
}

// IsFolder reports whether dir holds a record.
func IsFolder(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, CyclesFile))
	return err == nil
}

// ReadFolder reads a record folder.
func ReadFolder(dir string) (Folder, error) {
	var f Folder
	var err error
	if f.Config, err = os.ReadFile(filepath.Join(dir, ConfigFile)); err != nil {
		return Folder{}, err
	}
	for name, content := range map[string]*[]byte{DataFile: &f.Data, EnvFile: &f.Env} {
		if *content, err = os.ReadFile(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return Folder{}, err
		}
	}
	path := filepath.Join(dir, CyclesFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Folder{}, err
	}
	if f.Runs, err = Read(bytes.NewReader(text)); err != nil {
		return Folder{}, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// WriteFolder writes a record folder, each file as a whole. A record that is there is replaced; a folder with anything
// else in it is refused.
func WriteFolder(dir string, f Folder) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case ConfigFile, DataFile, EnvFile, CyclesFile:
		default:
			return fmt.Errorf("%s holds %s, which is no part of a record: choose another folder", dir, e.Name())
		}
	}
	if len(entries) > 0 && !IsFolder(dir) {
		return fmt.Errorf("%s is not empty and holds no record: choose another folder", dir)
	}
	var table bytes.Buffer
	if err := Write(&table, f.Runs); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{{ConfigFile, f.Config}, {DataFile, f.Data}, {EnvFile, f.Env}, {CyclesFile, table.Bytes()}} {
		if file.content == nil {
			continue
		}
		if err := renameio.WriteFile(filepath.Join(dir, file.name), file.content, 0o666); err != nil {
			return err
		}
	}
	return nil
}
