// Package python runs a text of ours in the user's own Python, as a worker process that is asked by messages over a pipe: what a program
// that is linked statically can use of PyTorch and ONNX Runtime.
//
//	path, err := python.Find(ctx, python.Module{Name: "onnxruntime", Title: "ONNX Runtime"}, "")
//	w, err := python.Start(ctx, path, text, hello, &answer, python.Options{})
//	err = w.Send(question, array)
//	err = w.Receive(&answer, array)
//
// The worker keeps a copy of its standard output for its replies and sends what anything prints to standard error; its first word is
// "\0nextslice\0", before which Python may have printed something. Frames both ways are 4 bytes of little-endian length, a JSON header of that length, then arrays whose sizes follow from the headers, in the machine's
// byte order. A header with a field "error" is a fault: a line for the user, after which the worker ends. The worker has a process group of its
// own, so that Ctrl-C reaches this program alone, and works in the root folder, where no file of the user is taken for a module.
package python
