//go:build cgo

package onnxruntime

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// loadable reports whether this program can load a library.
var loadable = sync.OnceValue(func() bool { return runtime.GOOS != "linux" || !static("/proc/self/exe") })

// load loads the library, once: a program has one ONNX Runtime.
var load = sync.OnceValue(func() error {
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

// inProcess is a network that the library runs.
type inProcess struct {
	session *ort.DynamicAdvancedSession
	meta    *ort.ModelMetadata
	output  string
}

func openLibrary(path string, threads int) (_ *Net, err error) {
	if err := load(); err != nil {
		return nil, err
	}
	inputs, outputs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened by ONNX Runtime %s: %s", path, ort.GetVersion(), reason(err))
	}
	n := &Net{}
	if err := describe(n, path, inputs, outputs, valueOf); err != nil {
		return nil, err
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	if err := options.SetIntraOpNumThreads(threads); err != nil {
		return nil, err
	}
	r := &inProcess{output: n.Output.Name}
	if r.session, err = ort.NewDynamicAdvancedSession(path, []string{n.Input.Name}, []string{n.Output.Name}, options); err != nil {
		return nil, fmt.Errorf("%s cannot be opened by ONNX Runtime %s: %s", path, ort.GetVersion(), reason(err))
	}
	if r.meta, err = r.session.GetModelMetadata(); err != nil {
		_ = r.session.Destroy()
		return nil, err
	}
	n.runner = r
	return n, nil
}

func valueOf(v ort.InputOutputInfo, what string) (Value, error) {
	if v.OrtValueType != ort.ONNXTypeTensor {
		return Value{}, fmt.Errorf("its %s %q is no tensor: want [N C H W]", what, v.Name)
	}
	kind := strings.ToLower(strings.TrimPrefix(fmt.Sprint(v.DataType), "ONNX_TENSOR_ELEMENT_DATA_TYPE_"))
	return value(what, v.Name, v.DataType == ort.TensorElementDataTypeFloat, kind, v.Dimensions)
}

func (r *inProcess) metadata(key string) (string, bool) {
	value, ok, err := r.meta.LookupCustomMetadataMap(key)
	return value, ok && err == nil
}

func (r *inProcess) run(x []float32, shape [4]int) (y []float32, out [4]int, err error) {
	in, err := ort.NewTensor(ort.NewShape(int64(shape[0]), int64(shape[1]), int64(shape[2]), int64(shape[3])), x)
	if err != nil {
		return nil, out, err
	}
	defer func() { _ = in.Destroy() }()
	values := []ort.Value{nil}
	if err := r.session.Run([]ort.Value{in}, values); err != nil {
		return nil, out, refused(ort.GetVersion(), shape, err.Error())
	}
	defer func() { _ = values[0].Destroy() }()
	t, ok := values[0].(*ort.Tensor[float32])
	if !ok || len(t.GetShape()) != 4 {
		return nil, out, fmt.Errorf("the output %q is of shape %v: want float32 of [N C H W]", r.output, values[0].GetShape())
	}
	for i, d := range t.GetShape() {
		out[i] = int(d)
	}
	return append([]float32(nil), t.GetData()...), out, nil // the data are the tensor's, which goes
}

func (r *inProcess) close() error { return errors.Join(r.meta.Destroy(), r.session.Destroy()) }
