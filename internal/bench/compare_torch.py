#!/usr/bin/env python3
"""Times the same U-Net in PyTorch, in what practised users put in its place, and in nextslice, alternating, in one run.

    go build -o /tmp/peer ./internal/bench/peer && python3 internal/bench/compare_torch.py /tmp/peer [--rounds 10] [--widths 16,32,64] \\
        [--channels 1,5] [--peers default,last,compiled,openvino,onnxruntime]

    pip install torch==2.15.0 openvino==2026.4.1 onnxruntime==1.32.0 onnx onnxscript

Peers: PyTorch with its default layout and channels last; compiled by torch.compile (inductor, channels last; frozen for inference), which needs a C++
compiler; OpenVINO and ONNX Runtime, for inference only. All compute in float32; `openvino-bf16` may round to bfloat16, as OpenVINO does by itself
where the processor has units for it, and counts beside `--isa amx` only. Each round measures every peer and ours one after the other, each after one repetition that does not
count: it finds the caches and the threads as the other side left them. The table, in Markdown, has the medians over rounds, and the ratio of the
quickest peer to ours. The PyTorch side is what a practised user writes: no needless copies, gradients set to None, inference_mode, the
fused or foreach Adam where the version has it.
"""
import argparse
import itertools
import os
import statistics
import subprocess
import tempfile
import time

import torch
from torch import nn

# Before each measurement, for whoever is next: OpenMP's threads spin for a while after their work, on the cores of the other.
SETTLE = 0.5

WORKS = {"train": "training step", "deep": "the same, deep supervision", "infer": "inference"}


def block(i, o):
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.01, inplace=True),
        nn.Conv2d(o, o * 2, 3, padding=1), nn.BatchNorm2d(o * 2), nn.LeakyReLU(0.01, inplace=True))


def decoder(i, o):
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.01, inplace=True),
        nn.Conv2d(o, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.01, inplace=True))


class UNet(nn.Module):
    def __init__(self, width, classes=2, channels=1, deep=False):
        super().__init__()
        w = width
        self.heads = nn.ModuleList([nn.Conv2d(c, classes, 1) for c in (4 * w, 2 * w)] if deep else [])
        self.enc = nn.ModuleList([
            nn.Sequential(nn.Conv2d(channels, w // 2, 3, padding=1), nn.BatchNorm2d(w // 2), nn.LeakyReLU(0.01, inplace=True),
                          nn.Conv2d(w // 2, w, 3, padding=1), nn.BatchNorm2d(w), nn.LeakyReLU(0.01, inplace=True)),
            block(w, w), block(2 * w, 2 * w)])
        self.center = block(4 * w, 4 * w)
        self.up = nn.ModuleList([nn.ConvTranspose2d(c, c, 2, stride=2) for c in (8 * w, 4 * w, 2 * w)])
        self.dec = nn.ModuleList([decoder(12 * w, 4 * w), decoder(6 * w, 2 * w), decoder(3 * w, w)])
        self.out = nn.Conv2d(w, classes, 1)
        self.drop = nn.Dropout(0.5)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        skips = []
        for e in self.enc:
            x = e(x)
            skips.append(x)
            x = self.drop(self.pool(x))
        x = self.center(x)
        levels = []
        for up, dec in zip(self.up, self.dec):
            x = dec(self.drop(torch.cat([up(x), skips.pop()], 1)))
            levels.append(x)
        return [head(level) for head, level in zip(self.heads, levels)] + [self.out(x)] if self.heads else self.out(x)


def loss_of(logits, target):
    if isinstance(logits, list):  # deep supervision: coarser levels against every second and fourth pixel, weights that halve
        steps = [1 << (len(logits) - 1 - i) for i in range(len(logits))]
        return sum(loss_of(x, target[:, s // 2 :: s, s // 2 :: s]) / s for x, s in zip(logits, steps))
    p = torch.softmax(logits, 1)[:, 1]
    t = (target == 1).float()
    dice = (2 * (p * t).sum((1, 2)) + 1e-9) / (p.sum((1, 2)) + t.sum((1, 2)) + 1e-9)
    return 0.5 * nn.functional.cross_entropy(logits, target) + 0.5 * (1 - dice.mean())


def adam_of(params):
    params = list(params)
    for extra in ({"fused": True}, {"foreach": True}, {}):
        try:
            return torch.optim.Adam(params, lr=1e-4, weight_decay=1e-4, **extra)
        except (TypeError, RuntimeError):
            continue
    raise RuntimeError("no Adam")


def training(width, channels, items, h, w, peer, deep):
    torch.manual_seed(1)
    layout = torch.contiguous_format if peer == "default" else torch.channels_last
    net = UNet(width, channels=channels, deep=deep).to(memory_format=layout).train()
    x = torch.randn(items, channels, h, w).to(memory_format=layout)
    target = torch.randint(0, 2, (items, h, w))
    adam = adam_of(net.parameters())
    loss = (lambda: loss_of(net(x), target))
    if peer == "compiled":
        forward = torch.compile(lambda x, target: loss_of(net(x), target))
        loss = (lambda: forward(x, target))

    def step():
        adam.zero_grad(set_to_none=True)
        loss().backward()
        adam.step()
    return step


def inference(width, channels, items, h, w, peer, threads):
    torch.manual_seed(1)
    net = nn.Sequential(UNet(width, channels=channels), nn.Softmax(1)).eval()
    x = torch.randn(items, channels, h, w)
    if peer.startswith("openvino"):
        import openvino
        hints = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        if peer == "openvino":
            hints["INFERENCE_PRECISION_HINT"] = "f32"
        model = openvino.convert_model(net, example_input=x, input=[x.shape])
        request = openvino.Core().compile_model(model, "CPU", hints).create_infer_request()
        request.set_input_tensor(openvino.Tensor(x.numpy()))
        return request.infer
    if peer == "onnxruntime":
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "net.onnx")
            torch.onnx.export(net, (x,), path, input_names=["x"], verbose=False)
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = {"x": x.numpy()}
        return lambda: session.run(None, feed)
    if peer != "default":
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    forward = torch.compile(net, options={"freezing": True}) if peer == "compiled" else net

    def infer():
        with torch.inference_mode(peer != "compiled"), torch.no_grad():
            forward(x)
    return infer


def timed(work, reps):
    work()
    begin = time.perf_counter()
    for _ in range(reps):
        work()
    return (time.perf_counter() - begin) / reps


def main():
    p = argparse.ArgumentParser()
    p.add_argument("peer")
    p.add_argument("--rounds", type=int, default=10)
    p.add_argument("--widths", default="16,32,64")
    p.add_argument("--channels", default="1")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--sizes", default="48x64,128x128")
    p.add_argument("--what", default="train,infer")
    p.add_argument("--peers", default="default,last")
    p.add_argument("--isa", default="", help="ours: avx512, avx2 or baseline; amx rounds to bfloat16")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    ours = subprocess.Popen([a.peer, "-isa", a.isa], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(what, width, channels, items, h, w, reps):
        ours.stdin.write(f"{what} {width} {channels} {items} {h} {w} {reps}\n")
        ours.stdin.flush()
        return float(ours.stdout.readline())

    peers = a.peers.split(",")
    print(f"Milliseconds, PyTorch {torch.__version__}, {a.threads} threads, medians of {a.rounds} alternations.\n")
    print(f"| work | size | width | channels | ours | {' | '.join(peers)} | ratio |")
    print("|---|---|---:|---:|---:|" + "---:|" * len(peers) + "---:|")
    for what, size, width, channels in itertools.product(a.what.split(","), a.sizes.split(","), map(int, a.widths.split(",")), map(int, a.channels.split(","))):
        h, w = map(int, size.split("x"))
        shape = (width, channels, 8 if what == "infer" else 4, h, w)
        sides = {}
        for peer in peers:
            if what == "infer":
                sides[peer] = inference(*shape, peer, a.threads)
            elif peer in ("default", "last", "compiled"):
                sides[peer] = training(*shape, peer, what == "deep")
        counted = [side for side in sides if a.isa == "amx" or side != "openvino-bf16"]
        if not counted:
            continue
        for work in sides.values():
            work(), work()
        reps = max(2, min(20, int(0.3 / timed(next(iter(sides.values())), 1))))
        ask(what, *shape, 1)
        times = {side: [] for side in [*sides, "ours"]}
        for _ in range(a.rounds):
            for side, measured in times.items():
                time.sleep(SETTLE)
                measured.append(ask(what, *shape, reps) if side == "ours" else timed(sides[side], reps))
        m = {side: 1000 * statistics.median(t) for side, t in times.items()}
        best = min(m[side] for side in counted)
        cells = " | ".join(f"{m[peer]:.1f}" if peer in m else "–" for peer in peers)
        print(f"| {WORKS[what]} | {h}×{w} | {width} | {channels} | {m['ours']:.1f} | {cells} | {best / m['ours']:.2f} |", flush=True)
    ours.stdin.close()
    ours.wait()


if __name__ == "__main__":
    main()
