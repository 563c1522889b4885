#!/usr/bin/env python3
"""Starts two processes in one directory at once, many times.

Each pair finds a run that a kill has left unfinished. Two with --overwrite, or one with --overwrite and one with --resume: one of
them must have the directory and come to the right end, and the other must be told that it is taken, or find what the first one
has left. Never both may fail, and never may one disturb the other.

Prints a table. Exit code 1 if a pair came to anything else.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

EXAMPLE = """example:
  cargo build --release
  python3 tests/kills/pairs.py --pairs 55
"""

WORKSPACE = """
[defaults]
dataset = "digits"
hidden = [8]
epochs = 2
batch_size = 64
checkpoint_every = 5
curvature_examples = 32
log_every = 1

[defaults.probes]
loss = "end"
gradient = "never"
eigenvalues = "never"
trace = "never"
sharpness = "never"
density = "never"
line = "never"
surface = "never"

[datasets.digits]
source = "digits"
"""


def start(program, folder, run, *flags):
    command = [str(program), "train", "--output", str(run), *flags]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def weights(run):
    return json.loads((run / "summary.json").read_text())["weights_crc32c"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=55, metavar="N", help="pairs of each kind (default 55)")
    parser.add_argument("--program", type=Path, default=Path("target/release/landscape"), help="the program (default target/release/landscape)")
    options = parser.parse_args()
    program = options.program.resolve()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "workspace.toml").write_text(WORKSPACE)
        process = start(program, folder, folder / "whole")
        if process.wait() != 0:
            sys.exit(f"the uninterrupted run fails: {process.stderr.read()}")
        expected = weights(folder / "whole")
        left = folder / "left"
        process = start(program, folder, left)
        while not (left / "checkpoints" / "step-00000015").exists():
            if process.poll() is not None:
                sys.exit("the run ended before it could be killed")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for flags in (["--overwrite", "--overwrite"], ["--overwrite", "--resume"], ["--resume", "--resume"]):
            counts = Counter()
            for _ in range(options.pairs):
                run = folder / "run"
                shutil.copytree(left, run)
                pair = [start(program, folder, run, flag) for flag in flags]
                ends = [(process.wait(), process.stderr.read()) for process in pair]
                codes = sorted(code for code, _ in ends)
                refused = [said for code, said in ends if code != 0]
                sound = codes[0] == 0 and all("another writer is open" in said for said in refused)
                if not sound or not (run / "summary.json").exists() or weights(run) != expected:
                    wrong.append(f"{' and '.join(flags)}: {ends}")
                counts["one was refused" if refused else "one after the other"] += 1
                shutil.rmtree(run)
            print(f"{' and '.join(flags):26}  " + ", ".join(f"{name}: {count}" for name, count in sorted(counts.items())))
    print(f"{3 * options.pairs} pairs, {len(wrong)} wrong")
    for one in wrong:
        print(one)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
