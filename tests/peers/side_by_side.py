"""Products of ours beside PyTorch's double backward: one run, alternated rounds, medians, ratios.

    cargo build --release -p tests --bin peer
    python -m pip install -r tests/peers/requirements.txt
    python tests/peers/side_by_side.py target/release/peer [--json FILE] [--rounds N] [--case NAME]
                                       [--operations] [--no-plane]

Both sides have the same weights and data (through safetensors), f32 and two threads. First both must agree
on gradient, product, quadratic form and plane. Then each is measured in turn, at least five times:

- linearised: all that a product needs of the weights is kept. PyTorch keeps the graphs of the gradients of
  all batches and goes backward through them.
- recomputed: nothing is kept. PyTorch makes loss, gradient and the product anew.
- form: v'Hv at nothing kept, over our own linearised product.
- plane: the loss on a square of points. PyTorch sets the weights and runs all batches under no_grad.

PyTorch uses the batch size that is fastest for it, the whole data as one batch among them; ours cuts the data
as it sees fit. Peak memory is that of a process of its own for each side, above what it had before the operator
was made and after a product over 8 examples, whose libraries, threads and buffers are not the operator's; the
limit is a quarter of what PyTorch needs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("RAYON_NUM_THREADS", "2")

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

THREADS = 2
CASES = ["digits-mlp", "mnist-mlp", "mnist-cnn"]
# How often a job is repeated within a round, so that a round takes some tenths of a second.
TIMES = {"digits-mlp": 500, "mnist-mlp": 24, "mnist-cnn": 4}
# Seconds before a job is timed.
SETTLE = 0.3
TARGETS = {
    "linearised": {"digits-mlp": 0.7, "mnist-mlp": 0.75, "mnist-cnn": 0.75},
    "recomputed": {"digits-mlp": 0.65, "mnist-mlp": 0.55, "mnist-cnn": 0.5},
    "form": {"digits-mlp": 0.6, "mnist-mlp": 0.5, "mnist-cnn": 0.6},
    "plane": {"digits-mlp": 0.4, "mnist-mlp": 0.2, "mnist-cnn": 0.5},
}


def mlp(parameters, images):
    hidden = images.flatten(1)
    layers = list(zip(parameters[::2], parameters[1::2]))
    for weight, bias in layers[:-1]:
        hidden = F.relu(F.linear(hidden, weight, bias))
    return F.linear(hidden, *layers[-1])


def cnn(parameters, images):
    weight1, bias1, weight2, bias2, weight, bias = parameters
    hidden = F.max_pool2d(F.relu(F.conv2d(images, weight1, bias1, padding=1)), 2)
    hidden = F.max_pool2d(F.relu(F.conv2d(hidden, weight2, bias2, padding=1)), 2)
    return F.linear(hidden.flatten(1), weight, bias)


class Theirs:
    """PyTorch's side of a case."""

    def __init__(self, case, folder):
        problem = load_file(Path(folder) / "problem.safetensors")
        names = sorted(name for name in problem if name.startswith("parameter"))
        self.net = cnn if case == "mnist-cnn" else mlp
        # Burn keeps the weight of a linear layer as [in, out].
        self.shapes = [problem[name].shape for name in names]
        self.parameters = [self.turn(problem[name]).requires_grad_() for name in names]
        self.images, self.labels = problem["images"], problem["labels"]
        self.v = self.split(problem["v"])
        self.directions = [self.split(problem["d1"]), self.split(problem["d2"])]
        self.axes = problem["a"], problem["b"]
        self.kept = None

    @staticmethod
    def turn(tensor):
        return tensor.t().contiguous() if tensor.dim() == 2 else tensor.clone()

    def split(self, vector):
        blocks = vector.split([shape.numel() for shape in self.shapes])
        return [self.turn(block.reshape(shape)) for block, shape in zip(blocks, self.shapes)]

    def join(self, blocks):
        return torch.cat([(b.t() if b.dim() == 2 else b).reshape(-1) for b in blocks]).detach()

    def batches(self, size):
        return list(zip(self.images.split(size), self.labels.split(size)))

    def loss(self, batch):
        images, labels = batch
        share = len(labels) / len(self.labels)
        return F.cross_entropy(self.net(self.parameters, images), labels) * share

    def slope(self, batch):
        return torch.autograd.grad(self.loss(batch), self.parameters, create_graph=True)

    def sum_of(self, products):
        total = None
        for product in products:
            total = product if total is None else [a + b for a, b in zip(total, product)]
        return total

    def keep(self, size):
        self.kept = None
        self.kept = [self.slope(batch) for batch in self.batches(size)]

    def linearised(self):
        through = lambda slope: torch.autograd.grad(slope, self.parameters, self.v, retain_graph=True)
        return self.sum_of(through(slope) for slope in self.kept)

    def recomputed(self, size):
        anew = lambda batch: torch.autograd.grad(self.slope(batch), self.parameters, self.v)
        return self.sum_of(anew(batch) for batch in self.batches(size))

    def gradient(self):
        return torch.autograd.grad(self.loss((self.images, self.labels)), self.parameters)

    def plane(self, size, points=None):
        batches = self.batches(size)
        origin = [parameter.detach().clone() for parameter in self.parameters]
        losses = []
        with torch.no_grad():
            for a in self.axes[0]:
                for b in self.axes[1]:
                    if points is not None and len(losses) == points:
                        break
                    for p, o, d, e in zip(self.parameters, origin, *self.directions):
                        p.copy_(o + a * d + b * e)
                    losses.append(sum(self.loss(batch).item() for batch in batches))
            for p, o in zip(self.parameters, origin):
                p.copy_(o)
        return torch.tensor(losses)


class Ours:
    """Our side of a case: a process that obeys."""

    def __init__(self, peer, case, folder):
        command = [peer, "serve", case, folder]
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.read("ready")

    def read(self, expected=None):
        line = self.process.stdout.readline().strip()
        if not line or (expected and line != expected):
            sys.exit(f"the peer said {line!r} instead of {expected!r}")
        return line

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def seconds(self, what, times):
        return float(self.order(f"measure {what} {times}"))

    def operations(self, what, examples):
        lines = [self.order(f"operations {what} {examples}")]
        while lines[-1] != "done":
            lines.append(self.read())
        return lines[:-1]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def seconds(job, times):
    for _ in range(max(1, times // 10)):
        job()
    began = time.perf_counter()
    for _ in range(times):
        job()
    return (time.perf_counter() - began) / times


def fastest(theirs, job_of, times):
    """The batch size that is fastest for PyTorch, with the seconds of each tried."""
    count = len(theirs.labels)
    tried = {}
    for size in sorted({count, *(s for s in (64, 128, 256, 512, 1024, 2048) if s < count)}):
        job = job_of(size)
        job()
        tried[size] = min(seconds(job, times) for _ in range(2))
    return min(tried, key=tried.get), tried


def kept_with(theirs):
    def job_of(size):
        theirs.keep(size)
        return theirs.linearised

    return job_of


def relative(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


def agreement(theirs, ours, folder):
    ours.order("agree")
    found = load_file(Path(folder) / "ours.safetensors")
    count = len(theirs.labels)
    product = theirs.join(theirs.recomputed(count))
    form = theirs.join(theirs.v).double() @ product.double()
    errors = {
        "gradient": relative(found["gradient"], theirs.join(theirs.gradient())),
        "product": relative(found["product"], product),
        "form": abs(found["form"].item() / form.item() - 1),
        "plane": relative(found["plane"], theirs.plane(count)),
    }
    # Both round at every operation in f32; a wrong derivative is off by parts in a hundred.
    worst = max(errors, key=errors.get)
    if not errors[worst] < 1e-3:
        sys.exit(f"the sides disagree on the {worst}: {errors[worst]:.1e}")
    return errors


def alternated(jobs, rounds):
    """Median seconds of each job, one of each in turn.

    The threads of the side that has just run may spin for a while before they sleep, and caches are the other
    side's: each job waits for that, and runs a tenth of its times, once at least, before it is timed.
    """
    found = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(rounds):
        for name, job in jobs.items():
            time.sleep(SETTLE)
            found[name].append(job())
    return {name: statistics.median(values) for name, values in found.items()}


def peak():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024


def their_memory(case, folder, size):
    """In a process of its own: the peak before and after products on kept graphs."""
    theirs = Theirs(case, folder)
    # What libraries load with the first operations is not the product's.
    images, labels = theirs.images[:8], theirs.labels[:8]
    small = torch.autograd.grad(theirs.slope((images, labels)), theirs.parameters, theirs.v)
    del small
    before = peak()
    theirs.keep(size)
    for _ in range(3):
        theirs.linearised()
    print(json.dumps({"before": before, "peak": peak()}))


def memory(peer, case, folder, size):
    itself = [sys.executable, __file__, peer, "--memory-of", case, folder, str(size)]
    theirs = json.loads(subprocess.check_output(itself, text=True))
    run = lambda limit: json.loads(subprocess.check_output([peer, "memory", case, str(limit)], text=True))
    limit = (theirs["peak"] - theirs["before"]) // 4
    return {"theirs": theirs, "all": run("all"), "limit": limit, "limited": run(limit), "none": run(0)}


def compare(peer, case, rounds, operations, plane):
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(peer, case, folder)
        theirs = Theirs(case, folder)
        times = TIMES[case]
        errors = agreement(theirs, ours, folder)
        anew_size, anew_tried = fastest(theirs, lambda size: lambda: theirs.recomputed(size), times)
        plane_size, _ = fastest(theirs, lambda size: lambda: theirs.plane(size, 5), 1)
        kept_size, kept_tried = fastest(theirs, kept_with(theirs), times)
        theirs.keep(kept_size)
        medians = alternated(
            {
                "ours linearised": lambda: ours.seconds("linearised", times),
                "theirs linearised": lambda: seconds(theirs.linearised, times),
                "ours recomputed": lambda: ours.seconds("recomputed", times),
                "theirs recomputed": lambda: seconds(lambda: theirs.recomputed(anew_size), times),
                "ours form": lambda: ours.seconds("form", times),
            },
            rounds,
        )
        theirs.kept = None
        if plane:
            medians |= alternated(
                {
                    "ours plane": lambda: ours.seconds("plane", 1),
                    "theirs plane": lambda: seconds(lambda: theirs.plane(plane_size), 1),
                },
                rounds,
            )
        medians |= alternated(
            {
                "capture and first product of one image": lambda: ours.seconds("capture", 5),
                "setup and first product of all": lambda: ours.seconds("setup", 1),
            },
            rounds,
        )
        found = {
            "errors": errors,
            "seconds": medians,
            "sizes": {"linearised": kept_size, "recomputed": anew_size, "plane": plane_size},
            "tried": {"linearised": kept_tried, "recomputed": anew_tried},
            "ratios": {
                "linearised": medians["ours linearised"] / medians["theirs linearised"],
                "recomputed": medians["ours recomputed"] / medians["theirs recomputed"],
                "form": medians["ours form"] / medians["ours linearised"],
            },
        }
        if plane:
            found["ratios"]["plane"] = medians["ours plane"] / medians["theirs plane"]
        if operations:
            examples = {"mnist-cnn": 16}.get(case, 256)
            kinds = ("linearised", "recomputed", "form")
            found["operations"] = {kind: ours.operations(kind, examples) for kind in kinds}
        ours.close()
        found["memory"] = memory(peer, case, folder, kept_size)
        return found


def mib(bytes):
    return f"{bytes / 2**20:.0f} MiB"


def show(case, found):
    ms = {name: f"{value * 1e3:.2f} ms" for name, value in found["seconds"].items()}
    print(f"\n{case}")
    print("  agreement: " + ", ".join(f"{name} {error:.1e}" for name, error in found["errors"].items()))
    print(f"  {'':12}{'ours':>12}{'PyTorch':>12}{'batches of':>12}{'ratio':>8}{'target':>8}")
    for what, ratio in found["ratios"].items():
        theirs = ms.get(f"theirs {what}", ms["ours linearised"])
        size = found["sizes"].get(what, "(ours)")
        target = TARGETS[what][case]
        missed = "" if ratio <= target else "  above"
        print(f"  {what:12}{ms[f'ours {what}']:>12}{theirs:>12}{size:>12}{ratio:>8.2f}{target:>8}{missed}")
    for name in ("capture and first product of one image", "setup and first product of all"):
        print(f"  {name}: {ms[name]}")
    memory = found["memory"]
    theirs = memory["theirs"]
    needed = theirs["peak"] - theirs["before"]
    print(f"  memory above the start: PyTorch, all kept: {mib(needed)} (peak {mib(theirs['peak'])})")
    for name in ("all", "limited", "none"):
        one = memory[name]
        above = one["peak"] - one["before"]
        print(
            f"    ours, {name:8} {mib(above):>9} = {above / needed:.2f} of that (peak {mib(one['peak'])}); "
            f"{mib(one['kept_bytes'])} kept, {one['kept']} parts kept, {one['recomputed']} recomputed; "
            f"{one['seconds'] * 1e3:.2f} ms"
        )
    for kind, lines in found.get("operations", {}).items():
        print(f"  one part, {kind}, on one core")
        for line in lines:
            print("  " + line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", help="the program built from tests/peers/main.rs")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--operations", action="store_true", help="show where the time of a product goes")
    parser.add_argument("--no-plane", action="store_true", help="leave out the plane, which takes longest")
    parser.add_argument("--memory-of", nargs=3, metavar=("CASE", "FOLDER", "SIZE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    if arguments.memory_of:
        case, folder, size = arguments.memory_of
        return their_memory(case, folder, int(size))
    print(f"PyTorch {torch.__version__}, {THREADS} threads, f32, {arguments.rounds} rounds")
    all_found = {}
    for case in arguments.case or CASES:
        all_found[case] = compare(arguments.peer, case, arguments.rounds, arguments.operations, not arguments.no_plane)
        show(case, all_found[case])
    if arguments.json:
        arguments.json.write_text(json.dumps(all_found, indent=2) + "\n")


if __name__ == "__main__":
    main()
