// Package onnx writes the graphs of networks in the Open Neural Network Exchange format, which ONNX Runtime, OpenVINO, MATLAB and
// others run.
//
// A Graph is built node by node; Model.Encode writes it. Only what a convolutional network needs is here: float32 and int64
// tensors, and attributes that are numbers. The messages and their field numbers are those of onnx.proto in
// github.com/onnx/onnx; they are encoded by protowire, in a fixed order: the same model makes the same bytes.
package onnx

import (
	"encoding/binary"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Versions of the format (2021) and of its operators, which ONNX Runtime reads from 1.11 on.
const (
	irVersion = 8
	opset     = 17
)

// Model is a graph and what is said about it.
type Model struct {
	Producer, Version string
	Doc               string
	Graph             Graph
	Metadata          map[string]string
}

// Graph is a network: nodes in the order in which they are computed, and its constants.
type Graph struct {
	Name            string
	Inputs, Outputs []Value

	nodes, constants [][]byte
}

// Value is an input or an output of a graph: a float32 tensor. A dimension is a number, or a name for one that may have any size.
type Value struct {
	Name  string
	Shape []any // int or string
}

// Attribute is a named constant of a node: an int, a float32, or a list of ints.
type Attribute struct {
	Name  string
	Value any
}

// Floats adds a constant of float32 numbers, in the order of its shape with the last dimension innermost.
func (g *Graph) Floats(name string, shape []int, data []float32) {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	g.constant(name, shape, 1, raw)
}

// Ints adds a constant list of whole numbers.
func (g *Graph) Ints(name string, data ...int) {
	var raw []byte
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	g.constant(name, []int{len(data)}, 7, raw)
}

// constant adds a TensorProto of a data type with the bytes of its elements.
func (g *Graph) constant(name string, shape []int, dataType int, raw []byte) {
	var m message
	for _, n := range shape {
		m.int(1, n)
	}
	m.int(2, dataType)
	m.text(8, name)
	m.bytes(9, raw)
	g.constants = append(g.constants, m)
}

// Node adds an operation with one output, which is also its name, and returns that.
func (g *Graph) Node(op, output string, inputs []string, attributes ...Attribute) string {
	var m message
	for _, name := range inputs {
		m.text(1, name)
	}
	m.text(2, output)
	m.text(3, output)
	m.text(4, op)
	for _, a := range attributes {
		m.bytes(5, a.encode())
	}
	g.nodes = append(g.nodes, m)
	return output
}

// Encode returns the model's file.
func (m Model) Encode() []byte {
	var out, domain message
	domain.text(1, "")
	domain.int(2, opset)
	out.int(1, irVersion)
	out.text(2, m.Producer)
	out.text(3, m.Version)
	out.text(6, m.Doc)
	out.bytes(7, m.Graph.encode())
	out.bytes(8, domain)
	for _, key := range sortedKeys(m.Metadata) {
		var entry message
		entry.text(1, key)
		entry.text(2, m.Metadata[key])
		out.bytes(14, entry)
	}
	return out
}

func (g Graph) encode() []byte {
	var m message
	for _, n := range g.nodes {
		m.bytes(1, n)
	}
	m.text(2, g.Name)
	for _, c := range g.constants {
		m.bytes(5, c)
	}
	for _, v := range g.Inputs {
		m.bytes(11, v.encode())
	}
	for _, v := range g.Outputs {
		m.bytes(12, v.encode())
	}
	return m
}

func (v Value) encode() []byte {
	var shape, tensor, kind, out message
	for _, d := range v.Shape {
		var dim message
		switch d := d.(type) {
		case int:
			dim.int(1, d)
		case string:
			dim.text(2, d)
		}
		shape.bytes(1, dim)
	}
	tensor.int(1, 1) // float32
	tensor.bytes(2, shape)
	kind.bytes(1, tensor)
	out.text(1, v.Name)
	out.bytes(2, kind)
	return out
}

// encode returns an AttributeProto. It panics on a value of another type.
func (a Attribute) encode() []byte {
	var m message
	m.text(1, a.Name)
	switch v := a.Value.(type) {
	case float32:
		m = protowire.AppendTag(m, 2, protowire.Fixed32Type)
		m = protowire.AppendFixed32(m, math.Float32bits(v))
		m.int(20, 1)
	case int:
		m.int(3, v)
		m.int(20, 2)
	case []int:
		for _, n := range v {
			m.int(8, n)
		}
		m.int(20, 7)
	default:
		panic("onnx: attribute " + a.Name + ": want an int, a float32 or a list of ints")
	}
	return m
}

// message is an encoded protocol buffer message that grows by fields.
type message []byte

func (m *message) int(field protowire.Number, v int) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), uint64(v))
}

func (m *message) text(field protowire.Number, v string) {
	*m = protowire.AppendString(protowire.AppendTag(*m, field, protowire.BytesType), v)
}

func (m *message) bytes(field protowire.Number, v []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), v)
}

func sortedKeys(m map[string]string) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
