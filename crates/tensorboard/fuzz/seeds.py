#!/usr/bin/env python3
"""Writes seeds for the fuzzer: each record of some event files, and each file whole.

example:
  cargo run --release -p tensorboard --example sample -- runs/sample
  python3 crates/tensorboard/fuzz/seeds.py runs/sample crates/tensorboard/fuzz/corpus/reader
"""

import struct
import sys
from hashlib import sha1
from pathlib import Path


def main():
    runs, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    seeds = set()
    for path in sorted(runs.rglob("*tfevents*")):
        data, at = path.read_bytes(), 0
        # The first byte says what follows: a file, or the data of a record.
        seeds.add(b"\0" + data[:20000])
        while at + 12 <= len(data):
            (length,) = struct.unpack("<Q", data[at : at + 8])
            record = data[at + 12 : at + 12 + length]
            # Thousands of scalars are one seed, and great pictures say no more than small ones.
            if len(record) <= 60000 and (len(record) >= 100 or at <= 2000):
                seeds.add(b"\1" + record)
            at += length + 16
    for seed in seeds:
        (folder / sha1(seed).hexdigest()).write_bytes(seed)
    print(f"{len(seeds)} seeds in {folder}")


if __name__ == "__main__":
    main()
