"""Checks of worker.py that need no second process: python checks.py worker.py [device]. Prints a line for each."""
import importlib.util
import sys

import torch

spec = importlib.util.spec_from_file_location("worker", sys.argv[1])
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
worker.torch = torch
DEVICE = torch.device(sys.argv[2] if len(sys.argv) > 2 else "cpu")
SPEC = {"classes": 3, "width": 4, "p": 0.5, "channels": 2}
ADAM = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "decay": 1e-4, "step": 1}
LOSS = {"ce": 0.5, "dice": 0.5, "smooth": 1e-9, "sigmoid": False, "classes": [0.5, 2.0, 1.5]}


class Skip(Exception):
    pass


def machine(device, precision="float32"):
    """A Machine on any device, without the hello."""
    m = object.__new__(worker.Machine)
    m.device, m.precision, m.exact, m.graphs, m.pinned = torch.device(device), precision, precision == "exact", False, False
    m.format, m.staged, m.numbers = torch.channels_last, {}, None
    return m


def trained(m, deep=True, p=0.5):
    net = worker.Net(m, dict(SPEC, p=p))
    with torch.no_grad():
        if m.device.type != "meta":
            torch.manual_seed(1)
            net.put("whole", 0.1 * torch.randn(net.own + net.running.numel()))
            net.running.fill_(1)
    for t in net.w.values():
        t.requires_grad_(True)
    net.training = worker.Training(net, ADAM, deep)
    net.training.loss = worker.Loss(LOSS, net.classes, m.device)
    return net


def batch(m, n=2, h=19, w=16):
    return (
        torch.randn(n, h, w, SPEC["channels"], device=m.device).permute(0, 3, 1, 2),
        torch.randint(0, 4, (n, h, w), device=m.device).to(torch.uint8),
        torch.zeros(n, SPEC["classes"], dtype=torch.bool, device=m.device),
    )


def meta():
    """The whole step on the device meta: shapes and types, with backward and Adam."""
    if worker.version() < (2, 0):
        raise Skip("this PyTorch has no backward pass of convolutions there")
    for precision in ("float32", "exact"):
        m = machine("meta", precision)
        net = trained(m)
        net.training.fused, net.training.first, net.training.second = None, torch.zeros_like(net.flat), torch.zeros_like(net.flat)
        x, target, merged = batch(m)
        items = net.training.whole(x, target, merged)
        assert items.shape == (2,) and items.dtype == torch.float32, items
        assert net.logits.shape == (2, 3, 19, 16) and net.logits.dtype == torch.float32, net.logits.shape
        assert net.training.gradient.shape == net.flat.shape


def fake():
    """The forward pass and the loss on a CUDA device that there is not: no tensor of another device, no look at a value."""
    if worker.version() < (2, 1):
        raise Skip("this PyTorch has no fake CUDA")
    from torch._subclasses.fake_tensor import FakeTensorMode

    for precision in ("float32", "exact"):
        with FakeTensorMode():
            m = machine("cuda", precision)
            net = worker.Net(m, SPEC)
            x = torch.empty(2, 19, 16, 2, device="cuda").permute(0, 3, 1, 2)
            target = torch.empty(2, 19, 16, dtype=torch.uint8, device="cuda")
            merged = torch.empty(2, 3, dtype=torch.bool, device="cuda")
            key = torch.empty(6, 2, dtype=torch.int32, device="cuda")
            with torch.no_grad():
                logits = net.forward(x, train=True, dropout=worker.Dropout(m, 0.5, key=key), features=True)
                items = worker.Loss(LOSS, 3, m.device).items(logits, target, merged)
            assert items.device.type == "cuda" and items.shape == (2,), items


class Tape:
    """A CUDA graph's way with a step, on the processor: its operations are noted once, and repeated on the same memory."""

    def __init__(self, step):
        from torch.utils._python_dispatch import TorchDispatchMode

        tape = self.tape = []

        class Recorder(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                out = func(*args, **(kwargs or {}))
                tape.append((func, args, kwargs or {}, out))
                return out

        with Recorder():
            self.items = step()

    def __call__(self):
        with torch.no_grad():
            for func, args, kwargs, out in self.tape:
                new = func(*args, **kwargs)
                for old, value in zip(tensors(out), tensors(new)):
                    if old.data_ptr() != value.data_ptr():
                        old.copy_(value)
        return self.items


def tensors(out):
    if isinstance(out, torch.Tensor):
        return [out]
    return [t for t in out if isinstance(t, torch.Tensor)] if isinstance(out, (list, tuple)) else []


def steps(p, captured, count, lr=1e-3, seed=5):
    """The losses of steps, by Worker.run; captured after three eager ones."""
    m = machine(DEVICE)
    net = trained(m, p=p)
    held = {"replay": None, "steps": 0}
    held["x"], held["target"], held["merged"] = batch(m)
    w = worker.Worker(None, m)
    m.graphs = captured
    generator, losses = torch.Generator().manual_seed(3), []
    worker_capture, worker.capture = worker.capture, once
    try:
        for step in range(1, count + 1):
            held["x"].copy_(torch.randn(held["x"].shape, generator=generator))
            held["target"].copy_(torch.randint(0, 4, held["target"].shape, generator=generator))
            net.training.schedule(dict(ADAM, step=step, lr=lr * step / count))
            torch.manual_seed(seed)
            losses.append(w.run(net.training, held, held["x"]).clone())
    finally:
        worker.capture = worker_capture
    assert (held["replay"] is not None) == captured, net.training.note or "nothing was captured"
    return torch.stack(losses), net


worker_capture = worker.capture


def once(step):
    """Captures, on the processor without the step that noting it carries out: what it changes is put back."""
    if DEVICE.type == "cuda":
        return worker_capture(step)
    training = step.__closure__[[c for c in step.__code__.co_freevars].index("training")].cell_contents
    net = training.net
    state = [net.flat, net.running] + ([training.first, training.second] if training.fused is None else [])
    if training.fused is not None:
        state += [t for s in training.fused.state.values() for t in s.values()]
    saved = [t.detach().clone() for t in state]
    tape = Tape(step)
    with torch.no_grad():
        for t, value in zip(state, saved):
            t.copy_(value)
    return tape


def graph():
    """A captured step is the eager one: new images, masks, learning rates and seeds reach it, and nothing else is kept from the capture."""
    eager, a = steps(0.0, False, 12)
    replayed, b = steps(0.0, True, 12)
    assert (eager - replayed).abs().max() < 1e-4, (eager, replayed)
    assert (a.flat - b.flat).abs().max() < 1e-4 and (a.running - b.running).abs().max() < 1e-3
    assert (eager[0] - eager[-1]).abs().max() > 1e-3, "all steps were alike"


def graph_masks():
    """Replays draw new masks: of the same images and weights, with other seeds, other losses."""
    m = machine(DEVICE)
    net = trained(m)
    held = {"replay": None, "steps": 0}
    held["x"], held["target"], held["merged"] = batch(m)
    w = worker.Worker(None, m)
    m.graphs = True
    worker.capture = once
    losses = []
    for step, seed in enumerate([1, 2, 3, 4, 5, 6, 5], 1):
        net.training.schedule(dict(ADAM, step=step, lr=0.0))
        torch.manual_seed(seed)
        losses.append(w.run(net.training, held, held["x"]).clone())
    worker.capture = worker_capture
    assert held["replay"] is not None
    assert not torch.equal(losses[4], losses[5]), losses
    assert (losses[4] - losses[6]).abs().max() < 1e-6, losses


def masks():
    """Half of the elements are dropped, the others doubled; with same all items alike; exact ones as tensor.Hash has them."""
    for precision in ("float32", "exact"):
        m = machine(DEVICE, precision)
        key = torch.tensor(worker.keys(77), dtype=torch.int32, device=DEVICE)
        torch.manual_seed(1)
        x = torch.ones(2, 16, 200, 200, device=DEVICE).contiguous(memory_format=torch.channels_last)
        y = worker.Dropout(m, 0.5, key=key)(x, 3)
        share = (y == 0).float().mean().item()
        assert abs(share - 0.5) < 2e-3 and set(y.unique().tolist()) == {0.0, 2.0}, (precision, share)
        assert not torch.equal(y[0], y[1])
        z = worker.Dropout(m, 0.5, same=True, key=key)(x, 3)
        assert torch.equal(z[0], z[1]) and 0.4 < (z == 0).float().mean().item() < 0.6
    seed = worker.layer_seed(77, 3)
    for i in (0, 1, 12345, 2 * 16 * 200 * 200 - 1):
        h = (i ^ seed) & 0xFFFFFFFF
        h ^= h >> 16
        h = h * 0x7FEB352D & 0xFFFFFFFF
        h ^= h >> 15
        h = (h + (seed >> 32)) & 0xFFFFFFFF
        h = h * 0x846CA68B & 0xFFFFFFFF
        h ^= h >> 16
        kept = y.permute(0, 2, 3, 1).reshape(-1)[i].item() != 0
        assert kept == (h >= 1 << 31), i


def bfloat16():
    """By autocast: near float32, and the weights stay float32."""
    logits = {}
    for precision in ("float32", "bfloat16"):
        m = machine(DEVICE, precision)
        net = trained(m, p=0.0)
        torch.manual_seed(2)
        x, target, merged = batch(m)
        items = net.training.whole(x, target, merged)
        assert items.dtype == torch.float32 and net.logits.dtype == torch.float32 and net.flat.dtype == torch.float32
        logits[precision] = net.logits.detach()
    error = ((logits["bfloat16"] - logits["float32"]).norm() / logits["float32"].norm()).item()
    assert 0 < error < 3e-2, error


def single_pixel():
    """A map of one pixel has variance 0: its normalisation is beta, and the running statistics stay finite."""
    m = machine(DEVICE)
    net = trained(m, p=0.0)
    x, target, merged = batch(m, 1, 8, 8)
    net.training.whole(x, target, merged)
    for t in (net.flat, net.running, net.training.gradient):
        assert torch.isfinite(t).all()


def precision():
    """tf32 is allowed or not, whatever this PyTorch calls it."""
    for on in (True, False):
        worker.Machine.tensor_cores(on)
        if hasattr(torch.backends.cudnn, "conv"):
            assert torch.backends.cudnn.conv.fp32_precision == ("tf32" if on else "ieee")
        else:
            assert torch.backends.cudnn.allow_tf32 == on and torch.backends.cuda.matmul.allow_tf32 == on


def devices():
    """Devices are chosen by name, by kind and by the number of the job; what there is not is refused in a line."""
    real, n = (torch.cuda.is_available, torch.cuda.device_count), 3
    try:
        torch.cuda.is_available, torch.cuda.device_count = lambda: True, lambda: n
        for wanted, job, want in [("", 0, "cuda:0"), ("", 4, "cuda:1"), ("cuda", 2, "cuda:2"), ("cuda:1", 2, "cuda:1"), ("cpu", 5, "cpu")]:
            assert str(worker.choose(wanted, job)) == want, (wanted, job, worker.choose(wanted, job))
        for wanted, words in [("cuda:3", "there are 3, counted from 0"), ("tpu", "want cuda, mps, xpu or cpu"), ("cuda:x", "counted from 0")]:
            fault(lambda: worker.choose(wanted, 0), words)
        torch.cuda.is_available, torch.cuda.device_count = lambda: False, lambda: 0
        fault(lambda: worker.choose("cuda:0", 0), "sees none")
    finally:
        torch.cuda.is_available, torch.cuda.device_count = real


def fault(f, words):
    try:
        f()
    except worker.Fault as e:
        assert words in str(e) and "\n" not in str(e), e
    else:
        raise AssertionError(f"no fault {words}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if DEVICE.type == "cuda":
        torch.cuda.set_stream(torch.cuda.Stream())
    failed = False
    for check in (meta, fake, graph, graph_masks, masks, bfloat16, single_pixel, precision, devices):
        if check in (meta, fake) and DEVICE.type != "cpu":
            continue
        try:
            check()
            print("ok", check.__name__)
        except Skip as e:
            print("skip", check.__name__, e)
        except Exception as e:
            import traceback

            traceback.print_exc()
            failed = True
            print("FAIL", check.__name__, type(e).__name__, " ".join(str(e).split())[:400])
    sys.exit(failed)
