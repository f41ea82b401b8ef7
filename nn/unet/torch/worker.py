"""Keeps the networks of nextslice in PyTorch: the other end of package torch, which starts it and describes the protocol.

Frames both ways: 4 bytes of little-endian length, JSON, then the arrays whose sizes follow from it, in the machine's byte order.
Imports torch and the standard library only; runs with torch 1.13 and later.
"""
import contextlib
import ctypes
import functools
import json
import math
import os
import struct
import sys

LEVELS = 3
SLOPE, EPS, MOMENTUM = 0.01, 1e-5, 0.1  # nn.Slope, nn.Eps, nn.Momentum
EAGER_STEPS = 3  # before a step is captured
U64 = (1 << 64) - 1
GREETING = b"\0nextslice\0"  # begins the replies: what Python printed while it started comes before


class Fault(Exception):
    """Something that the user can do something about: its text is the whole message."""

    def __init__(self, text, kind=""):
        super().__init__(text)
        self.kind = kind


# --- the pipe


class Pipe:
    def __init__(self, source, sink):
        self.source, self.sink = source, sink

    def read(self, view):
        """Fills a writable memory view; False at the end of the stream."""
        at = 0
        while at < len(view):
            n = os.readv(self.source, [view[at:]]) if hasattr(os, "readv") else self._read(view[at:])
            if n == 0:
                return False
            at += n
        return True

    def _read(self, view):
        data = os.read(self.source, len(view))
        view[: len(data)] = data
        return len(data)

    def header(self):
        size = bytearray(4)
        if not self.read(memoryview(size)):
            return None
        text = bytearray(struct.unpack("<I", size)[0])
        if not self.read(memoryview(text)):
            return None
        return json.loads(text)

    def array(self, tensor):
        """Reads into a dense tensor of the host's memory."""
        if not self.read(memory(tensor)):
            raise EOFError
        return tensor

    def send(self, header, *tensors):
        text = json.dumps(header).encode()
        self.write(memoryview(struct.pack("<I", len(text)) + text))
        for t in tensors:
            self.write(memory(t))

    def write(self, view):
        while len(view):
            view = view[os.write(self.sink, view) :]


def memory(tensor):
    """The bytes of a dense tensor of the host's memory, without numpy."""
    size = tensor.numel() * tensor.element_size()
    return memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())).cast("B") if size else memoryview(b"")


# --- the device


def version():
    return tuple(int("".join(c for c in part if c.isdigit()) or 0) for part in torch.__version__.split("+")[0].split(".")[:2])


def choose(wanted, job):
    """The device by its name, or the first kind that there is; of several, the one whose turn it is."""
    kind, _, number = wanted.partition(":")
    xpu = getattr(torch, "xpu", None)
    mps = getattr(torch.backends, "mps", None)
    count = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(mps is not None and mps.is_available()),
        "xpu": xpu.device_count() if xpu is not None and xpu.is_available() else 0,
    }
    if not kind:
        kind = next((k for k in ("cuda", "mps", "xpu") if count[k]), "")
    if not kind:
        raise Fault(f"PyTorch {torch.__version__} sees no GPU{why_no_cuda()}: install a PyTorch for this machine's GPU, or compute on the processor with --engine native", "device")
    if kind not in count:
        raise Fault(f"device {wanted}: want cuda, mps, xpu or cpu, with a number such as cuda:1 where there are several", "device")
    if not count[kind]:
        raise Fault(f"device {wanted}: PyTorch {torch.__version__} sees none{why_no_cuda() if kind == 'cuda' else ''}: name another, or compute on the processor with --engine native", "device")
    if number and not (number.isdigit() and int(number) < count[kind]):
        raise Fault(f"device {wanted}: there are {count[kind]}, counted from 0", "device")
    if kind in ("cuda", "xpu"):
        return torch.device(kind, int(number) if number else job % count[kind])
    return torch.device(kind)


def why_no_cuda():
    if torch.version.cuda is None and torch.version.hip is None:
        return " (it is built for the processor alone)"
    try:
        torch.cuda.init()
    except Exception as e:
        return f" ({first_line(e)})"
    return ""


def first_line(e):
    return (str(e).strip().splitlines() or [type(e).__name__])[0].rstrip(". ")


def name_of(device):
    if device.type in ("cuda", "xpu"):
        return getattr(torch, device.type).get_device_name(device)
    return {"mps": "Apple GPU", "cpu": "the processor"}[device.type]


def memory_text(device):
    if device.type != "cuda":
        return ""
    try:
        free, total = torch.cuda.mem_get_info(device)
    except Exception:
        return ""
    return f" ({free / 2**30:.1f} of {total / 2**30:.1f} GiB were free when it was asked last)"


def is_out_of_memory(e):
    kinds = tuple(k for k in (getattr(torch, "OutOfMemoryError", None), getattr(torch.cuda, "OutOfMemoryError", None), MemoryError) if k)
    text = str(e).lower()
    return isinstance(e, kinds) or "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text


class Machine:
    """What all networks compute on, and how exactly."""

    def __init__(self, hello):
        self.device = choose(hello.get("device", ""), hello.get("job", 0))
        cuda = self.device.type == "cuda"
        self.precision = hello.get("precision") or ("tf32" if cuda else "float32")
        self.exact = self.precision == "exact"
        self.graphs = cuda and not self.exact and not hello.get("eager") and version() >= (2, 1)
        self.format = torch.contiguous_format if self.device.type == "mps" else torch.channels_last
        self.pinned = cuda
        if hello.get("threads"):
            torch.set_num_threads(hello["threads"])
        self.tensor_cores(self.precision in ("tf32", "bfloat16"))
        if self.exact:
            torch.use_deterministic_algorithms(True, warn_only=True)
        if cuda:
            torch.cuda.set_device(self.device)
            torch.cuda.set_stream(torch.cuda.Stream())  # the one stream of everything: a graph cannot be captured on the default one
            torch.backends.cudnn.benchmark = not self.exact
            torch.backends.cudnn.deterministic = self.exact
        self.staged, self.numbers = {}, None

    @staticmethod
    def tensor_cores(on):
        """Lets float32 be rounded to TF32 inside products and convolutions, or not."""
        if hasattr(torch.backends.cudnn, "conv") and hasattr(torch.backends.cuda.matmul, "fp32_precision"):
            torch.backends.cuda.matmul.fp32_precision = torch.backends.cudnn.conv.fp32_precision = "tf32" if on else "ieee"
        else:
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = on

    def rounding(self):
        """The context of a forward pass."""
        if self.precision == "bfloat16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16, cache_enabled=False)
        return contextlib.nullcontext()

    def staging(self, name, count, kind):
        """Host memory of a kind of array, kept for the next of its size."""
        t = self.staged.get(name)
        if t is None or t.numel() != count:
            t = self.staged[name] = torch.empty(count, dtype=kind, pin_memory=self.pinned)
        return t

    def index(self, count):
        """0 ... count-1, on the device."""
        if self.numbers is None or self.numbers.numel() < count:
            self.numbers = torch.arange(count, dtype=torch.int32, device=self.device)
        return self.numbers[:count]

    def host(self, name, tensor):
        """A copy of a tensor in the host's memory, valid until the next of the name."""
        t = self.staging(name, tensor.numel(), tensor.dtype)
        t.view(tensor.shape).copy_(tensor)  # waits for the device
        return t


# --- dropout


def layer_seed(seed, position):
    """The seed of dropout layer 0 ... 5 of a pass, see unet.Net.dropout."""
    z = (seed + (position + 1) * 0x9E3779B97F4A7C15) & U64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & U64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & U64
    return z ^ (z >> 31)


def int32(u):
    u &= 0xFFFFFFFF
    return u - (1 << 32) if u >> 31 else u


def keys(seed):
    """The lower and upper halves of the six layers' seeds."""
    return [[int32(s), int32(s >> 32)] for s in (layer_seed(seed, i) for i in range(2 * LEVELS))]


def hashed(index, key):
    """tensor.Hash of int32 indices: products wrap, and a logical shift is an arithmetic one with the upper bits cleared."""

    def shift(h, k):
        return (h >> k) & ((1 << (32 - k)) - 1)

    h = index ^ key[0]
    h = h ^ shift(h, 16)
    h = h * 0x7FEB352D
    h = h ^ shift(h, 15)
    h = h + key[1]
    h = h * int32(0x846CA68B)
    return h ^ shift(h, 16)


class Dropout:
    """The six dropout layers of a pass."""

    def __init__(self, machine, p, same=False, key=None):
        self.p = struct.unpack("f", struct.pack("f", p))[0]
        self.machine, self.same, self.key = machine, same, key
        self.threshold = int32(int(self.p * 2**32) ^ 1 << 31)

    def __call__(self, x, position):
        if self.p == 0:
            return x
        shape = (1 if self.same else x.shape[0],) + tuple(x.shape[1:])
        if not self.machine.exact:
            if not self.same:
                return torch.nn.functional.dropout(x, self.p)
            return x * torch.nn.functional.dropout(torch.ones(shape, dtype=x.dtype, device=x.device), self.p)
        n, c, h, w = shape
        index = self.machine.index(n * c * h * w)
        keep = (hashed(index, self.key[position]) ^ int32(1 << 31)) >= self.threshold  # unsigned, by turning the sign bit
        return x * (keep.view(n, h, w, c).permute(0, 3, 1, 2).to(x.dtype) * (1 / (1 - self.p)))


# --- the network


def layers(classes, width, channels):
    """Names and shapes of the weights and of the running statistics, in the order of nn.Params."""
    weights, statistics = [], []

    def double(name, i, m, o):
        for k, (a, b) in (("1", (i, m)), ("2", (m, o))):
            weights.extend([(f"{name}.conv{k}.weight", (b, a, 3, 3)), (f"{name}.conv{k}.bias", (b,))])
            weights.extend([(f"{name}.norm{k}.weight", (b,)), (f"{name}.norm{k}.bias", (b,))])
            statistics.extend([(f"{name}.norm{k}.running_mean", (b,)), (f"{name}.norm{k}.running_var", (b,))])

    w = width
    double("enc1", channels, w // 2, w)
    double("enc2", w, w, 2 * w)
    double("enc3", 2 * w, 2 * w, 4 * w)
    double("center", 4 * w, 4 * w, 8 * w)
    for level in reversed(range(LEVELS)):
        here, below, name = w << level, 2 * w << level, LEVELS - level
        weights.extend([(f"up{name}.weight", (below, below, 2, 2)), (f"up{name}.bias", (below,))])
        double(f"dec{name}", below + here, here, here)
    weights.extend([("out.weight", (classes, w, 1, 1)), ("out.bias", (classes,))])
    heads = []
    for level in range(1, LEVELS):  # of deep supervision, see unet.Deep
        heads.extend([(f"deep{LEVELS - level}.weight", (classes, w << level, 1, 1)), (f"deep{LEVELS - level}.bias", (classes,))])
    return weights, statistics, heads


def size(shapes):
    return sum(math.prod(s) for _, s in shapes)


class Net:
    """A network: all weights in one array, heads of deep supervision last, and the running statistics in another."""

    def __init__(self, machine, spec):
        self.machine, self.classes, self.width, self.p = machine, spec["classes"], spec["width"], spec["p"]
        self.channels = spec["channels"]
        self.weights, self.statistics, self.heads = layers(self.classes, self.width, self.channels)
        self.own = size(self.weights)  # without the heads
        self.flat = torch.zeros(self.own + size(self.heads), device=machine.device)
        self.running = torch.zeros(size(self.statistics), device=machine.device)
        self.w = self.views(self.flat, self.weights + self.heads)
        self.s = self.views(self.running, self.statistics)
        self.training = None
        self.logits = self.features = self.enc1 = self.dec3 = self.decoder = None

    def views(self, flat, shapes):
        """Tensors that share the memory of flat. Kernels lie in the memory format of the activations."""
        out, at = {}, 0
        for name, shape in shapes:
            part = flat[at : at + math.prod(shape)]
            at += part.numel()
            if len(shape) == 4 and self.machine.format == torch.channels_last:
                o, i, h, w = shape
                part = part.view(o, h, w, i).permute(0, 3, 1, 2)
            else:
                part = part.view(shape)
            out[name] = part
        return out

    def parts(self, part):
        """The shapes of a state, and where they lie: (weights, statistics)."""
        return (self.heads, []) if part == "heads" else (self.weights, self.statistics)

    def put(self, part, state):
        weights, statistics = self.parts(part)
        state, at = state.to(self.machine.device), 0
        for shapes, into in ((weights, self.w), (statistics, self.s)):
            for name, shape in shapes:
                n = math.prod(shape)
                into[name].copy_(state[at : at + n].view(shape))
                at += n

    def get(self, part, gradient):
        """The state in PyTorch's order, then the gradients if asked for."""
        weights, statistics = self.parts(part)
        tensors = [self.w[name] for name, _ in weights] + [self.s[name] for name, _ in statistics]
        if gradient:
            g = self.views(self.training.gradient, self.weights + self.heads)
            tensors += [g[name] for name, _ in weights]
        return torch.cat([t.contiguous().view(-1) for t in tensors])

    def block(self, name, k, x, train):
        w, s, norm = self.w, self.s, f"{name}.norm{k}"
        x = torch.nn.functional.conv2d(x, w[f"{name}.conv{k}.weight"], w[f"{name}.conv{k}.bias"], padding=1)
        gamma, beta, mean, var = w[norm + ".weight"], w[norm + ".bias"], s[norm + ".running_mean"], s[norm + ".running_var"]
        if train and x.numel() == x.shape[1]:  # a single pixel: its variance is 0, which PyTorch would divide by 0
            value = x.detach().float().view(-1)
            mean.data.lerp_(value, MOMENTUM)  # not a change of what layers before have kept: all statistics are one array
            var.data.mul_(1 - MOMENTUM)
            x = 0 * (x - x.detach()) * gamma.view(1, -1, 1, 1) + beta.view(1, -1, 1, 1)
        else:
            x = torch.batch_norm(x, gamma, beta, mean, var, train, MOMENTUM, EPS, torch.backends.cudnn.enabled)
        return torch.nn.functional.leaky_relu(x, SLOPE)

    def double(self, name, x, train):
        return self.block(name, 2, self.block(name, 1, x, train), train)

    def forward(self, x, train=False, dropout=None, features=False, encoder=False, enc1=None):
        """Logits [N K H W], or None if encoder; it keeps what later messages may ask for."""
        F = torch.nn.functional
        drop = dropout or (lambda x, position: x)
        skips, self.features, self.decoder = [], [], {}
        with self.machine.rounding():
            for level in range(LEVELS):
                if level or enc1 is None:
                    x = self.double(f"enc{level + 1}", x, train)
                else:
                    x = enc1
                skips.append(x)
                if features:
                    self.features.append(x.float().mean((2, 3)))
                x = drop(F.max_pool2d(x, 2), level)
            x = self.double("center", x, train)
            if features:
                self.features.append(x.float().mean((2, 3)))
            self.enc1 = None if train else skips[0]
            if encoder:
                return None
            for level in reversed(range(LEVELS)):
                name = LEVELS - level
                x, skip = F.conv_transpose2d(x, self.w[f"up{name}.weight"], self.w[f"up{name}.bias"], stride=2), skips[level]
                x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
                x = drop(torch.cat([x, skip], 1), LEVELS + name - 1)
                x = self.double(f"dec{name}", x, train)
                if train and level:
                    self.decoder[level] = x
            self.dec3 = None if train else x
            return F.conv2d(x, self.w["out.weight"], self.w["out.bias"]).float()

    def head_gradients(self, dlogits):
        """[N width K] of dlogits [N HW K], see unet.Net.HeadGradients."""
        h = self.dec3.float().permute(0, 2, 3, 1)
        return torch.matmul(h.reshape(h.shape[0], -1, h.shape[3]).transpose(1, 2), dlogits)

    def images(self, x, n, h, w):
        return x.view(n, h, w, self.channels).permute(0, 3, 1, 2).contiguous(memory_format=self.machine.format)


# --- the loss


class Loss:
    """tensor.Loss; items() gives the loss of each item."""

    def __init__(self, op, classes, device):
        self.ce, self.dice, self.smooth, self.sigmoid, self.classes = op["ce"], op["dice"], op["smooth"], op["sigmoid"], classes
        self.number = torch.arange(classes, device=device).view(1, classes, 1, 1)
        self.weight = torch.tensor(op["classes"], device=device).view(1, classes, 1, 1) if op.get("classes") else None

    def items(self, logits, target, merged):
        """Of logits [N K H W] and masks [N H W]. merged [N K] are the classes that nobody has looked for, or None. Nothing here may be
        looked at on the host, and cross_entropy has no deterministic kernel: hence comparisons and products."""
        F, k = torch.nn.functional, self.classes
        onehot = (target.unsqueeze(1) == self.number).to(logits.dtype)
        counted = onehot.sum(1)  # 0 where ignored
        if merged is not None:
            open = merged.clone()
            if self.sigmoid:
                open[:, 0] = merged[:, 1:].any(1)
            else:
                open[:, 0] = True
            open = open.view(-1, k, 1, 1)
        if self.sigmoid:
            p = torch.sigmoid(logits)
            nats = F.softplus(logits) - logits * onehot
            if merged is not None:
                nats = nats * (1 - onehot[:, :1] * open.to(logits.dtype))
            nats = nats.sum(1) / k
        else:
            logp = F.log_softmax(logits, 1)
            p = logp.exp()
            nats = -(logp * onehot).sum(1)
            if merged is not None:
                among = torch.logsumexp(logp.masked_fill(~open, -math.inf), 1)
                nats = nats - onehot[:, 0] * (among - logp[:, 0])
        weight = counted if self.weight is None else (onehot * self.weight).sum(1)
        total = weight.sum((1, 2))
        ce = (nats * weight).sum((1, 2)) / torch.where(total == 0, torch.ones_like(total), total)

        p, t = (p * counted.unsqueeze(1))[:, 1:], onehot[:, 1:]
        above = 2 * (p * t).sum((2, 3)) + self.smooth
        below = p.sum((2, 3)) + t.sum((2, 3)) + self.smooth
        empty = below == 0
        ratio = torch.where(empty, torch.zeros_like(above), above / torch.where(empty, torch.ones_like(below), below))
        if merged is None:
            dice = 1 - ratio.mean(1)
        else:
            known = (~merged[:, 1:]).to(ratio.dtype)
            terms = known.sum(1)
            dice = torch.where(terms == 0, torch.zeros_like(terms), 1 - (ratio * known).sum(1) / terms.clamp(min=1))
        loss = self.ce * ce + self.dice * dice
        return torch.where(counted.sum((1, 2)) == 0, torch.zeros_like(loss), loss)


# --- training


def no_grad(f):
    """Runs a method without recording it for a gradient."""

    @functools.wraps(f)
    def run(*args):
        with torch.no_grad():
            return f(*args)

    return run


class Training:
    """The optimiser of a network and the arrays of a step, which stay where they are: a captured step reads and writes them."""

    def __init__(self, net, adam, deep):
        self.net, self.deep = net, deep
        device = net.machine.device
        self.names = [name for name, _ in net.weights + (net.heads if deep else [])]
        self.gradient = torch.zeros_like(net.flat)
        self.length = net.flat.numel() if deep else net.own
        self.rate = torch.zeros((), device=device)
        self.corrections = torch.ones(2, device=device)
        self.beta1, self.beta2, self.eps, self.decay = adam["beta1"], adam["beta2"], adam["eps"], adam["decay"]
        self.fused = self.make_fused()
        if self.fused is None:
            self.first, self.second = torch.zeros_like(net.flat), torch.zeros_like(net.flat)
        self.key = torch.zeros(2 * LEVELS, 2, dtype=torch.int32, device=device)
        self.captured, self.done, self.loss, self.op = {}, 0, None, None
        self.note = ""

    def make_fused(self):
        """PyTorch's Adam in one kernel, where it has it for this device; its learning rate is an array since 2.2."""
        if version() < (2, 3):
            return None
        flat = self.net.flat[: self.length]
        options = {"capturable": True} if self.net.machine.device.type == "cuda" else {}
        try:
            fused = torch.optim.Adam([flat], lr=1e-3, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.decay, fused=True, **options)
        except (RuntimeError, ValueError, AssertionError):
            return None
        fused.param_groups[0]["lr"] = self.rate
        flat.grad = self.gradient[: self.length]
        return fused

    @no_grad
    def adam(self):
        if self.fused is not None:
            self.fused.step()
            return
        w, g = self.net.flat[: self.length], self.gradient[: self.length]
        m, v = self.first[: self.length], self.second[: self.length]
        if self.decay:
            g = g + self.decay * w
        m.lerp_(g, 1 - self.beta1)
        v.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
        w.sub_(m / (v.sqrt() / self.corrections[1] + self.eps) * (self.rate / self.corrections[0]))

    def schedule(self, adam):
        """Sets the learning rate and the bias corrections of a step."""
        self.rate.fill_(adam["lr"])
        t = adam["step"]
        self.corrections.copy_(torch.tensor([1 - self.beta1**t, math.sqrt(1 - self.beta2**t)]))

    def forward(self, x, target, merged, features=False):
        """The losses of the items, and what is differentiated: their mean and the heads' losses."""
        net = self.net
        net.logits = net.forward(x, train=True, dropout=Dropout(net.machine, net.p, key=self.key), features=features)
        items = self.loss.items(net.logits, target, merged)
        total = items.mean()
        if self.deep:
            for level, y in net.decoder.items():
                head, step = f"deep{LEVELS - level}", 1 << level
                with net.machine.rounding():
                    logits = torch.nn.functional.conv2d(y, net.w[head + ".weight"], net.w[head + ".bias"]).float()
                h, w = logits.shape[2:]
                coarse = target[:, step // 2 :: step, step // 2 :: step][:, :h, :w]
                total = total + self.loss.items(logits, coarse, merged).mean() / step
        return items, total

    def backward(self, total, features=(), dfeatures=()):
        net = self.net
        gradients = torch.autograd.grad([total, *features], [net.w[n] for n in self.names], [torch.ones_like(total), *dfeatures])
        if net.machine.format == torch.channels_last:
            gradients = [g.permute(0, 2, 3, 1) if g.dim() == 4 else g for g in gradients]
        torch.cat([g.reshape(-1) for g in gradients], out=self.gradient[: self.length])

    def whole(self, x, target, merged):
        """A step without a look between, as it is captured."""
        items, total = self.forward(x, target, merged)
        self.backward(total)
        self.adam()
        return items.detach()


def capture(step):
    """Captures a step as a CUDA graph; what it returns replays it."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        items = step()

    def replay():
        graph.replay()
        return items

    return replay


# --- messages


class Worker:
    def __init__(self, pipe, machine):
        self.pipe, self.machine, self.nets = pipe, machine, {}

    def serve(self):
        while True:
            m = self.pipe.header()
            if m is None:
                return
            for number in m.get("free", ()):
                self.nets.pop(number, None)
            try:
                getattr(self, "do_" + m["op"])(m)
            except Exception as e:
                if is_out_of_memory(e):
                    raise Fault(self.too_large(m), "memory") from e
                raise

    def too_large(self, m):
        net = self.nets.get(m.get("net"))
        width = net.width if net else m.get("width")
        what = f"{m['n']} slices of {m['h']}x{m['w']} at once, " if m.get("n") else ""
        gpu = "the processor" if self.machine.device.type == "cpu" else "the GPU"
        return f"the memory of {gpu} does not suffice for {what}width {width}{memory_text(self.machine.device)}: lower batch or width, or run fewer jobs at the same time"

    def do_new(self, m):
        self.nets[m["net"]] = Net(self.machine, m)
        self.pipe.send({})

    def do_put(self, m):
        net = self.nets[m["net"]]
        weights, statistics = net.parts(m["part"])
        state = self.pipe.array(torch.empty(size(weights) + size(statistics)))
        with torch.no_grad():
            net.put(m["part"], state)
        self.pipe.send({})

    def do_get(self, m):
        with torch.no_grad():
            state = self.nets[m["net"]].get(m["part"], m.get("gradient", False))
        self.pipe.send({}, self.machine.host("state", state))

    def mini_batch(self, net, m, held):
        """Reads images, and with held, the arrays of a captured step, masks and merged classes too."""
        n, h, w = m["n"], m["h"], m["w"]
        count = n * h * w
        x = self.pipe.array(self.machine.staging("x", count * net.channels, torch.float32))
        if held is None:
            return x.to(self.machine.device)
        target = self.pipe.array(self.machine.staging("target", count, torch.uint8))
        held["x"].view(-1).copy_(x, non_blocking=True)
        held["target"].view(-1).copy_(target, non_blocking=True)
        if held["merged"] is not None:
            merged = self.pipe.array(self.machine.staging("merged", n * net.classes, torch.uint8))
            held["merged"].copy_((merged != 0).view(n, net.classes))
        return None

    def do_step(self, m):
        net, machine = self.nets[m["net"]], self.machine
        if m["adam"]["step"] == 1:
            net.training = Training(net, m["adam"], m.get("deep", False))
            for t in net.w.values():
                t.requires_grad_(True)
        training = net.training
        if training.op != m["loss"]:
            training.op, training.loss, training.captured = m["loss"], Loss(m["loss"], net.classes, machine.device), {}
        key = (m["n"], m["h"], m["w"], m.get("merged", False))
        held = training.captured.get(key)
        if held is None:
            n, h, w = key[:3]
            device = machine.device
            held = training.captured[key] = {
                "x": torch.empty(n, h, w, net.channels, device=device),
                "target": torch.empty(n, h, w, dtype=torch.uint8, device=device),
                "merged": torch.empty(n, net.classes, dtype=torch.bool, device=device) if key[3] else None,
                "replay": None,
                "steps": 0,
            }
        self.mini_batch(net, m, held)
        training.schedule(m["adam"])
        if machine.exact:
            training.key.copy_(torch.tensor(keys(m["seed"]), dtype=torch.int32))
        else:
            torch.manual_seed(m["seed"])
        x = held["x"].permute(0, 3, 1, 2)
        if machine.format == torch.contiguous_format:
            x = x.contiguous()

        if m.get("through"):
            items, total = training.forward(x, held["target"], held["merged"], features=True)
            self.pipe.send({}, machine.host("items", items.detach()), *[machine.host(f"feature{i}", f.detach()) for i, f in enumerate(net.features)])
            answer = self.pipe.header()
            if answer is None:
                raise EOFError
            if answer["op"] != "through":
                raise RuntimeError(f"want the rest of a step, got {answer['op']}")
            if answer.get("stop"):
                self.pipe.send({})
                return
            features, dfeatures = [], []
            if answer.get("gradient"):
                for f in net.features:
                    d = self.pipe.array(torch.empty(f.shape))
                    features.append(f)
                    dfeatures.append(d.to(machine.device))
            training.backward(total, features, dfeatures)
            training.adam()
            self.release(net)
            self.pipe.send({})
            return

        items = self.run(training, held, x)
        self.release(net)
        note, training.note = training.note, ""
        self.pipe.send({"note": note} if note else {}, machine.host("items", items))

    def run(self, training, held, x):
        """One step: eager at first, then captured once and replayed."""
        if held["replay"] is not None:
            return held["replay"]()
        held["steps"] += 1
        step = lambda: training.whole(x, held["target"], held["merged"])
        if self.machine.graphs and held["steps"] > EAGER_STEPS:
            try:
                held["replay"] = capture(step)
            except RuntimeError as e:
                if is_out_of_memory(e):
                    raise
                self.machine.graphs = False
                training.note = f"the step cannot be captured as a CUDA graph ({first_line(e)}): it stays eager, which is slower"
            else:
                return held["replay"]()
        return step()

    @staticmethod
    def release(net):
        """Lets the activations of a step go; its logits stay, for do_logits."""
        net.logits = net.logits.detach()
        net.features, net.decoder, net.enc1, net.dec3 = None, None, None, None

    def do_logits(self, m):
        self.pipe.send({}, self.machine.host("logits", self.nets[m["net"]].logits.permute(0, 2, 3, 1).contiguous()))

    def do_forward(self, m):
        net, machine = self.nets[m["net"]], self.machine
        n, h, w = m["n"], m["h"], m["w"]
        enc1 = net.enc1 if m.get("again") else None
        if net.training is not None:
            net.training.captured = {}  # gives back the memory of its graphs
        with torch.no_grad():
            x = None if m.get("again") else net.images(self.mini_batch(net, m, None), n, h, w)
            dropout = None
            if m.get("dropout"):
                key = torch.tensor(keys(m["seed"]), dtype=torch.int32, device=machine.device) if machine.exact else None
                torch.manual_seed(m["seed"])
                dropout = Dropout(machine, net.p, m.get("same", False), key)
            logits = net.forward(x, dropout=dropout, features=m.get("features", False), encoder=m.get("encoder", False), enc1=enc1)
        out = [machine.host(f"feature{i}", f) for i, f in enumerate(net.features)]
        if logits is not None:
            out.append(machine.host("logits", logits.permute(0, 2, 3, 1).contiguous()))
        self.pipe.send({}, *out)

    def do_head(self, m):
        net = self.nets[m["net"]]
        n, h, w = m["n"], m["h"], m["w"]
        d = self.pipe.array(torch.empty(n, h * w, net.classes))
        with torch.no_grad():
            g = net.head_gradients(d.to(self.machine.device))
        self.pipe.send({}, self.machine.host("head", g.contiguous()))


def main():
    pipe = Pipe(0, os.dup(1))
    os.dup2(2, 1)  # what anything prints must not land among the replies
    pipe.write(memoryview(GREETING))
    try:
        hello = pipe.header()
        if hello is None:
            return 0
        global torch
        import torch

        if version() < (1, 13):
            raise Fault(f"PyTorch {torch.__version__} is too old: want 1.13 or later", "version")
        machine = Machine(hello)
        torch.empty(1, device=machine.device)  # a driver that does not work fails here, not in the first training
        pipe.send({"torch": torch.__version__, "device": str(machine.device), "name": name_of(machine.device), "precision": machine.precision, "graph": machine.graphs})
        Worker(pipe, machine).serve()
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return 0
    except Fault as e:
        pipe.send({"error": str(e), "kind": e.kind})
        return 1
    except Exception as e:
        import traceback

        traceback.print_exc()
        pipe.send({"error": f"{type(e).__name__}: {first_line(e)}", "kind": ""})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
