"""Runs the network of an ONNX file by the Python package onnxruntime: the other end of process.go, for programs that cannot load its library.

Frames are those of internal/python. The first is {path, threads}, answered by {version, inputs, outputs, metadata}. Then each is {shape}
with float32 of [N C H W], answered by {shape} with the output, or by {refused} with what ONNX Runtime says.
"""
import json
import os
import struct
import sys

replies = os.dup(1)
os.dup2(2, 1)  # what a library prints must not lie among the replies
os.write(replies, b"\0nextslice\0")


def read(n):
    data = bytearray(n)
    view, at = memoryview(data), 0
    while at < n:
        part = os.read(0, min(n - at, 1 << 20))
        if not part:
            sys.exit(0)
        view[at : at + len(part)] = part
        at += len(part)
    return data


def header():
    return json.loads(read(struct.unpack("<I", read(4))[0]))


def send(answer, data=b""):
    text = json.dumps(answer).encode()
    for part in (struct.pack("<I", len(text)) + text, data):
        view = memoryview(part)
        while len(view):
            view = view[os.write(replies, view) :]


def value(v):
    kind = v.type[len("tensor(") : -1] if v.type.startswith("tensor(") else ""
    return {"name": v.name, "kind": kind, "shape": [n if isinstance(n, int) else -1 for n in v.shape or []]}


hello = header()
try:
    import numpy
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = hello["threads"]
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(hello["path"], options, providers=["CPUExecutionProvider"])
except Exception as e:
    send({"error": str(e) or type(e).__name__})
    sys.exit(1)
names = [v.name for v in session.get_inputs()], [v.name for v in session.get_outputs()][:1]
send({"version": onnxruntime.__version__, "inputs": [value(v) for v in session.get_inputs()], "outputs": [value(v) for v in session.get_outputs()],
      "metadata": session.get_modelmeta().custom_metadata_map})
while True:
    shape = header()["shape"]
    x = numpy.frombuffer(read(4 * int(numpy.prod(shape))), numpy.float32).reshape(shape)
    try:
        y = session.run(names[1], {names[0][0]: x})[0]
    except Exception as e:
        send({"refused": str(e)})
        continue
    if y.dtype != numpy.float32 or y.ndim != 4:
        send({"refused": f"the output is {y.dtype} of {list(y.shape)}: want float32 of [N C H W]"})
        continue
    send({"shape": list(y.shape)}, memoryview(numpy.ascontiguousarray(y)).cast("B"))
