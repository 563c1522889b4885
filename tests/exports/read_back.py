#!/usr/bin/env python3
"""Reads exported slices with NumPy itself, and compares every array with what was written, bit for bit.

The tests of the crate probes write the files, `NAME.npz` and beside it `NAME.expected` with a line for each array: its name, its
shape and its bits. Exit code 1 if an array differs or there is no file.
"""

import re
import sys
from pathlib import Path

import numpy

EXAMPLE = "python3 tests/exports/read_back.py target/tmp/exports"


def described(name, array):
    words = array.view("<u8") if array.dtype == "<f8" else array.astype("<u8")
    shape = "(" + "".join(f"{side}, " for side in array.shape).strip().removesuffix("," if array.ndim > 1 else "") + ")"
    return f"{name} {shape} " + " ".join(format(int(word), "x") for word in words.ravel())


def main():
    if len(sys.argv) != 2:
        sys.exit(f"example: {EXAMPLE}")
    files = sorted(Path(sys.argv[1]).glob("*.npz"))
    wrong = 0
    for file in files:
        with numpy.load(file) as archive:
            found = [described(name, archive[name]) for name in archive.files]
        expected = file.with_suffix(".expected").read_text().splitlines()
        for line in expected:
            if line not in found:
                print(f"{file.name}: NumPy does not read {line}")
                wrong += 1
        wrong += len(found) != len(expected)
        print(f"{file.name}: {', '.join(re.sub(r' [0-9a-f ]*$', '', line) for line in found)}")
    print(f"{len(files)} files, {wrong} wrong")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
