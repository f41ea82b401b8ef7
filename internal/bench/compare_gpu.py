#!/usr/bin/env python3
"""Times training steps of the same U-Net in plain PyTorch on a GPU: what `make gpu-check` times of --engine torch stands beside these.

    python3 internal/bench/compare_gpu.py [--device cuda] [--widths 16,32,64] [--size 128] [--steps 300] [--ways eager,channels-last,compiled,graph]

Batch 4, dropout 0.5, the paper's loss, Adam (fused where there is one), each in TF32 and by bfloat16 autocast; images lie on the device, and each step's loss is
read, as nextslice does. The table, in Markdown, has medians in ms. Needs torch alone; compiled needs 2.0 and a C++ compiler, graph needs CUDA. Tried on the device cpu
with torch 2.15.0, the others on none.
"""
import argparse
import contextlib
import statistics
import time

import torch
from compare_torch import UNet, adam_of, loss_of


def stepper(way, width, size, device, bfloat16):
    """A function that carries out one step and returns its loss as a number."""
    torch.manual_seed(1)
    net = UNet(width).to(device)
    x = torch.randn(4, 1, size, size, device=device)
    target = torch.randint(0, 2, (4, size, size), device=device)
    if way != "eager":
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    adam = adam_of(net.parameters())
    forward = torch.compile(net) if way == "compiled" else net
    if way == "graph":
        for group in adam.param_groups:
            group["capturable"] = True

    def step():
        adam.zero_grad(set_to_none=True)
        rounding = torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False) if bfloat16 else contextlib.nullcontext()
        with rounding:
            logits = forward(x)
        loss = loss_of(logits.float(), target)
        loss.backward()
        adam.step()
        return loss.detach()

    if way != "graph":
        return lambda: step().item()
    if device.type != "cuda":
        return None
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        graph.replay()
        return loss.item()

    return replay


def median(step, steps):
    for _ in range(5):  # finds kernels, compiles
        step()
    times = []
    for _ in range(steps):
        begin = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--device", default="cuda")
    p.add_argument("--widths", default="16,32,64")
    p.add_argument("--size", type=int, default=128)
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--ways", default="eager,channels-last,compiled,graph")
    a = p.parse_args()
    device = torch.device(a.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    print(f"PyTorch {torch.__version__} on {name}, {a.size}x{a.size}, {a.steps} steps\n")
    print("| width | arithmetic | " + " | ".join(a.ways.split(",")) + " |\n|---:|---|" + "---:|" * len(a.ways.split(",")))
    for width in map(int, a.widths.split(",")):
        for bfloat16 in (False, True):
            cells = []
            for way in a.ways.split(","):
                step = stepper(way, width, a.size, device, bfloat16)
                cells.append(f"{median(step, a.steps):.2f}" if step else "–")
            print(f"| {width} | {'bfloat16' if bfloat16 else 'TF32'} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
