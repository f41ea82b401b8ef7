#!/usr/bin/env python3
"""Times the same U-Net in PyTorch and in nextslice, alternating, in one run.

    go build -o /tmp/peer ./internal/bench/peer && python3 internal/bench/compare_torch.py /tmp/peer [--rounds 10] [--widths 16,32,64]

Each round measures PyTorch's two memory layouts and ours one after the other, each after one repetition that does not
count: it finds the caches and the threads as the other side left them. The table, in Markdown, has the medians over rounds,
PyTorch's for the better layout and for each, and the ratio of the better one to ours. The PyTorch side is what a practised user writes: no needless copies,
gradients set to None, inference_mode, the fused or foreach Adam where the version has it.
"""
import argparse
import statistics
import subprocess
import time

import torch
from torch import nn



# Before each measurement, for whoever is next: OpenMP's threads spin for a while after their work, on the cores of the other.
SETTLE = 0.5

WORKS = {"train": "training step", "infer": "inference"}


def block(i, o):
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.01, inplace=True),
        nn.Conv2d(o, o * 2, 3, padding=1), nn.BatchNorm2d(o * 2), nn.LeakyReLU(0.01, inplace=True))


def decoder(i, o):
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.01, inplace=True),
        nn.Conv2d(o, o, 3, padding=1), nn.BatchNorm2d(o), nn.LeakyReLU(0.01, inplace=True))


class UNet(nn.Module):
    def __init__(self, width, classes=2):
        super().__init__()
        w = width
        self.enc = nn.ModuleList([
            nn.Sequential(nn.Conv2d(1, w // 2, 3, padding=1), nn.BatchNorm2d(w // 2), nn.LeakyReLU(0.01, inplace=True),
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
        for up, dec in zip(self.up, self.dec):
            x = dec(self.drop(torch.cat([up(x), skips.pop()], 1)))
        return self.out(x)


def loss_of(logits, target):
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


def work_of(what, width, items, h, w, layout):
    torch.manual_seed(1)
    net = UNet(width).to(memory_format=layout)
    x = torch.randn(items, 1, h, w).to(memory_format=layout)
    target = torch.randint(0, 2, (items, h, w))
    if what == "train":
        net.train()
        adam = adam_of(net.parameters())

        def step():
            adam.zero_grad(set_to_none=True)
            loss_of(net(x), target).backward()
            adam.step()
        return step
    net.eval()

    def infer():
        with torch.inference_mode():
            torch.softmax(net(x), 1)
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
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--sizes", default="48x64,128x128")
    p.add_argument("--what", default="train,infer")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    ours = subprocess.Popen([a.peer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(what, width, items, h, w, reps):
        ours.stdin.write(f"{what} {width} {items} {h} {w} {reps}\n")
        ours.stdin.flush()
        return float(ours.stdout.readline())

    print(f"Milliseconds, {a.threads} threads, medians of {a.rounds} alternations.\n")
    print(f"| work | size | width | ours | PyTorch {torch.__version__} | default | channels last | ratio |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for what in a.what.split(","):
        items = 4 if what == "train" else 8
        for size in a.sizes.split(","):
            h, w = map(int, size.split("x"))
            for width in map(int, a.widths.split(",")):
                plain = work_of(what, width, items, h, w, torch.contiguous_format)
                last = work_of(what, width, items, h, w, torch.channels_last)
                plain(), last()
                reps = max(2, min(20, int(0.3 / timed(plain, 1))))
                ask(what, width, items, h, w, 1)
                times = [[], [], []]
                for _ in range(a.rounds):
                    for side, measure in enumerate((
                        lambda: timed(plain, reps),
                        lambda: timed(last, reps),
                        lambda: ask(what, width, items, h, w, reps),
                    )):
                        time.sleep(SETTLE)
                        times[side].append(measure())
                m = [1000 * statistics.median(t) for t in times]
                best = min(m[:2])
                print(f"| {WORKS[what]} | {h}×{w} | {width} | {m[2]:.1f} | {best:.1f} | {m[0]:.1f} | {m[1]:.1f} | {best / m[2]:.2f} |",
                      flush=True)
    ours.stdin.close()
    ours.wait()


if __name__ == "__main__":
    main()
