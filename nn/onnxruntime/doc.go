// Package onnxruntime runs the networks of ONNX files by Microsoft's ONNX Runtime, a shared library that is loaded when the first
// network is opened. The program builds and runs without it; [Open] says what is missing.
//
//	net, err := onnxruntime.Open("other.onnx", 0)
//	y, shape, err := net.Run(x, [4]int{8, 1, 256, 256})
//
// A network has one input and is asked for its first output; both are float32 of four dimensions, [N C H W].
package onnxruntime
