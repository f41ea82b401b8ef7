"""Writes the files of nn/unet/unettest/testdata: the network of package unet, run by PyTorch.

Fixed weights and images, dropout masks from the same hash as tensor.Hash; logits, loss, every gradient, the losses
of ten optimiser steps, then inference on the running statistics. All of it in float64, stored as float32, so that a
test measures the Go engine's error alone.

    python3 internal/bench/unet_vectors.py nn/unet/unettest/testdata [case ...]

Needs numpy and torch (1.13 made the files that are in the repository).
"""

import json
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

U64 = (1 << 64) - 1


def hash32(seed, i):
    """tensor.Hash for an array of indices."""
    h = i.astype(np.uint32) ^ np.uint32(seed & 0xFFFFFFFF)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h += np.uint32(seed >> 32)
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return h


def layer_seed(seed, position):
    """The seed of dropout layer 0 ... 5 of a pass: SplitMix64 of the pass's seed."""
    z = (seed + (position + 1) * 0x9E3779B97F4A7C15) & U64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & U64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & U64
    return z ^ (z >> 31)


def dropout(x, p, seed, position):
    """Element-wise dropout; the mask counts elements channels last."""
    if seed is None or p == 0:
        return x
    n, c, h, w = x.shape
    keep = hash32(layer_seed(seed, position), np.arange(n * h * w * c)) >= np.uint32(int(p * 2**32))
    mask = torch.from_numpy(keep.reshape(n, h, w, c)).permute(0, 3, 1, 2)
    return x * mask / (1 - p)


class Double(nn.Module):
    def __init__(self, i, m, o):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(i, m, 3, padding=1), nn.BatchNorm2d(m)
        self.conv2, self.norm2 = nn.Conv2d(m, o, 3, padding=1), nn.BatchNorm2d(o)

    def forward(self, x):
        x = F.leaky_relu(self.norm1(self.conv1(x)), 0.01)
        return F.leaky_relu(self.norm2(self.conv2(x)), 0.01)


class UNet(nn.Module):
    def __init__(self, classes, width, p, channels=1):
        super().__init__()
        w, self.p = width, p
        self.enc1, self.enc2, self.enc3 = Double(channels, w // 2, w), Double(w, w, 2 * w), Double(2 * w, 2 * w, 4 * w)
        self.center = Double(4 * w, 4 * w, 8 * w)
        self.up1, self.dec1 = nn.ConvTranspose2d(8 * w, 8 * w, 2, 2), Double(12 * w, 4 * w, 4 * w)
        self.up2, self.dec2 = nn.ConvTranspose2d(4 * w, 4 * w, 2, 2), Double(6 * w, 2 * w, 2 * w)
        self.up3, self.dec3 = nn.ConvTranspose2d(2 * w, 2 * w, 2, 2), Double(3 * w, w, w)
        self.out = nn.Conv2d(w, classes, 1)

    def forward(self, x, seed=None):
        skips, self.features, self.decoder = [], [], []
        for i, enc in enumerate([self.enc1, self.enc2, self.enc3]):
            x = enc(x)
            skips.append(x)
            self.features.append(x.mean((2, 3)))
            x = dropout(F.max_pool2d(x, 2), self.p, seed, i)
        x = self.center(x)
        self.features.append(x.mean((2, 3)))
        for i, (up, dec) in enumerate([(self.up1, self.dec1), (self.up2, self.dec2), (self.up3, self.dec3)]):
            x, skip = up(x), skips.pop()
            x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
            x = dec(dropout(torch.cat([x, skip], 1), self.p, seed, 3 + i))
            self.decoder.append(x)
        return self.out(x)


class Heads(nn.Module):
    """Deep supervision (unet.Deep): deep2 on half the resolution, deep1 on a quarter."""

    def __init__(self, classes, width):
        super().__init__()
        self.deep2, self.deep1 = nn.Conv2d(2 * width, classes, 1), nn.Conv2d(4 * width, classes, 1)

    def loss(self, net, target, case, merged):
        total = 0
        for level, head in [(1, self.deep2), (2, self.deep1)]:
            logits, step = head(net.decoder[2 - level]), 1 << level
            h, w = logits.shape[2:]
            coarse = target[:, step // 2 :: step, step // 2 :: step][:, :h, :w]
            total = total + item_losses(logits, coarse, case, merged).mean() / step
        return total


class LossModule(nn.Module):
    """Learning loss (Yoo, Kweon 2019) on the four pooled feature vectors."""

    def __init__(self, width):
        super().__init__()
        for i in range(4):
            setattr(self, f"linear{i + 1}", nn.Linear(width << i, 128))
        self.linear = nn.Linear(512, 1)

    def forward(self, features):
        parts = [F.relu(getattr(self, f"linear{i + 1}")(f)) for i, f in enumerate(features)]
        return self.linear(torch.cat(parts, 1))[:, 0]


def pair_loss(predicted, losses, margin):
    n = len(predicted) // 2
    diff = predicted[:n] - predicted.flip(0)[:n]
    sign = torch.where(losses[:n] > losses.flip(0)[:n], 1.0, -1.0)
    return torch.clamp(margin - sign * diff, min=0).mean()


def unknown_losses(logits, target, case, merged):
    """item_losses, pixel by pixel, where some pixels are ignored (255) and some classes were not looked for."""
    losses = []
    for x, t, m in zip(logits.permute(0, 2, 3, 1), target, merged):
        k = x.shape[-1]
        x, t = x[t < k], t[t < k]
        if len(t) == 0:
            losses.append(x.sum())
            continue
        background, m = t == 0, m.clone()
        known = [c for c in range(1, k) if not m[c]]
        if case.get("sigmoid"):
            p = torch.sigmoid(x)
            nats = F.binary_cross_entropy_with_logits(x, F.one_hot(t, k).to(x), reduction="none")
            m[0] = bool(m.any())
            nats[background] = nats[background] * ~m
            nats = nats.mean(1)
        else:
            p = torch.softmax(x, 1)
            m[0] = True
            of_target = p[torch.arange(len(t)), t]
            nats = -torch.log(torch.where(background, p[:, m].sum(1), of_target))
        weight = torch.tensor(case.get("class_weights") or [1.0] * k, dtype=x.dtype)[t]
        loss = case["ce"] * (nats * weight).sum() / weight.sum()
        ratios = [(2 * p[t == c, c].sum() + case["smooth"]) / (p[:, c].sum() + (t == c).sum() + case["smooth"]) for c in known]
        if known:
            loss = loss + case["dice"] * (1 - sum(ratios) / len(ratios))
        losses.append(loss)
    return torch.stack(losses)


def item_losses(logits, target, case, merged=None):
    if merged is not None:
        return unknown_losses(logits, target, case, merged)
    k = logits.shape[1]
    onehot = F.one_hot(target, k).permute(0, 3, 1, 2).to(logits)
    weight = torch.ones_like(target, dtype=logits.dtype)
    if case.get("class_weights"):
        weight = torch.tensor(case["class_weights"], dtype=logits.dtype)[target]
    if case.get("sigmoid"):
        p = torch.sigmoid(logits)
        ce = F.binary_cross_entropy_with_logits(logits, onehot, reduction="none").mean(1)
    else:
        p = torch.softmax(logits, 1)
        ce = F.cross_entropy(logits, target, reduction="none")
    ce = (ce * weight).sum((1, 2)) / weight.sum((1, 2))
    p, t, eps = p[:, 1:], onehot[:, 1:], case["smooth"]
    dice = (2 * (p * t).sum((2, 3)) + eps) / (p.sum((2, 3)) + t.sum((2, 3)) + eps)
    return case["ce"] * ce + case["dice"] * (1 - dice.mean(1))


def f32(x):
    """Rounds to what float32 holds."""
    return x.float().double()


def hide(target, rng):
    """Makes of masks what a data set has of which not all is known: ignored pixels, a whole ignored item, and classes that nobody looked for."""
    n, k = len(target), int(target.max()) + 1
    merged = np.zeros((n, k), np.uint8)
    merged[0, k - 1] = 1
    merged[1, 1:] = 1
    for i in range(n):
        target[i][merged[i].astype(bool)[target[i]]] = 0
        target[i][: 3 + i] = 255
    target[2] = 255
    return merged


def images(n, h, w, classes, rng):
    """Noisy discs: every class is in some item, the last item has background alone."""
    y, x = np.mgrid[:h, :w]
    image, target = np.zeros((n, h, w)), np.zeros((n, h, w), np.uint8)
    for i in range(n):
        for k in range(1, classes if i < n - 1 else 1):
            cy, cx, r = rng.uniform(0.3, 0.7) * h, rng.uniform(0.3, 0.7) * w, rng.uniform(0.12, 0.25) * h
            target[i][(y - cy) ** 2 + (x - cx) ** 2 < r * r] = k
        image[i] = target[i] + rng.normal(0, 0.7, (h, w))
    image = (image - image.mean()) / image.std()
    return image.astype(np.float32), target


def save(path, tensors, metadata):
    header, blob = {"__metadata__": metadata}, b""
    for name, x in tensors.items():
        x = np.ascontiguousarray(x)
        kind = {"float32": "F32", "uint8": "U8"}[str(x.dtype)]
        header[name] = {"dtype": kind, "shape": list(x.shape), "data_offsets": [len(blob), len(blob) + x.nbytes]}
        blob += x.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + blob)


def single(x):
    return x.detach().numpy().astype(np.float32)


def last(x):
    """Logits, channels last."""
    return single(x.permute(0, 2, 3, 1))


def run(case):
    torch.manual_seed(case["seed"])
    rng = np.random.default_rng(case["seed"])
    n, h, w, k = case["shape"]
    channels = case.get("channels", 1)
    net = UNet(k, case["width"], case["dropout"], channels).double()
    module = LossModule(case["width"]).double() if case.get("margin") is not None else None
    heads = Heads(k, case["width"]).double() if case.get("deep") else None
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, nn.BatchNorm2d):  # away from 1 and 0
                m.weight.copy_(torch.from_numpy(rng.uniform(0.5, 1.5, m.weight.shape)))
                m.bias.copy_(torch.from_numpy(rng.normal(0, 0.2, m.bias.shape)))
        for part in filter(None, [net, module, heads]):
            for p in part.parameters():
                p.copy_(f32(p))
    image, label = images(n, h, w, k, rng)
    merged = None
    if case.get("unknown"):
        hidden = hide(label, rng)
        merged = torch.from_numpy(hidden).bool()
    if channels > 1:  # the image, and others beside it
        image = np.stack([image] + [np.roll(image, c, 1) * 0.5**c for c in range(1, channels)], 3).astype(np.float32)
    x = torch.from_numpy(image).double().reshape(n, h, w, channels).permute(0, 3, 1, 2)
    target = torch.from_numpy(label.astype(np.int64))

    out = {"x": image, "target": label}
    if merged is not None:
        out["merged"] = hidden
    for name, p in net.named_parameters():
        out["weight." + name] = single(p)
    if module:
        for name, p in module.named_parameters():
            out["module.weight." + name] = single(p)
        sgd = torch.optim.SGD(module.parameters(), lr=case["module_lr"], momentum=0.9, weight_decay=5e-4)
    if heads:
        for name, p in heads.named_parameters():
            out["heads.weight." + name] = single(p)
    parameters = [*net.parameters(), *(heads.parameters() if heads else [])]
    adam = torch.optim.Adam(parameters, lr=case["lr"], weight_decay=1e-4)

    steps, module_steps = [], []
    net.train()
    for step in range(10):
        logits = net(x, case["seed"] + step)
        items = item_losses(logits, target, case, merged)
        total = items.mean()
        if heads:
            total = total + heads.loss(net, target, case, merged)
        adam.zero_grad()
        if module:
            sgd.zero_grad()
            features = net.features if step < case["cut"] else [f.detach() for f in net.features]
            predicted = module(features)
            extra = pair_loss(predicted, items.detach(), case["margin"])
            total = total + extra
            module_steps.append(extra.item())
        total.backward()
        steps.append(items.mean().item())
        if step == 0:
            out["logits"], out["items"] = last(logits), single(items)
            for name, p in net.named_parameters():
                out["grad." + name] = single(p.grad)
            if module:
                out["module.predicted"] = single(predicted)
                for name, p in module.named_parameters():
                    out["module.grad." + name] = single(p.grad)
            if heads:
                for name, p in heads.named_parameters():
                    out["heads.grad." + name] = single(p.grad)
        adam.step()
        if module:
            sgd.step()
    out["losses"] = np.array(steps, np.float32)
    if module:
        out["module.losses"] = np.array(module_steps, np.float32)

    net.eval()
    with torch.no_grad():
        out["inference"] = last(net(x))
        out["dropout"] = last(net(x, case["seed"] + 100))
    for name, b in net.named_buffers():
        if not name.endswith("num_batches_tracked"):
            out["buffer." + name] = single(b)
    metadata = {key: json.dumps(value) for key, value in case.items() if key != "name"}
    save(f"{sys.argv[1]}/{case['name']}.safetensors", out, metadata)
    print(case["name"], [round(s, 4) for s in steps], [round(s, 4) for s in module_steps])


CASES = [
    dict(name="two_classes", shape=[2, 48, 40, 2], width=4, dropout=0.5, ce=0.5, dice=0.5, smooth=1e-9, seed=0x1234567890ABCDEF, lr=1e-3),
    dict(name="three_classes", shape=[2, 44, 37, 3], width=2, dropout=0.25, ce=0.4, dice=0.6, smooth=1.0,
         class_weights=[0.5, 2.0, 1.5], seed=7, lr=2e-3),
    dict(name="sigmoid", shape=[2, 25, 16, 2], width=2, dropout=0.5, ce=0.5, dice=0.5, smooth=1e-9, sigmoid=True, seed=8, lr=1e-3),
    dict(name="learning_loss", shape=[5, 24, 18, 2], width=2, dropout=0.5, ce=0.5, dice=0.5, smooth=1.0, seed=9, lr=1e-3,
         margin=1.0, module_lr=1e-2, cut=5),
    dict(name="deep", shape=[2, 28, 21, 3], width=2, dropout=0.25, ce=0.5, dice=0.5, smooth=1e-9, seed=10, lr=1e-3, channels=3, deep=True),
    dict(name="unknown", shape=[4, 26, 19, 4], width=2, dropout=0.5, ce=0.5, dice=0.5, smooth=1.0, class_weights=[0.5, 2.0, 1.5, 0.7],
         seed=11, lr=1e-3, channels=2, deep=True, unknown=True),
    dict(name="unknown_sigmoid", shape=[4, 16, 24, 3], width=2, dropout=0.5, ce=0.5, dice=0.5, smooth=1.0, sigmoid=True, seed=12, lr=1e-3,
         deep=True, unknown=True),
]

if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in CASES:
        if case["name"] in sys.argv[2:] or len(sys.argv) == 2:
            run(case)
