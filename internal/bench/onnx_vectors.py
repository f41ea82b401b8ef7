"""What ONNX Runtime makes of the graphs that nn/unet writes: the vectors of TestGraphAgreesWithONNXRuntime.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime numpy
    mkdir graphs && go test ./nn/unet -run ONNX -onnx "$PWD/graphs"
    venv/bin/python internal/bench/onnx_vectors.py graphs nn/unet/testdata/onnx.json

Each graph passes onnx's checker with shape inference, and is also run on two images at once, which must give the same.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

out = {}
for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
    case = json.loads(path.with_suffix(".json").read_text())
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    image = np.array(case["image"], np.float32).reshape(case["shape"])
    (p,) = session.run(["probabilities"], {"image": image})
    (two,) = session.run(None, {"image": np.concatenate([image, image[:, :, ::-1]])})
    assert np.abs(two[:1] - p).max() < 1e-6 and two.shape[0] == 2
    assert p.shape[2:] == image.shape[2:] and p.std() > 0.002, "the network says nothing"
    out[case["name"]] = {"SHA256": hashlib.sha256(path.read_bytes()).hexdigest(), "Probabilities": [round(float(v), 7) for v in p.ravel()]}
    print(case["name"], p.shape, "ONNX Runtime", onnxruntime.__version__)
Path(sys.argv[2]).write_text(json.dumps(out) + "\n")
