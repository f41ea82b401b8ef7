//go:build cgo

package onnxruntime

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// Net is the network of an ONNX file. It is used by one goroutine at a time.
type Net struct {
	Input, Output Value

	session  *ort.DynamicAdvancedSession
	metadata *ort.ModelMetadata
}

// Load loads the library, once: a program has one ONNX Runtime. Its error says how to get it.
func Load() error { return load() }

var load = sync.OnceValue(func() error {
	if runtime.GOOS == "linux" && static("/proc/self/exe") {
		return errors.New("this program is linked statically and cannot load ONNX Runtime, which runs networks of ONNX files: take one that was built on this kind of machine (make build)")
	}
	path, err := Library()
	if err != nil {
		return err
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		if strings.Contains(err.Error(), "API base") {
			return fmt.Errorf("ONNX Runtime in %s is too old: %s", path, advice)
		}
		return fmt.Errorf("ONNX Runtime in %s cannot be used (%w): %s", path, err, advice)
	}
	return ort.DisableTelemetry() // of Microsoft's builds for Windows
})

// Open opens an ONNX file, to be run on so many threads; 0 is all cores. A network with other inputs and outputs than those of the package is an error, and
// so is a missing library.
func Open(path string, threads int) (_ *Net, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	if err := load(); err != nil {
		return nil, err
	}
	inputs, outputs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened by ONNX Runtime %s: %s", path, ort.GetVersion(), reason(err))
	}
	n := &Net{}
	switch {
	case len(inputs) != 1:
		return nil, fmt.Errorf("%s: its network has %d inputs: want one, of images", path, len(inputs))
	case len(outputs) == 0:
		return nil, fmt.Errorf("%s: its network has no output", path)
	}
	if n.Input, err = valueOf("input", inputs[0]); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if n.Output, err = valueOf("output", outputs[0]); err != nil { // further ones are those of deep supervision
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	if err := options.SetIntraOpNumThreads(threads); err != nil {
		return nil, err
	}
	if n.session, err = ort.NewDynamicAdvancedSession(path, []string{n.Input.Name}, []string{n.Output.Name}, options); err != nil {
		return nil, fmt.Errorf("%s cannot be opened by ONNX Runtime %s: %s", path, ort.GetVersion(), reason(err))
	}
	if n.metadata, err = n.session.GetModelMetadata(); err != nil {
		_ = n.session.Destroy()
		return nil, err
	}
	return n, nil
}

func valueOf(what string, v ort.InputOutputInfo) (Value, error) {
	if v.OrtValueType != ort.ONNXTypeTensor {
		return Value{}, fmt.Errorf("its %s %q is no tensor: want [N C H W]", what, v.Name)
	}
	return value(what, v.Name, v.DataType == ort.TensorElementDataTypeFloat, fmt.Sprint(v.DataType), v.Dimensions)
}

// source is where in ONNX Runtime's source an error arose.
var source = regexp.MustCompile(`\S*/\S+\.(cc|h):\d+ \S.*?\) ?`)

// reason returns what ONNX Runtime says, as one line.
func reason(err error) string {
	text := err.Error()
	for _, prefix := range []string{"Error running network: ", "Error creating C session from file: ", "Error loading temporary session: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return strings.Join(strings.Fields(source.ReplaceAllString(text, "")), " ")
}

// Metadata returns the value of a key of the file's metadata.
func (n *Net) Metadata(key string) (value string, ok bool) {
	value, ok, err := n.metadata.LookupCustomMetadataMap(key)
	return value, ok && err == nil
}

// Run returns the output for x of a shape [N C H W], and the output's shape. What ONNX Runtime refuses, such as a size that the
// network cannot take, is an error.
func (n *Net) Run(x []float32, shape [4]int) (y []float32, out [4]int, err error) {
	in, err := ort.NewTensor(ort.NewShape(int64(shape[0]), int64(shape[1]), int64(shape[2]), int64(shape[3])), x)
	if err != nil {
		return nil, out, err
	}
	defer func() { _ = in.Destroy() }()
	values := []ort.Value{nil}
	if err := n.session.Run([]ort.Value{in}, values); err != nil {
		return nil, out, fmt.Errorf("ONNX Runtime %s cannot run the network on images of %d x %d: %s", ort.GetVersion(), shape[2], shape[3], reason(err))
	}
	defer func() { _ = values[0].Destroy() }()
	t, ok := values[0].(*ort.Tensor[float32])
	if !ok || len(t.GetShape()) != 4 {
		return nil, out, fmt.Errorf("the output %q is of shape %v: want float32 of [N C H W]", n.Output.Name, values[0].GetShape())
	}
	for i, d := range t.GetShape() {
		out[i] = int(d)
	}
	return append([]float32(nil), t.GetData()...), out, nil // the data are the tensor's, which goes
}

// Close frees the network.
func (n *Net) Close() error { return errors.Join(n.metadata.Destroy(), n.session.Destroy()) }
