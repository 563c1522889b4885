"""Peak memory of PyTorch's products on kept graphs, in a process of its own: memory.py CASE FOLDER SIZE THREADS."""

import json
import sys
from pathlib import Path

import torch

from theirs import Theirs


def peak():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024


def main():
    case, folder, size, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    theirs = Theirs(case, folder)
    # What libraries load with the first operations is not the product's.
    few = theirs.images[:8], theirs.labels[:8]
    small = torch.autograd.grad(theirs.slope(few), theirs.parameters, theirs.v)
    del small
    before = peak()
    theirs.keep(int(size))
    for _ in range(3):
        theirs.linearised()
    print(json.dumps({"before": before, "peak": peak()}))


if __name__ == "__main__":
    main()
