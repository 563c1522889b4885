"""Trained networks with their derivatives, computed in float64 with PyTorch on one thread.

usage: python generate.py OUT_DIR [--only net,net] [--log FILE]

Writes OUT_DIR/<net>.safetensors and OUT_DIR/<net>.json, prints a verification log and, with --log, stores it.
Exits with status 1 if any check fails. README.md next to this file explains every key.

The first half of the file is the machinery (no network in it); the second half has the networks, each in plain
operations and once more with PyTorch's own layers, which must give the same outputs.
"""
import argparse
import gzip
import json
import math
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

F64 = torch.float64
DATA = Path(__file__).resolve().parents[2] / "datasets" / "data"
VARIANTS = ("smooth", "kinked")


# ----------------------------------------------------------------------------- data
def digits():
    """[1797, 8, 8] amounts of ink 0 to 16, and labels"""
    table = np.loadtxt(gzip.open(DATA / "digits.csv.gz", "rt"), delimiter=",", dtype=np.int64)
    return torch.tensor(table[:, :64].astype(np.uint8)).reshape(-1, 8, 8), torch.tensor(table[:, 64])


def mnist():
    """[10000, 28, 28] bytes, and labels"""
    images = gzip.open(DATA / "mnist-train-images.idx.gz").read()
    labels = gzip.open(DATA / "mnist-train-labels.idx.gz").read()
    x = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
    return torch.tensor(x), torch.tensor(np.frombuffer(labels, np.uint8, offset=8).astype(np.int64))


# ----------------------------------------------------------------------------- description of a network
@dataclass
class Network:
    name: str
    seed: int
    architecture: list                # ordered, one line a step
    data: Callable                    # () -> (bytes, labels)
    full: int                         # the byte that is 1.0
    examples: int                     # N of the stored batch
    shapes: OrderedDict               # parameter -> (shape, fan_in); a fan_in of None: 1 for weights, 0 for biases
    forward: Callable                 # (p, x, variant, policy, buffers) -> outputs [N, K]
    library: Callable                 # the same with PyTorch's layers, or None for a variant that has none
    loss: str                         # "cross entropy" or "squared error"
    train: dict                       # steps, lr, momentum, batch
    buffers: Optional[OrderedDict] = None   # name -> channels, of BatchNorm
    notes: tuple = ()


def linear(name, i, o):
    return [(f"{name}.weight", (o, i), i), (f"{name}.bias", (o,), i)]


def conv(name, i, o, k, bias=True):
    return [(f"{name}.weight", (o, i, k, k), i * k * k)] + [(f"{name}.bias", (o,), i * k * k)] * bias


def conv_transpose(name, i, o, k):
    return [(f"{name}.weight", (i, o, k, k), i * k * k), (f"{name}.bias", (o,), i * k * k)]


def norm(name, n):
    return [(f"{name}.weight", (n,), None), (f"{name}.bias", (n,), None)]


def shapes(*groups):
    return OrderedDict((n, (s, f)) for group in groups for n, s, f in group)


def split(flat, net):
    out, o = OrderedDict(), 0
    for n, (s, _) in net.shapes.items():
        out[n] = flat[o:o + math.prod(s)].reshape(s)
        o += math.prod(s)
    return out


def initial(net, gen):
    parts = []
    for n, (s, fan) in net.shapes.items():
        if fan is None:
            parts.append(torch.full(s, float(n.endswith("weight")), dtype=F64))
        else:
            parts.append((torch.rand(s, generator=gen, dtype=F64) * 2 - 1) / math.sqrt(fan))
    return torch.cat([p.reshape(-1) for p in parts])


# ----------------------------------------------------------------------------- derivatives
class Problem:
    """The mean loss over a batch as a function of the flat parameter vector."""

    def __init__(self, net, variant, policy, x, y, buffers, forward=None):
        self.net, self.variant, self.policy, self.x, self.y, self.buffers = net, variant, policy, x, y, buffers
        self.forward = forward or net.forward

    def out(self, w):
        return self.forward(split(w, self.net), self.x, self.variant, self.policy, self.buffers)

    def loss_of_out(self, out):
        if self.net.loss == "squared error":
            return ((out - self.x.flatten(1)) ** 2).mean()
        return -torch.log_softmax(out, 1).gather(1, self.y.reshape(-1, 1)).mean()

    def loss(self, w):
        return self.loss_of_out(self.out(w))

    def grad(self, w):
        w = w.detach().requires_grad_(True)
        return torch.autograd.grad(self.loss(w), w)[0]

    def products(self, w):
        """v -> Hv by double backward on a kept graph"""
        w = w.detach().requires_grad_(True)
        g = torch.autograd.grad(self.loss(w), w, create_graph=True)[0]
        return lambda v: torch.autograd.grad(g, w, grad_outputs=v, retain_graph=True)[0].detach()

    def forward_over_reverse(self, w, v):
        return torch.func.jvp(torch.func.grad(self.loss), (w.detach(),), (v,))[1]

    def gauss_newton(self, w, v):
        """J' (d2 L / d out2) J v with forward mode, double backward, reverse mode"""
        out, jv = torch.func.jvp(self.out, (w.detach(),), (v,))
        out = out.detach().requires_grad_(True)
        g = torch.autograd.grad(self.loss_of_out(out), out, create_graph=True)[0]
        hjv = torch.autograd.grad(g, out, grad_outputs=jv.detach())[0]
        return torch.func.vjp(self.out, w.detach())[1](hjv)[0].detach()


def lanczos(apply, dim, seed, tolerance=1e-12, most=400):
    """largest eigenvalue and its true residual, by Lanczos with every vector orthogonalised twice against all before"""
    q = np.random.default_rng(seed).standard_normal(dim)
    Q, alpha, beta = [q / np.linalg.norm(q)], [], []
    while True:
        r = apply(Q[-1])
        alpha.append(float(Q[-1] @ r))
        B = np.stack(Q)
        for _ in range(2):
            r = r - B.T @ (B @ r)
        beta.append(float(np.linalg.norm(r)))
        if len(alpha) % 5 == 0 or len(alpha) == most:
            T = np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)
            values, vectors = np.linalg.eigh(T)
            scale = np.abs(values).max()
            if beta[-1] * abs(vectors[-1, -1]) < tolerance * scale or len(alpha) == most:
                u = B.T @ vectors[:, -1]
                u /= np.linalg.norm(u)
                Hu = apply(u)
                value = float(u @ Hu)
                return value, float(np.linalg.norm(Hu - value * u)), len(alpha)
        Q.append(r / beta[-1])


# ----------------------------------------------------------------------------- training and checks
def train(net, variant, x, y, w, gen, buffers, steps, lr, momentum, batch):
    velocity = torch.zeros_like(w)
    for _ in range(steps):
        i = torch.randint(len(x), (batch,), generator=gen)
        velocity = momentum * velocity + Problem(net, variant, "train", x[i], y[i], buffers).grad(w)
        w = w - lr * velocity
    return w


class Log:
    def __init__(self):
        self.lines, self.failed, self.checks = [], 0, 0

    def say(self, line):
        self.lines.append(line)
        print(line, flush=True)

    def check(self, where, what, value, limit):
        ok = value <= limit
        self.failed += not ok
        self.checks += 1
        self.say(f"  {'ok  ' if ok else 'FAIL'} {where:<24} {what:<52} {value:.2e} (limit {limit:.0e})")


def rel(a, b):
    return float(((a - b).norm() / b.norm()).detach())


def make(net, out_dir, log):
    gen = torch.Generator().manual_seed(net.seed)
    pixels, labels = net.data()
    order = torch.randperm(len(pixels), generator=gen)
    pool, chosen = order[:2000], order[:net.examples]
    X, Y = pixels.to(F64) / net.full, labels
    x, y = X[chosen], Y[chosen]
    P = sum(math.prod(s) for s, _ in net.shapes.values())
    v = torch.randn(P, generator=gen, dtype=F64)
    start = initial(net, gen)
    tensors, scalars = OrderedDict(), OrderedDict()
    tensors["pixels"] = pixels[chosen].contiguous()
    if net.loss != "squared error":
        tensors["y"] = y

    def put(prefix, flat):
        for n, t in split(flat, net).items():
            tensors[f"{prefix}/{n}"] = t.detach().clone().contiguous()

    put("v", v)
    for variant in VARIANTS:
        buffers = OrderedDict()
        for n, c in (net.buffers or {}).items():
            buffers[f"{n}.running_mean"], buffers[f"{n}.running_var"] = torch.zeros(c, dtype=F64), torch.ones(c, dtype=F64)
        before = float(Problem(net, variant, "running", x, y, buffers).loss(start))
        w = train(net, variant, X[pool], Y[pool], start, gen, buffers, **net.train)
        put(f"{variant}/param", w)
        for n, t in buffers.items():
            tensors[f"{variant}/buffer/{n}"] = t
        for policy in ("running", "batch") if net.buffers else ("",):
            view = f"{variant}/{policy}" if policy else variant
            where = f"{net.name} {view}"
            problem = Problem(net, variant, policy, x, y, buffers)
            g, products = problem.grad(w), problem.products(w)
            hv, gv = products(v), problem.gauss_newton(w, v)
            theirs = net.library(split(w, net), x, variant, policy, buffers)
            if theirs is not None:
                log.check(where, "outputs == those of PyTorch's own layers", rel(theirs, problem.out(w)), 1e-13)
            log.check(where, "Hv: double backward == forward over reverse", rel(problem.forward_over_reverse(w, v), hv), 1e-12)
            if variant == "smooth":
                # Fourth order: with step h ||v|| = 2e-4 truncation and rounding are both below the limit.
                h = 2e-4 / float(v.norm())
                d = lambda k: (problem.grad(w + k * h * v) - problem.grad(w - k * h * v)) / (2 * k * h)
                log.check(where, "Hv == central difference of the gradient", rel((4 * d(1) - d(2)) / 3, hv), 1e-8)
            apply = lambda a: products(torch.from_numpy(a)).numpy()
            top, residual, steps = lanczos(apply, P, net.seed)
            again, _, _ = lanczos(apply, P, net.seed + 1)
            log.check(where, "largest eigenvalue from another start", abs(again - top) / top, 1e-12)
            log.check(where, "residual of the largest eigenvalue over its size", residual / top, 1e-9)
            put(f"{view}/grad", g)
            put(f"{view}/hv", hv)
            put(f"{view}/ggnv", gv)
            scalars[view] = dict(loss=float(problem.loss(w)), loss_before_training=before, grad_norm=float(g.norm()), vHv=float(v @ hv), vGv=float(v @ gv),
                                 lambda_max=top, lambda_max_residual=residual, lambda_max_steps=steps)
            log.say(f"       {where:<24} P {P}, loss {before:.4f} -> {scalars[view]['loss']:.4f}, ||g|| {g.norm():.3e}, lambda_max {top:.10f} in {steps} steps")
    manifest = dict(name=net.name, torch=torch.__version__.split("+")[0], seed=net.seed, P=P, N=net.examples, architecture=net.architecture, loss=net.loss, training=net.train,
                    pixel_of_one=net.full, views=list(scalars), scalars=scalars, parameters=parameters(net), notes=list(net.notes))
    save_file(tensors, out_dir / f"{net.name}.safetensors")
    (out_dir / f"{net.name}.json").write_text(json.dumps(manifest, indent=1) + "\n")


def parameters(net):
    rows, offset = [], 0
    for n, (s, _) in net.shapes.items():
        rows.append(dict(name=n, shape=list(s), offset=offset))
        offset += math.prod(s)
    return rows


def run(nets):
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("out", type=Path)
    a.add_argument("--only", type=lambda s: s.split(","))
    a.add_argument("--log", type=Path)
    a = a.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    log, started = Log(), time.time()
    for net in nets:
        if not a.only or net.name in a.only:
            make(net, a.out, log)
    size = sum(f.stat().st_size for f in a.out.iterdir() if f.suffix in (".safetensors", ".json"))
    log.say(f"{log.failed} failed checks of {log.checks}; {size / 1e6:.2f} MB")
    print(f"{time.time() - started:.0f} s")
    if a.log:
        a.log.write_text("\n".join(log.lines) + "\n")
    return 1 if log.failed else 0


# ============================================================================= pieces of the networks
def lin(p, n, x):
    return x @ p[f"{n}.weight"].t() + p[f"{n}.bias"]


def gelu_or_relu(x, variant):
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2))) if variant == "smooth" else torch.relu(x)


def tanh_or_relu(x, variant):
    return torch.tanh(x) if variant == "smooth" else torch.relu(x)


def pool(x, variant, k=2, stride=2, padding=0):
    return F.avg_pool2d(x, k, stride, padding) if variant == "smooth" else F.max_pool2d(x, k, stride, padding)


def mean_or_max(x, variant):
    """over axis 1"""
    return x.mean(1) if variant == "smooth" else x.max(1).values


def layer_norm(p, n, x):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * p[f"{n}.weight"] + p[f"{n}.bias"]


def batch_norm(p, n, x, policy, buffers):
    """policy running: the buffers, constant; batch: mean and biased variance of the batch; train: as batch, and the buffers follow"""
    if policy == "running":
        mean, variance = buffers[f"{n}.running_mean"], buffers[f"{n}.running_var"]
    else:
        mean = x.mean((0, 2, 3))
        variance = ((x - mean.reshape(1, -1, 1, 1)) ** 2).mean((0, 2, 3))
    if policy == "train":
        buffers[f"{n}.running_mean"] = 0.9 * buffers[f"{n}.running_mean"] + 0.1 * mean.detach()
        buffers[f"{n}.running_var"] = 0.9 * buffers[f"{n}.running_var"] + 0.1 * variance.detach()
    r = lambda t: t.reshape(1, -1, 1, 1)
    return (x - r(mean)) / torch.sqrt(r(variance) + 1e-5) * r(p[f"{n}.weight"]) + r(p[f"{n}.bias"])


# ============================================================================= the networks
def lenet():
    def forward(p, x, variant, policy, buffers, activate=tanh_or_relu):
        t = x.unsqueeze(1)
        t = pool(activate(F.conv2d(t, p["conv1.weight"], p["conv1.bias"], padding=2), variant), variant)
        t = pool(activate(F.conv2d(t, p["conv2.weight"], p["conv2.bias"]), variant), variant).flatten(1)
        return lin(p, "fc3", activate(lin(p, "fc2", activate(lin(p, "fc1", t), variant)), variant))

    def library(p, x, variant, policy, buffers):
        a, pooling = (torch.nn.Tanh(), torch.nn.AvgPool2d(2)) if variant == "smooth" else (torch.nn.ReLU(), torch.nn.MaxPool2d(2))
        layers = torch.nn.ModuleDict(dict(conv1=torch.nn.Conv2d(1, 6, 5, padding=2), conv2=torch.nn.Conv2d(6, 8, 5), fc1=torch.nn.Linear(200, 24), fc2=torch.nn.Linear(24, 16), fc3=torch.nn.Linear(16, 10))).double()
        layers.load_state_dict(p)
        t = pooling(a(layers["conv2"](pooling(a(layers["conv1"](x.unsqueeze(1)))))))
        return layers["fc3"](a(layers["fc2"](a(layers["fc1"](t.flatten(1))))))

    return Network("lenet", 2001,
                   ["x is [N, 1, 28, 28]", "conv1 5x5, padding 2 -> [N, 6, 28, 28]", "a", "p -> [N, 6, 14, 14]", "conv2 5x5, no padding -> [N, 8, 10, 10]", "a", "p -> [N, 8, 5, 5]", "flatten in the order channel, row, column",
                    "fc1 200 -> 24, a, fc2 24 -> 16, a, fc3 16 -> 10", "smooth: a = tanh, p = average pool 2x2 stride 2; kinked: a = ReLU, p = max pool 2x2 stride 2"],
                   mnist, 255, 32, shapes(conv("conv1", 1, 6, 5), conv("conv2", 6, 8, 5), linear("fc1", 200, 24), linear("fc2", 24, 16), linear("fc3", 16, 10)),
                   forward, library, "cross entropy", dict(steps=200, lr=0.02, momentum=0.9, batch=32))


WIDTHS = (6, 10, 14)


def resnet8():
    groups, buffers, before = [conv("stem", 1, WIDTHS[0], 3, bias=False), norm("stem_norm", WIDTHS[0])], OrderedDict(stem_norm=WIDTHS[0]), WIDTHS[0]
    for k, width in enumerate(WIDTHS):
        b = f"blocks.{k}"
        groups += [conv(f"{b}.conv1", before, width, 3, bias=False), norm(f"{b}.norm1", width), conv(f"{b}.conv2", width, width, 3, bias=False), norm(f"{b}.norm2", width)]
        buffers.update({f"{b}.norm1": width, f"{b}.norm2": width})
        if width != before:
            groups += [conv(f"{b}.shortcut.conv", before, width, 1, bias=False), norm(f"{b}.shortcut.norm", width)]
            buffers[f"{b}.shortcut.norm"] = width
        before = width

    def forward(p, x, variant, policy, buffers, bn=batch_norm):
        t = gelu_or_relu(bn(p, "stem_norm", F.conv2d(x.unsqueeze(1), p["stem.weight"], padding=1), policy, buffers), variant)
        t = pool(t, variant, 3, 1, 1)
        for k in range(len(WIDTHS)):
            b, stride = f"blocks.{k}", 1 if k == 0 else 2
            s = t
            if f"{b}.shortcut.conv.weight" in p:
                s = bn(p, f"{b}.shortcut.norm", F.conv2d(t, p[f"{b}.shortcut.conv.weight"], stride=stride), policy, buffers)
            t = gelu_or_relu(bn(p, f"{b}.norm1", F.conv2d(t, p[f"{b}.conv1.weight"], stride=stride, padding=1), policy, buffers), variant)
            t = gelu_or_relu(s + bn(p, f"{b}.norm2", F.conv2d(t, p[f"{b}.conv2.weight"], padding=1), policy, buffers), variant)
        return lin(p, "head", t.mean((2, 3)))

    def library(p, x, variant, policy, buffers):
        def bn(p, n, x, policy, buffers):
            mean, variance = buffers[f"{n}.running_mean"].clone(), buffers[f"{n}.running_var"].clone()
            return F.batch_norm(x, mean, variance, p[f"{n}.weight"], p[f"{n}.bias"], policy == "batch", 0.1, 1e-5)
        return forward(p, x, variant, policy, buffers, bn)

    return Network("resnet8", 2002,
                   ["x is [N, 1, 8, 8]", "stem 3x3, padding 1, no bias, then stem_norm, a", "p -> [N, 6, 8, 8]", "blocks.0 (width 6, stride 1), blocks.1 (width 10, stride 2), blocks.2 (width 14, stride 2)",
                    "a block: s = t, or shortcut.norm(shortcut.conv 1x1 with the stride (t)) where the width changes; t = a(norm1(conv1 3x3 with the stride, padding 1)); t = a(s + norm2(conv2 3x3, padding 1)); no conv has a bias",
                    "mean over the 2x2 positions -> [N, 14]", "head 14 -> 10", "every norm is BatchNorm, eps 1e-5",
                    "smooth: a = GELU (erf), p = average pool 3x3 stride 1 padding 1, zeros counted; kinked: a = ReLU, p = max pool 3x3 stride 1 padding 1"],
                   digits, 16, 64, shapes(*groups, linear("head", WIDTHS[-1], 10)), forward, library, "cross entropy", dict(steps=120, lr=0.02, momentum=0.9, batch=64), buffers,
                   ("View .../running: the stored statistics, constant. View .../batch: mean and biased variance of the N images, differentiated through.",
                    "The running statistics were gathered in training with momentum 0.1 and the biased variance."))


D_MODEL, D_FF, HEADS, LAYERS, PATCH = 16, 32, 4, 2, 7


def vit():
    groups, tokens = [conv("patch", 1, D_MODEL, PATCH), [("position", (1, (28 // PATCH) ** 2, D_MODEL), D_MODEL)]], (28 // PATCH) ** 2
    for k in range(LAYERS):
        b = f"encoder.layers.{k}"
        for n in ("query", "key", "value", "output"):
            groups.append(linear(f"{b}.mha.{n}", D_MODEL, D_MODEL))
        groups += [linear(f"{b}.pwff.linear_inner", D_MODEL, D_FF), linear(f"{b}.pwff.linear_outer", D_FF, D_MODEL), norm(f"{b}.norm_1", D_MODEL), norm(f"{b}.norm_2", D_MODEL)]
    groups += [norm("norm", D_MODEL), linear("head", D_MODEL, 10)]

    def attention(p, b, u):
        q, k, v = (lin(p, f"{b}.mha.{n}", u).reshape(len(u), tokens, HEADS, D_MODEL // HEADS).transpose(1, 2) for n in ("query", "key", "value"))
        a = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(D_MODEL // HEADS), -1)
        return lin(p, f"{b}.mha.output", (a @ v).transpose(1, 2).reshape(len(u), tokens, D_MODEL))

    def forward(p, x, variant, policy, buffers, ln=layer_norm, attend=attention):
        t = F.conv2d(x.unsqueeze(1), p["patch.weight"], p["patch.bias"], stride=PATCH).flatten(2).transpose(1, 2) + p["position"]
        for k in range(LAYERS):
            b = f"encoder.layers.{k}"
            t = t + attend(p, b, ln(p, f"{b}.norm_2", t))
            t = t + lin(p, f"{b}.pwff.linear_outer", gelu_or_relu(lin(p, f"{b}.pwff.linear_inner", ln(p, f"{b}.norm_1", t)), variant))
        return lin(p, "head", mean_or_max(ln(p, "norm", t), variant))

    def library(p, x, variant, policy, buffers):
        def attend(p, b, u):
            w, c = ([p[f"{b}.mha.{n}.{kind}"] for n in ("query", "key", "value")] for kind in ("weight", "bias"))
            u = u.transpose(0, 1)
            y, _ = F.multi_head_attention_forward(u, u, u, D_MODEL, HEADS, torch.cat(w), torch.cat(c), None, None, False, 0.0, p[f"{b}.mha.output.weight"], p[f"{b}.mha.output.bias"], need_weights=True)
            return y.transpose(0, 1)
        return forward(p, x, variant, policy, buffers, lambda p, n, t: F.layer_norm(t, (D_MODEL,), p[f"{n}.weight"], p[f"{n}.bias"], 1e-5), attend)

    return Network("vit", 2003,
                   ["x is [N, 1, 28, 28]", "patch: conv 7x7, stride 7 -> [N, 16, 4, 4] -> tokens in the order row, column [N, 16, 16], plus position [1, 16, 16]",
                    "two encoder layers, normalised first: t = t + mha(norm_2(t)), t = t + linear_outer(a(linear_inner(norm_1(t)))); 4 heads of 4, scores divided by 2; inner width 32; no dropout",
                    "norm: LayerNorm (every eps is 1e-5)", "r over the tokens -> [N, 16]", "head 16 -> 10", "smooth: a = GELU (erf), r = mean; kinked: a = ReLU, r = maximum"],
                   mnist, 255, 32, shapes(*groups), forward, library, "cross entropy", dict(steps=250, lr=0.02, momentum=0.9, batch=32), None,
                   ("A constant added to all keys leaves the softmax alone: gradient and Hessian rows of the key biases are zero up to rounding.",))


HIDDEN = 24


def gru():
    groups = []
    for gate in ("update_gate", "reset_gate", "new_gate"):
        groups += [linear(f"gru.{gate}.input_transform", 28, HIDDEN), linear(f"gru.{gate}.hidden_transform", HIDDEN, HIDDEN)]

    def forward(p, x, variant, policy, buffers):
        h, states = torch.zeros(len(x), HIDDEN, dtype=F64), []
        for t in range(28):
            i = lambda gate: lin(p, f"gru.{gate}.input_transform", x[:, t])
            s = lambda gate: lin(p, f"gru.{gate}.hidden_transform", h)
            z, r = torch.sigmoid(i("update_gate") + s("update_gate")), torch.sigmoid(i("reset_gate") + s("reset_gate"))
            n = tanh_or_relu(i("new_gate") + r * s("new_gate"), variant)
            h = (1 - z) * n + z * h
            states.append(h)
        return lin(p, "head", mean_or_max(torch.stack(states, 1), variant))

    def library(p, x, variant, policy, buffers):
        if variant == "kinked":
            return None
        layer = torch.nn.GRU(28, HIDDEN, batch_first=True).double()
        stack = lambda part: torch.cat([p[f"gru.{gate}.{part}"] for gate in ("reset_gate", "update_gate", "new_gate")])
        layer.load_state_dict(dict(weight_ih_l0=stack("input_transform.weight"), bias_ih_l0=stack("input_transform.bias"), weight_hh_l0=stack("hidden_transform.weight"), bias_hh_l0=stack("hidden_transform.bias")))
        return lin(p, "head", layer(x)[0].mean(1)).detach()

    return Network("gru", 2004,
                   ["x is [N, 28, 28]: step t is row t of the image", "gru 28 -> 24, from h = 0: z = sigmoid(update), r = sigmoid(reset), n = a(input part of new + r * hidden part of new, its bias included), h = (1 - z) n + z h",
                    "r over the 28 states -> [N, 24]", "head 24 -> 10", "smooth: a = tanh, r = mean; kinked: a = ReLU, r = maximum"],
                   mnist, 255, 32, shapes(*groups, linear("head", HIDDEN, 10)), forward, library, "cross entropy", dict(steps=200, lr=0.05, momentum=0.9, batch=32))


def autoencoder():
    def forward(p, x, variant, policy, buffers):
        a = lambda t: gelu_or_relu(t, variant)
        t = pool(a(F.conv2d(x.unsqueeze(1), p["conv1.weight"], p["conv1.bias"], padding=1)), variant)
        t = pool(a(F.conv2d(t, p["conv2.weight"], p["conv2.bias"], padding=1)), variant)
        t = a(lin(p, "decode", lin(p, "encode", t.flatten(1)))).reshape(-1, 4, 7, 7)
        t = a(F.conv_transpose2d(t, p["up1.weight"], p["up1.bias"], stride=2, padding=1, output_padding=1))
        return F.conv_transpose2d(t, p["up2.weight"], p["up2.bias"], stride=2, padding=1).flatten(1)

    def library(p, x, variant, policy, buffers):
        a, pooling = (torch.nn.GELU(), torch.nn.AvgPool2d(2)) if variant == "smooth" else (torch.nn.ReLU(), torch.nn.MaxPool2d(2))
        m = torch.nn.ModuleDict(dict(conv1=torch.nn.Conv2d(1, 8, 3, padding=1), conv2=torch.nn.Conv2d(8, 4, 3, padding=1), encode=torch.nn.Linear(196, 8), decode=torch.nn.Linear(8, 196),
                                     up1=torch.nn.ConvTranspose2d(4, 8, 3, 2, 1, 1), up2=torch.nn.ConvTranspose2d(8, 1, 4, 2, 1))).double()
        m.load_state_dict(p)
        t = pooling(a(m["conv2"](pooling(a(m["conv1"](x.unsqueeze(1)))))))
        t = a(m["decode"](m["encode"](t.flatten(1)))).reshape(-1, 4, 7, 7)
        return m["up2"](a(m["up1"](t))).flatten(1)

    return Network("autoencoder", 2005,
                   ["x is [N, 1, 28, 28]", "conv1 3x3, padding 1 -> [N, 8, 28, 28], a, p", "conv2 3x3, padding 1 -> [N, 4, 14, 14], a, p -> [N, 4, 7, 7]", "encode 196 -> 8", "decode 8 -> 196, a -> [N, 4, 7, 7]",
                    "up1: transposed conv 3x3, stride 2, padding 1, output padding 1 -> [N, 8, 14, 14], a", "up2: transposed conv 4x4, stride 2, padding 1 -> [N, 1, 28, 28]", "flattened to [N, 784]",
                    "smooth: a = GELU (erf), p = average pool 2x2 stride 2; kinked: a = ReLU, p = max pool 2x2 stride 2"],
                   mnist, 255, 32, shapes(conv("conv1", 1, 8, 3), conv("conv2", 8, 4, 3), linear("encode", 196, 8), linear("decode", 8, 196), conv_transpose("up1", 4, 8, 3), conv_transpose("up2", 8, 1, 4)),
                   forward, library, "squared error", dict(steps=300, lr=0.5, momentum=0.9, batch=32), None, ("The loss is the mean of squares over all N x 784 entries.",))


if __name__ == "__main__":
    sys.exit(run([f() for f in (lenet, resnet8, vit, gru, autoencoder)]))
