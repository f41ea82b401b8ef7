package main

import (
	"bytes"
	"strings"
	"testing"
)

// Numbers that a flag cannot have are misuse, whatever the command; -1 is none of the values that the program uses inside.
func TestNumbersOfFlags(t *testing.T) {
	dir := t.TempDir()
	for _, command := range []string{"serve --data " + dir, "query --data " + dir, "query --model m.safetensors --data " + dir, "train --data " + dir + " --out " + dir + "/m.safetensors",
		"simulate --data " + dir, "inspect " + dir, "evaluate --pred x --ref y", "annotate-script --data " + dir, "predict m.safetensors x y", "bench"} {
		for flag, want := range map[string]string{
			"--ignore=-1": "--ignore: want a label value from 1 to 255", "--ignore 300": "--ignore: want a label value from 1 to 255", "--ignore x": "--ignore: want a label value", "--ignore 010": "--ignore: want a label value",
			"--threads=-3": "--threads: want a number of threads", "--threads many": "--threads: want a number",
		} {
			if name := strings.Fields(flag)[0][:4]; name == "--ig" && (command[:4] == "pred" || command == "bench") || name == "--th" && (command[:4] == "insp" || command[:4] == "eval" || command[:4] == "anno") {
				continue // flags that these do not have
			}
			var out, errs bytes.Buffer
			code := run(t.Context(), strings.NewReader(""), &out, &errs, strings.Fields(command+" "+flag))
			if code != misuse || !strings.Contains(errs.String(), want) {
				t.Errorf("%s %s: code %d: %s", command, flag, code, errs.String())
			}
		}
	}
	parsed, err := newParser(nil, nil, nil).Parse(strings.Fields("serve --data x --ignore 31 --unsure-value 255 --threads 3"))
	if err != nil {
		t.Fatal(err)
	}
	serve := parsed.Selected().Target.Interface().(serveCommand)
	if *serve.Ignore != 31 || *serve.UnsureValue != 255 || serve.Threads != 3 {
		t.Errorf("%+v", serve)
	}
}
