"""Exports 2D networks of MONAI and nnU-Net as people do, lets nextslice segment a volume by each, and compares the masks with those that PyTorch
makes by the program's own order of axes and normalisation.

    python3 -m venv venv && venv/bin/pip install torch monai dynamic-network-architectures onnx onnxruntime nibabel
    PATH=$PWD/venv/bin:$PATH venv/bin/python internal/bench/onnx_programs.py ./nextslice

The weights are random, so that every pixel is near a border between classes; a voxel may differ where two classes are equal to 1e-4.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from monai.networks.nets import BasicUNet, DynUNet, UNet

program = Path(sys.argv[1]).resolve()
torch.manual_seed(0)
H, W, D, CLASSES = 96, 64, 5, 3


def nnunet(kind, **more):
    """As the experiment planner of nnU-Net v2 makes networks of slices, with fewer features."""
    return kind(input_channels=1, n_stages=5, features_per_stage=[8, 16, 32, 64, 64], conv_op=torch.nn.Conv2d, kernel_sizes=3, strides=[1, 2, 2, 2, 2],
                n_conv_per_stage_decoder=[2, 2, 2, 2], num_classes=CLASSES, conv_bias=True, norm_op=torch.nn.InstanceNorm2d,
                norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=torch.nn.LeakyReLU, nonlin_kwargs={"inplace": True}, deep_supervision=False, **more)


networks = {
    "monai-unet": UNet(2, 1, CLASSES, (8, 16, 32, 64), (2, 2, 2), num_res_units=2),
    "monai-basicunet": BasicUNet(2, 1, CLASSES, (8, 8, 16, 32, 64, 8)),
    "monai-dynunet": DynUNet(2, 1, CLASSES, [3] * 4, [1, 2, 2, 2], [2, 2, 2], filters=[8, 16, 32, 64]),
    "nnunet-plain": nnunet(PlainConvUNet, n_conv_per_stage=[2] * 5),
    "nnunet-residual": nnunet(ResidualEncoderUNet, n_blocks_per_stage=[1, 2, 2, 2, 2]),
}

rng = np.random.default_rng(24)
volume = rng.normal(400, 120, (W, H, D)).astype(np.float32)  # [i j k]
volume[20:40, 30:60] += 300
failed = 0
with tempfile.TemporaryDirectory() as tmp:
    tmp = Path(tmp)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([1, 1, 3, 1])), tmp / "case.nii.gz")
    for name, net in networks.items():
        monai = name.startswith("monai")
        net = net.eval()
        torch.onnx.export(net, torch.zeros(1, 1, H, W), tmp / f"{name}.onnx", input_names=["input"], output_names=["output"], opset_version=17,
                          dynamic_axes={"input": {0: "N", 2: "H", 3: "W"}, "output": {0: "N", 2: "H", 3: "W"}})
        canvas = [H, W]
        (tmp / f"{name}.yaml").write_text(
            f"classes: [background, first, second]\noutput: logits\nfit: pad\ncanvas: {canvas}\nintensities: z-score\ntranspose: {str(monai).lower()}\n")
        out = subprocess.run([program, "predict", tmp / f"{name}.onnx", tmp / "case.nii.gz", tmp / f"{name}.nii.gz"], capture_output=True, text=True)
        if out.returncode:
            print(f"{name}: {out.stderr.strip()}")
            failed += 1
            continue
        got = np.asarray(nibabel.load(tmp / f"{name}.nii.gz").dataobj)
        z = (volume - volume.mean()) / volume.std()
        slices = np.moveaxis(z, 2, 0) if monai else z.transpose(2, 1, 0)
        with torch.no_grad():
            logits = net(torch.tensor(slices[:, None].copy())).numpy()  # [k class row column]
        logits = logits.transpose(2, 3, 0, 1) if monai else logits.transpose(3, 2, 0, 1)  # [i j k class]
        want = logits.argmax(-1)
        two = np.sort(logits, -1)
        wrong = (got != want) & (two[..., -1] - two[..., -2] > 1e-4)
        print(f"{name}: {wrong.sum()} of {want.size} voxels differ, {[int((want == c).sum()) for c in range(CLASSES)]} of each class")
        failed += int(wrong.any())
sys.exit(failed > 0)
