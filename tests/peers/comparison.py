"""One case in one process: both sides agree, and then every job is timed beside the peers."""

import json
import math
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

import peers
import processor
from ours import Ours
from theirs import Theirs
from timing import alternated, fastest, once, seconds, times_for

# A peer whose first run takes this many times that of the fastest is not run again.
HOPELESS = 1.5
# Power iteration is ended when it has taken this many times what the fastest peer took.
SLOW = 4


def relative(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


class Comparison:
    """Both sides of a case, and the cells of the table that are found."""

    def __init__(self, peer, case, folder, narrow, options):
        self.peer, self.case, self.folder, self.narrow = peer, case, folder, narrow
        self.rounds, self.threads, self.batches = options["rounds"], options["threads"], options["batches"]
        torch.set_num_threads(self.threads)
        self.ours = Ours(peer, case, folder, self.batches, narrow, self.threads)
        self.theirs = Theirs(case, folder)
        self.cells = {}
        self.errors = {}
        self.details = {}

    def say(self, what):
        print(f"{self.case}: {what}", file=sys.stderr, flush=True)

    def check(self, what, error, limit):
        """Stops where the sides have not computed the same."""
        self.errors[what] = error
        if not error <= limit:
            sys.exit(f"{self.case}: the sides disagree on the {what}: {error:.1e}, above {limit:.1e}")

    def agree(self):
        theirs, count = self.theirs, len(self.theirs.labels)
        self.ours.order("agree")
        found = load_file(Path(self.folder) / "ours.safetensors")
        product = theirs.join(theirs.recomputed(count))
        form = theirs.join(theirs.v).double() @ product.double()
        # Both round at every operation in f32; a wrong derivative is off by parts in a hundred.
        self.check("gradient", relative(found["gradient"], theirs.join(theirs.gradient())), 1e-3)
        self.check("product", relative(found["product"], product), 1e-3)
        self.check("form", abs(found["form"].item() / form.item() - 1), 1e-3)
        self.check("plane", relative(found["plane"], theirs.plane(count)), 1e-4)
        size = theirs.equal_sizes()[0]
        # Each has an order of its own of the coordinates; a vector of ones and a norm have none.
        ones = torch.ones(theirs.dimension)
        length = theirs.join(theirs.through(theirs.graphs(count), theirs.split(ones))).norm().item()
        for name, product in {
            "hessian-eigenthings": peers.eigenthings(theirs, size).matvec(ones),
            "curvlinops": peers.curvlinops(theirs, size) @ ones,
        }.items():
            self.check(f"product of {name}", abs(product.norm().item() / length - 1), 1e-3)
        # The same start vector gives the same quadrature: moments 0 to 4 of its spectral measure.
        flat = peers.Kept(theirs, count).flat()
        nodes, weights = peers.quadrature_from(flat, theirs.join(theirs.v))
        moment = lambda n, w, k: (w.double() * n.double() ** k).sum().item()
        for k in range(5):
            one, other = moment(found["nodes"], found["weights"], k), moment(nodes, weights, k)
            self.check(f"moment {k} of the density", abs(one / other - 1), 1e-3)

    def cell(self, row, ours, candidates, composed=(), first=None):
        """Times our job and those of the peers in turn; `composed` ones are no peer's own way.

        Peers that are far slower than the fastest have their first run only; `first` has seconds of those
        that have run already.
        """
        first = first or {name: once(job) for name, job in candidates.items()}
        own = {name: t for name, t in first.items() if name not in composed}
        limit = HOPELESS * min(own.values())
        hopeful = {name: t for name, t in first.items() if t <= limit}
        jobs = {"ours": lambda: self.ours.seconds(*ours)}
        for name, estimate in hopeful.items():
            job, times = candidates[name], times_for(estimate)
            jobs[name] = lambda job=job, times=times: seconds(job, times)
        medians = alternated(jobs, self.rounds)
        theirs = {**first, **{name: medians[name] for name in hopeful}}
        own = {name: t for name, t in theirs.items() if name not in composed}
        best = min(own, key=own.get)
        self.cells[row] = {
            "ours": medians["ours"],
            "peers": theirs,
            "once": [name for name in theirs if name not in hopeful],
            "composed": list(composed),
            "peer": best,
            "ratio": medians["ours"] / theirs[best],
            "strict": medians["ours"] / min(theirs.values()),
        }

    def our_times(self, what):
        return what, times_for(self.ours.seconds(what, 1))

    def products(self):
        theirs = self.theirs
        kept_size, kept_tried = fastest(self.kept_job, theirs.sizes())
        anew_size, anew_tried = fastest(lambda size: lambda: theirs.recomputed(size), theirs.sizes())
        self.kept_size, self.anew_size = kept_size, anew_size
        self.details["tried"] = {"linearised": kept_tried, "recomputed": anew_tried}
        theirs.keep(kept_size)
        kept = {f"kept graph, batches of {kept_size}": theirs.linearised}
        self.cell("product", self.our_times("linearised"), kept)
        theirs.kept = None
        # Peers that make the graph anew for each product.
        equal = theirs.equal_sizes()
        v = theirs.join(theirs.v)
        packaged = lambda make: lambda size: (lambda operator: lambda: operator(v))(make(size))
        self.size_of = {}
        self.size_of["eigenthings"], _ = fastest(
            packaged(lambda size: peers.eigenthings(theirs, size).matvec), equal
        )
        self.size_of["curvlinops"], _ = fastest(
            packaged(lambda size: peers.curvlinops(theirs, size).__matmul__), equal
        )
        e, c = self.size_of["eigenthings"], self.size_of["curvlinops"]
        one, other = peers.eigenthings(theirs, e), peers.curvlinops(theirs, c)
        anew = {
            f"double backward, batches of {anew_size}": lambda: theirs.recomputed(anew_size),
            f"hessian-eigenthings, batches of {e}": lambda: one.matvec(v),
            f"curvlinops, batches of {c}": lambda: other @ v,
        }
        self.cell("product, nothing kept", self.our_times("recomputed"), anew)
        self.own("form over product", "form", "linearised")

    def kept_job(self, size):
        self.theirs.keep(size)
        return self.theirs.linearised

    def own(self, row, one, other, rounds=None):
        """A ratio of two jobs of ours."""
        times = {name: self.our_times(name)[1] for name in (one, other)}
        jobs = {name: lambda name=name: self.ours.seconds(name, times[name]) for name in times}
        medians = alternated(jobs, rounds or self.rounds)
        ratio = medians[one] / medians[other]
        self.cells[row] = {
            "ours": medians[one],
            "peers": {"ours": medians[other]},
            "once": [],
            "composed": [],
            "peer": "ours",
            "ratio": ratio,
            "strict": ratio,
        }

    def bare(self):
        """A product over the bare matrix products of it, for a network of linear layers."""
        if "mlp" not in self.case:
            return
        tried = {}
        for part in (64, 128, 256, 512, 1024):
            self.ours.set("bare-part", part)
            tried[part] = min(self.ours.seconds(*self.our_times("bare")) for _ in range(2))
        part = min(tried, key=tried.get)
        self.ours.set("bare-part", part)
        self.details["bare parts of"] = part
        self.own("product over its bare matrix products", "linearised", "bare")

    def top(self):
        theirs, e, c = self.theirs, self.size_of["eigenthings"], self.size_of["curvlinops"]
        # Ours is told a residual over the largest eigenvalue; the fifth is to have it relative to itself.
        self.ours.set("eigen-tolerance", peers.TOLERANCE)
        while True:
            found = self.ours.find("top")
            worst = max(r / abs(v) for r, v in zip(found["residuals"], found["values"]))
            if worst <= peers.TOLERANCE:
                break
            tolerance = peers.TOLERANCE * abs(found["values"][-1] / found["values"][0])
            self.ours.set("eigen-tolerance", min(tolerance, peers.TOLERANCE * peers.TOLERANCE / worst))
        steps = peers.steps_needed(peers.eigenthings(theirs, e))
        self.details["products for the top 5"] = {"ours": found["products"], "hessian-eigenthings": steps}
        candidates = {
            "hessian-eigenthings": lambda: peers.lanczos_pairs(peers.eigenthings(theirs, e), steps),
            "curvlinops and ARPACK": lambda: peers.arpack(theirs, c),
            "hessian-eigenthings over kept graphs": lambda: peers.lanczos_pairs(
                peers.Kept(theirs, self.kept_size).flat(), steps
            ),
        }
        results, first = self.results(candidates)
        name = "PyHessian's power iteration"
        limit = SLOW * min(first.values())
        candidates[name] = lambda: peers.power(theirs, self.kept_size, math.inf)
        began = time.perf_counter()
        results[name] = peers.power(theirs, self.kept_size, limit)
        first[name] = time.perf_counter() - began
        if results[name] is None:
            self.details["power iteration ended after seconds"] = limit
            del results[name]
        for name, (values, _) in results.items():
            # A residual of 1e-3 bounds the distance to an eigenvalue, for ours and for theirs.
            error = max(abs(a / b - 1) for a, b in zip(sorted(values), sorted(found["values"])))
            self.check(f"top 5 by {name}", error, 2e-3)
        composed = ["hessian-eigenthings over kept graphs"]
        self.cell("top 5", self.our_times("top"), candidates, composed, first)

    @staticmethod
    def results(candidates):
        """What each peer finds, and the seconds of it."""
        results, first = {}, {}
        for name, job in candidates.items():
            began = time.perf_counter()
            results[name] = job()
            first[name] = time.perf_counter() - began
        return results, first

    def trace(self):
        theirs, e, c = self.theirs, self.size_of["eigenthings"], self.size_of["curvlinops"]
        estimate, error = peers.probes(theirs, self.kept_size)
        self.ours.set("trace-error", error / abs(estimate))
        found = self.ours.find("trace")
        self.details["trace"] = {"ours": found, "100 probes": [estimate, error]}
        # Our own estimate stops at this error or below it.
        both = math.hypot(error, found["standard_error"])
        self.check("trace, in standard errors", abs(estimate - found["value"]) / both, 4.0)
        if found["standard_error"] > 1.05 * error:
            sys.exit(f"{self.case}: our trace has the standard error {found['standard_error']}, not {error}")
        candidates = {
            "PyHessian's Hutchinson": lambda: peers.probes(theirs, self.kept_size),
            "hessian-eigenthings, Hutchinson": lambda: peers.eigenthings_trace(peers.eigenthings(theirs, e)),
            "curvlinops, Hutchinson": lambda: peers.curvlinops_trace(theirs, c),
        }
        # Hutch++ needs fewer products where the spectrum decays: as few as reach the error.
        kept = peers.Kept(theirs, self.kept_size).flat()
        for products in (24, 48, 75):
            if peers.sketched_trace(kept, products)[1] <= error:
                candidates[f"hessian-eigenthings, Hutch++ of {products}"] = (
                    lambda: peers.sketched_trace(peers.eigenthings(theirs, e), products)
                )
                candidates["Hutch++ over kept graphs"] = lambda: peers.sketched_trace(
                    peers.Kept(theirs, self.kept_size).flat(), products
                )
                break
        self.cell("trace", self.our_times("trace"), candidates, ["Hutch++ over kept graphs"])

    def density(self):
        theirs, e, c = self.theirs, self.size_of["eigenthings"], self.size_of["curvlinops"]
        found = self.ours.find("density")
        candidates = {
            "hessian-eigenthings": lambda: peers.eigenthings_density(peers.eigenthings(theirs, e)),
            "curvlinops": lambda: peers.curvlinops_density(theirs, c),
            "PyHessian's": lambda: peers.quadrature(theirs, self.kept_size),
            "hessian-eigenthings over kept graphs": lambda: peers.eigenthings_density(
                peers.Kept(theirs, self.kept_size).flat()
            ),
        }
        # The starts differ, so that only the ends of the spectrum are the same numbers.
        results, first = self.results(candidates)
        for name, (nodes, _) in results.items():
            self.check(f"largest node by {name}", abs(nodes.max().item() / max(found["nodes"]) - 1), 2e-3)
        composed = ["hessian-eigenthings over kept graphs"]
        self.cell("density", self.our_times("density"), candidates, composed, first)

    def plane(self):
        theirs = self.theirs
        size, _ = fastest(lambda size: lambda: theirs.plane(size, 5), theirs.sizes())
        jobs = {f"no_grad, batches of {size}": lambda: theirs.plane(size)}
        self.cell("surface", self.our_times("plane"), jobs)

    def sam(self):
        self.own("SAM step over base step", "sam", "base", 2 * self.rounds)

    def setup(self):
        medians = alternated(
            {
                "capture and first product of one image": lambda: self.ours.seconds("capture", 5),
                "setup and first product of all": lambda: self.ours.seconds("setup", 1),
            },
            self.rounds,
        )
        self.details["setup"] = medians

    def machine(self):
        """What each side takes the processor for, and what a square product of 1,024 gives on it."""
        factor = torch.randn(1024, 1024)
        flops = lambda: 2 * 1024**3 / once(lambda: factor @ factor) / 1e9
        flops()
        both = {"ours": [], "theirs": []}
        for _ in range(3):
            both["ours"].append(float(self.ours.order("gigaflops 9")))
            both["theirs"].append(statistics.median(flops() for _ in range(9)))
        config = torch.__config__.show()
        self.details["processor"] = {
            "ours": self.ours.features,
            "torch": torch.backends.cpu.get_cpu_capability(),
            "torch BLAS": re.search(r"BLAS_INFO=(\w*)", config)[1],
            "GFLOP/s": {side: statistics.median(values) for side, values in both.items()},
        }

    def operations(self):
        examples = {"mlp": 256}.get(self.case.split("-")[1] if "-" in self.case else "", 16)
        kinds = ("linearised", "recomputed", "form")
        self.details["operations"] = {kind: self.ours.operations(kind, examples) for kind in kinds}

    def memory(self):
        """Peaks of processes of their own, above what each had before the operator was made."""
        environment = processor.environment(self.narrow, self.threads)
        script = str(Path(__file__).with_name("memory.py"))
        itself = [sys.executable, script, self.case, self.folder, str(self.kept_size), str(self.threads)]
        theirs = json.loads(subprocess.check_output(itself, text=True, env=environment))
        command = [self.peer, "memory", self.case, self.folder, str(self.batches)]
        run = lambda limit: json.loads(
            subprocess.check_output([*command, str(limit)], text=True, env=environment)
        )
        limit = (theirs["peak"] - theirs["before"]) // 4
        ours = {"all": run("all"), "limit": limit, "limited": run(limit), "none": run(0)}
        self.details["memory"] = {"theirs": theirs, **ours}

    def run(self, rows, operations):
        self.machine()
        self.agree()
        self.say("agreed")
        self.products()
        jobs = {"bare": self.bare, "top": self.top, "trace": self.trace, "density": self.density}
        jobs |= {"plane": self.plane, "sam": self.sam, "setup": self.setup, "memory": self.memory}
        for name, job in jobs.items():
            if not rows or name in rows:
                self.say(name)
                job()
        if operations:
            self.operations()
        self.ours.close()
        return {
            "case": self.case,
            "avx512": not self.narrow,
            "parameters": self.theirs.dimension,
            "examples": len(self.theirs.labels),
            "errors": self.errors,
            "cells": self.cells,
            "details": self.details,
        }


def main():
    """comparison.py PEER CASE FOLDER NARROW OPTIONS: the last is JSON; prints what is found as JSON."""
    peer, case, folder, narrow, options = sys.argv[1:]
    options = json.loads(options)
    found = Comparison(peer, case, folder, narrow == "1", options).run(options["jobs"], options["operations"])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
