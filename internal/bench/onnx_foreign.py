"""Writes the files of model/testdata/onnx: networks as other programs export them, and what Python makes of a volume by one of them.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime numpy
    venv/bin/python internal/bench/onnx_foreign.py model/testdata/onnx

Inputs and outputs are called as by torch.onnx.export in MONAI and nnU-Net: input and output. The weights are random; the networks are two
convolutions, enough to tell rows from columns and classes from each other.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def network(name, classes=3, channels=1, shape=("batch", None, "height", "width"), final=None, stride=1, inputs=("input",)):
    """A network of 3 x 3 and 1 x 1 convolutions; final is the operation behind them."""
    rng = np.random.default_rng(24)
    dims = len(shape) - 2

    def weight(name, *size):
        return numpy_helper.from_array(rng.normal(0, 1, size).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", [inputs[0], "model.0.conv.weight", "model.0.conv.bias"], ["a"], kernel_shape=[3] * dims, pads=[1] * 2 * dims, strides=[stride] * dims),
        helper.make_node("LeakyRelu", ["a"], ["b"], alpha=0.01),
        helper.make_node("Conv", ["b", "model.1.conv.weight", "model.1.conv.bias"], ["c" if final else "output"], kernel_shape=[1] * dims),
    ]
    if final:
        nodes.append(helper.make_node(final, ["c"], ["output"], **({"axis": 1} if final == "Softmax" else {})))
    weights = [weight("model.0.conv.weight", 4, channels, *[3] * dims), weight("model.0.conv.bias", 4),
               weight("model.1.conv.weight", classes, 4, *[1] * dims), weight("model.1.conv.bias", classes)]
    size = list(shape)
    size[1] = channels
    answer = [size[0], classes] + [n // stride if isinstance(n, int) else f"{n}_out" if stride > 1 else n for n in size[2:]]
    graph = helper.make_graph(nodes, "main_graph", [helper.make_tensor_value_info(i, TensorProto.FLOAT, size) for i in inputs],
                              [helper.make_tensor_value_info("output", TensorProto.FLOAT, answer)], weights)
    save(name, graph)


def save(name, graph):
    model = helper.make_model(graph, producer_name="pytorch", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out / f"{name}.onnx")


network("logits")
network("softmax", final="Softmax")
network("sigmoid", classes=1, final="Sigmoid")
network("one-logit", classes=1)
network("fixed", shape=(1, None, 12, 14))
network("batch", shape=(4, None, 12, 14))
network("two-channels", channels=2)
network("volumes", shape=("batch", None, "depth", "height", "width"))
network("halves", stride=2, shape=("batch", None, 12, 14))
network("halves-any", stride=2)
image = [helper.make_tensor_value_info(i, TensorProto.DOUBLE, ["batch", 1, "height", "width"]) for i in ("input", "output")]
save("double", helper.make_graph([helper.make_node("Identity", ["input"], ["output"])], "main_graph", image[:1], image[1:]))
network("two-inputs", inputs=("input", "clicks"))

# The case: [k j i] as SimpleITK gives it to nnU-Net, slices across k.
rng = np.random.default_rng(7)
volume = rng.integers(0, 1000, (3, 12, 14)).astype(np.float32)
vectors = {"Volume": volume.ravel().tolist(), "Size": [14, 12, 3], "Probabilities": {}}


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def run(name, x):
    return onnxruntime.InferenceSession(str(out / f"{name}.onnx"), providers=["CPUExecutionProvider"]).run(None, {"input": x.astype(np.float32)})[0]


def keep(name, p):
    """[slices K H W] as [slices H W K]."""
    vectors["Probabilities"][name] = [round(float(v), 7) for v in p.transpose(0, 2, 3, 1).ravel()]


z = ((volume - volume.mean()) / volume.std())[:, None]  # nnU-Net's ZScoreNormalization
keep("logits", softmax(run("logits", z)))
keep("transposed", softmax(run("logits", z.transpose(0, 1, 3, 2))).transpose(0, 1, 3, 2))  # MONAI: rows run along i
low, high = np.percentile(volume, [5, 95])  # nnU-Net's CTNormalization has them from all cases, as numbers
keep("fixed", softmax(np.concatenate([run("fixed", s[None]) for s in (np.clip(volume, 100, 900) - 480) / 250 for s in [s[None]]])))
keep("softmax", run("softmax", ((np.clip(volume, low, high) - low) / (high - low))[:, None]))  # MONAI's ScaleIntensityRangePercentiles
p = run("sigmoid", z)
keep("sigmoid", np.concatenate([1 - p, p], 1))
p = 1 / (1 + np.exp(-run("one-logit", z)))
keep("one-logit", np.concatenate([1 - p, p], 1))
(out / "vectors.json").write_text(json.dumps(vectors) + "\n")
for path in sorted(out.iterdir()):
    print(path.name, path.stat().st_size)
