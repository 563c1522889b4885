#!/usr/bin/env python3
"""Kills a training run with signal 9 at random moments, again and again, and looks at its event files.

Each run is begun, killed at a random moment of its work, resumed, killed again, at most 20 times, and then resumed to its end. While it
runs its newest file is looked at: every record that was whole then must be there after the kill. After each kill every file must
hold whole records with right checksums and, at most, one that is cut at its end; files of earlier sittings must be as they were.
Within a file the steps of a tag must increase. In the end the points, after those have given way that a START of a later file
removes, must be those of a run that was never killed: the same steps and the same values of every scalar but the costs.

Needs nothing beyond Python's standard library. Prints a table. Exit code 1 if anything was lost.
"""

import argparse
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kills import WORKSPACE, crc32c

EXAMPLE = """example:
  cargo build --release
  python3 tests/kills/events.py --kills 100
"""

KILLS_OF_A_RUN = 20


def varint(data, at):
    """An integer of the protocol buffers, and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def fields(message):
    """(number, value) of each field of a message: integers, and bytes of what has a length or a fixed size."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(message, at)
        else:
            size, at = varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = message[at : at + size], at + size
        yield key >> 3, value


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """The data of each whole record, where the last one ends, and what is wrong with the file."""
    found, at = [], 0
    while at < len(data):
        header = data[at : at + 12]
        if len(header) < 12:
            break
        length, crc = struct.unpack("<QI", header)
        if crc != masked(header[:8]):
            return found, at, f"the length at byte {at} fails its checksum"
        body = data[at + 12 : at + 16 + length]
        if len(body) < length + 4:
            break
        if struct.unpack("<I", body[length:])[0] != masked(body[:length]):
            return found, at, f"the data at byte {at} fail their checksum"
        found.append(body[:length])
        at += length + 16
    return found, at, None


def events(data):
    """(step, is a START, {tag: bits of a scalar or None}) of each whole record."""
    for record in records(data)[0]:
        step, start, values = 0, False, {}
        for number, value in fields(record):
            if number == 2:
                step = value
            elif number == 7:
                start = dict(fields(value)).get(1) == 1
            elif number == 5:
                for _, one in fields(value):
                    held = dict(fields(one))
                    values[held[1].decode()] = held.get(2)
        yield step, start, values


def series(files):
    """{tag: {step: bits}} of the scalars of a run, after the purges."""
    found = {}
    for data in files:
        for step, start, values in events(data):
            if start:
                for points in found.values():
                    for later in [one for one in points if one >= step]:
                        del points[later]
            for tag, bits in values.items():
                # What measuring took is another time in each run.
                if bits is not None and not tag.startswith("cost/"):
                    found.setdefault(tag, {})[step] = bits
    return found


def event_files(run):
    return sorted(run.glob("*tfevents*"))


def check(name, before, run, losses):
    """What must hold after a kill, given the files' contents seen before it."""
    files = {path.name: path.read_bytes() for path in event_files(run)}
    for file, seen in before.items():
        if not files.get(file, b"").startswith(seen):
            losses.append(f"{name}: {file} lacks what it held before the kill")
    cut = 0
    for file, data in files.items():
        _, end, wrong = records(data)
        cut += end < len(data)
        if wrong:
            losses.append(f"{name}: {file}: {wrong}")
        last = {}
        for step, _, values in events(data):
            for tag in values:
                if step <= last.get(tag, -1):
                    losses.append(f"{name}: {file}: step {step} of {tag} comes after {last[tag]}")
                last[tag] = step
    return files, cut


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="kills in all (default 100)")
    parser.add_argument("--seed", type=int, default=14, metavar="N", help="of the moments (default 14)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the last run is kept, for read_back.py")
    parser.add_argument("--program", type=Path, default=Path("target/release/landscape"), help="the program (default target/release/landscape)")
    options = parser.parse_args()
    program, moments = options.program.resolve(), random.Random(options.seed)
    began, losses, counts = time.monotonic(), [], Counter()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        workspace = WORKSPACE.replace("checkpoint_every = 1\n", "checkpoint_every = 3\n").replace("epochs = 1\n", "epochs = 4\n")
        assert workspace.count("checkpoint_every = 3") == workspace.count("epochs = 4") == 1
        (folder / "workspace.toml").write_text(workspace)

        def start(run, *flags):
            command = [str(program), "train", "--output", str(run), *flags]
            return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        whole = start(folder / "whole")
        begin = time.monotonic()
        if whole.wait() != 0:
            sys.exit(f"the uninterrupted run fails: {whole.stderr.read()}")
        length = time.monotonic() - begin
        expected = series([path.read_bytes() for path in event_files(folder / "whole")])
        number = 0
        while counts["kills"] < options.kills:
            number += 1
            run, name = folder / f"run-{number}", f"run {number}"
            counts["runs"] += 1
            for _ in range(min(KILLS_OF_A_RUN, options.kills - counts["kills"])):
                begun = (run / "run.json").exists()
                process = start(run, *(["--resume"] if begun else []))
                # The first sittings are killed anywhere, from before their first file to their end.
                until = time.monotonic() + moments.uniform(0, 0.6 * length)
                before = {}
                while process.poll() is None and time.monotonic() < until:
                    if moments.random() < 0.1:
                        for path in event_files(run):
                            data = path.read_bytes()
                            before[path.name] = data[: records(data)[1]]
                    time.sleep(0.002)
                process.send_signal(signal.SIGKILL)
                code = process.wait()
                if code == 0:
                    counts["ended before"] += 1
                    break
                if code != -signal.SIGKILL:
                    losses.append(f"{name}: exit code {code}: {process.stderr.read().strip()}")
                    break
                counts["kills"] += 1
                counts["files looked at"] += len(before)
                _, cut = check(name, before, run, losses)
                counts["cut records"] += cut
            before = {path.name: path.read_bytes() for path in event_files(run)}
            begun = (run / "run.json").exists()
            last = start(run, *(["--resume"] if begun else []))
            code = last.wait()
            # A run that had ended has nothing to resume, and says so.
            ended = (run / "summary.json").exists()
            if code != 0 and not ended:
                losses.append(f"{name}: exit code {code} at its last resumption: {last.stderr.read().strip()}")
                continue
            files, _ = check(name, before, run, losses)
            found = series(files[file] for file in sorted(files))
            counts["same series"] += found == expected
            if found != expected:
                wrong = [tag for tag in sorted(set(found) | set(expected)) if found.get(tag) != expected.get(tag)]
                losses.append(f"{name}: other points of {', '.join(wrong)}")
            counts["event files"] += len(files)
            if options.keep and counts["kills"] >= options.kills:
                shutil.copytree(run, options.keep)
            else:
                shutil.rmtree(run)
    points = sum(map(len, expected.values()))
    print(f"a whole run takes {length:.1f} s and has {points} points of {len(expected)} scalars")
    for column in ("runs", "kills", "ended before", "files looked at", "event files", "cut records", "same series"):
        print(f"{column:16} {counts[column]:6}")
    print(f"{counts['kills']} kills in {time.monotonic() - began:.0f} s, {len(losses)} losses")
    for loss in losses:
        print(loss)
    return 1 if losses or counts["kills"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
