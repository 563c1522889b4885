"""Growth: time and peak memory of a product over examples, parameters and tangents, two decades of each.

The network is 784-h-10 on images of MNIST. As a program, sweep.py EXAMPLES UNITS TANGENTS TIMES THREADS is the
Python side, a process for each figure: graphs of the gradient that are kept.
"""

import json
import math
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import processor

# Peaks grow by pages: what is below so many bytes is no measurement.
LEAST = 2**20
# (examples, units, tangents)
AXES = {
    "examples": [(n, 64, 1) for n in (40, 126, 400, 1265, 4000)],
    "parameters": [(512, h, 1) for h in (13, 41, 126, 400, 1260)],
    "tangents": [(512, 64, k) for k in (1, 3, 10, 32, 100)],
}


def their_products(examples, units, tangents, times, threads):
    import torch
    import torch.nn.functional as F

    from memory import peak
    from networks import Mlp

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = Mlp([784, units, 10])
    parameters = list(model.parameters())
    # Time and memory do not depend on what is in an image.
    images, labels = torch.rand(examples, 784), torch.randint(0, 10, (examples,))
    vectors = [[torch.randn_like(p) for p in parameters] for _ in range(tangents)]

    def slope(count):
        loss = F.cross_entropy(model(images[:count]), labels[:count])
        return torch.autograd.grad(loss, parameters, create_graph=True)

    through = lambda graph, v: torch.autograd.grad(graph, parameters, v, retain_graph=True)
    through(slope(8), vectors[0])
    before = peak()
    graph = slope(examples)
    stacked = [torch.stack(parts) for parts in zip(*vectors)]
    ways = {"one by one": lambda: [through(graph, v) for v in vectors]}
    if tangents > 1:
        ways["batched"] = lambda: torch.autograd.grad(
            graph, parameters, stacked, retain_graph=True, is_grads_batched=True
        )
    found = {}
    for name, job in ways.items():
        values = []
        for _ in range(times):
            began = perf_counter()
            job()
            values.append(perf_counter() - began)
        found[name] = statistics.median(values)
    return {
        "parameters": sum(p.numel() for p in parameters),
        "before": before,
        "peak": peak(),
        "seconds": min(found.values()),
        "way": min(found, key=found.get),
    }


def slope(points, least=0.0):
    """The exponent of a power law, by least squares in logarithms of what is above `least`."""
    points = [point for point in points if point[1] > least]
    x, y = ([math.log(value) for value in values] for values in zip(*points))
    mx, my = statistics.mean(x), statistics.mean(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


def measure(peer, threads, times):
    environment = processor.environment(False, threads)
    run = lambda command: json.loads(subprocess.check_output(list(map(str, command)), text=True, env=environment))
    found = {}
    for axis, places in AXES.items():
        rows = []
        for place in places:
            ours = run([peer, "grown", *place, times])
            theirs = run([sys.executable, Path(__file__), *place, times, threads])
            at = {"examples": place[0], "parameters": ours["parameters"], "tangents": place[2]}[axis]
            memory = lambda side: max(side["peak"] - side["before"], 1)
            rows.append({
                "at": at,
                "ours": {"seconds": ours["seconds"], "memory": memory(ours)},
                "theirs": {"seconds": theirs["seconds"], "memory": memory(theirs), "way": theirs["way"]},
            })
        slopes = {
            side: {
                what: slope([(row["at"], row[side][what]) for row in rows], least)
                for what, least in (("seconds", 0.0), ("memory", LEAST))
            }
            for side in ("ours", "theirs")
        }
        found[axis] = {"rows": rows, "slopes": slopes}
    return found


def lines(found):
    yield "\n## Growth of a product\n"
    yield "784-h-10 on images of MNIST; memory is the peak above what the process had before.\n"
    yield "| over | at | ours ms | kept graph ms | ours MiB | kept graph MiB |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for axis, one in found.items():
        for row in one["rows"]:
            sides = row["ours"], row["theirs"]
            times = " | ".join(f"{side['seconds'] * 1e3:.3g}" for side in sides)
            memory = " | ".join(f"{side['memory'] / 2**20:.1f}" for side in sides)
            yield f"| {axis} | {row['at']:,} | {times} | {memory} |"
        slopes = [f"{one['slopes'][side][what]:.2f}" for what in ("seconds", "memory") for side in ("ours", "theirs")]
        yield f"| {axis} | **exponent** | " + " | ".join(slopes) + " |"


def draw(found, path):
    """Time and memory over each axis, in logarithms."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained")
    for column, (axis, one) in enumerate(found.items()):
        for line, (what, label) in enumerate((("seconds", "seconds"), ("memory", "bytes above the start"))):
            place = axes[line][column]
            exponents = []
            for side, name in (("ours", "this project"), ("theirs", "PyTorch, kept graph")):
                values = [row[side][what] for row in one["rows"]]
                place.loglog([row["at"] for row in one["rows"]], values, "o-", label=name)
                exponents.append(f"{one['slopes'][side][what]:.2f}")
            place.set_title("exponents " + " and ".join(exponents), fontsize="medium")
            place.set_xlabel(axis)
            place.set_ylabel(label if column == 0 else "")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    figure.savefig(path, metadata={"Date": None} if str(path).endswith("svg") else None)


if __name__ == "__main__":
    print(json.dumps(their_products(*map(int, sys.argv[1:]))))
