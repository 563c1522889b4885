"""Whole jobs of ours beside those of the peers: one run, alternated rounds, medians, ratios.

    cargo build --release -p tests --bin peer
    python -m pip install -r tests/peers/requirements.txt
    python tests/peers/side_by_side.py target/release/peer --output table.md --json table.json

Both sides have the same weights (after 300 steps of SGD) and data through safetensors, f32, and two threads.
First both must have computed the same; then each job is measured in turn. README.md says which jobs there are, who
the peers are, and what is fair about it.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

sys.dont_write_bytecode = True

import cold
import processor
import sweep
import table
from networks import CASES

JOBS = ["bare", "top", "trace", "density", "plane", "sam", "setup", "memory"]
QUICK = ["digits-mlp", "cnn-norm-small", "transformer-small"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", help="the program built from tests/peers/main.rs")
    parser.add_argument("--case", action="append", choices=list(CASES), help="by default the columns of the table")
    parser.add_argument("--all", action="store_true", help="three sizes of each kind")
    parser.add_argument("--job", action="append", choices=JOBS, help="beside products; by default all")
    processors = ["both", "wide", "narrow"]
    parser.add_argument("--processor", choices=processors, default="both", help="with AVX-512, or without")
    parser.add_argument("--batches", type=int, default=0, help="of the data, on our side; 0: as the case says")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="three small cases, two rounds")
    parser.add_argument("--operations", action="store_true", help="show where the time of a product goes")
    parser.add_argument("--cold", action="store_true", help="measure the start of a process to its first eigenvalue")
    parser.add_argument("--sweep", type=Path, metavar="PICTURE", help="measure the growth of a product too")
    parser.add_argument("--no-cases", action="store_true", help="only what --cold and --sweep ask for")
    parser.add_argument("--output", type=Path, help="a file for the tables, Markdown")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    return parser.parse_args()


def modes(asked):
    """Whether AVX-512 is hidden, for each part of the run."""
    if not any(flag.startswith("avx512") for flag in processor.model()["features"]):
        return [True]
    return {"both": [False, True], "wide": [False], "narrow": [True]}[asked]


def compare(asked, case, folder, narrow, rounds):
    options = {
        "rounds": rounds,
        "threads": asked.threads,
        "batches": asked.batches,
        "jobs": asked.job or [],
        "operations": asked.operations,
    }
    script = Path(__file__).with_name("comparison.py")
    command = [sys.executable, str(script), asked.peer, case, folder, str(int(narrow)), json.dumps(options)]
    environment = processor.environment(narrow, asked.threads)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout) if done.returncode == 0 else None


def main():
    asked = arguments()
    rounds = min(asked.rounds, 2) if asked.quick else asked.rounds
    cases = asked.case or (QUICK if asked.quick else list(CASES) if asked.all else list(table.COLUMNS))
    names = ("torch", "hessian-eigenthings", "curvlinops-for-pytorch", "scipy", "numpy")
    machine = {
        "processor": processor.model(),
        "threads": asked.threads,
        "rounds": rounds,
        "versions": {**{name: version(name) for name in names}, "Python": platform.python_version()},
    }
    print(json.dumps(machine, indent=2))
    found, starts, failed = [], [], []
    with tempfile.TemporaryDirectory() as root:
        for case in cases:
            folder = str(Path(root) / case)
            Path(folder).mkdir()
            environment = processor.environment(False, asked.threads)
            subprocess.run([asked.peer, "prepare", case, folder], check=True, env=environment)
            for narrow in [] if asked.no_cases else modes(asked.processor):
                one = compare(asked, case, folder, narrow, rounds)
                if one is None:
                    failed.append((case, "without AVX-512" if narrow else "with AVX-512"))
                    continue
                found.append(one)
                table.show(one)
            if asked.cold:
                starts.append(cold.compare(asked.peer, case, folder, asked.batches, asked.threads, rounds))
                print("  cold: ours {ours:.3f} s, Python {theirs:.3f} s, ratio {ratio:.3f}".format(**starts[-1]))
    lines = list(table.lines(machine, found))
    if starts:
        lines += ["\n## Cold start to the largest eigenvalue\n"]
        lines += ["| | ours s | Python s | ratio |", "| --- | --- | --- | --- |"]
        lines += ["| {case} | {ours:.3f} | {theirs:.3f} | {ratio:.3f} |".format(**one) for one in starts]
    growth = None
    if asked.sweep:
        growth = sweep.measure(asked.peer, asked.threads, 3 if asked.quick else 9)
        sweep.draw(growth, asked.sweep)
        lines += sweep.lines(growth)
    text = "\n".join(lines) + "\n"
    print("\n" + text)
    if asked.output:
        asked.output.write_text(text)
    if asked.json:
        everything = {"machine": machine, "cases": found, "cold": starts, "growth": growth}
        asked.json.write_text(json.dumps(everything, indent=2) + "\n")
    for case, mode in failed:
        print(f"FAILED: {case}, {mode}")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
