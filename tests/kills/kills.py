#!/usr/bin/env python3
"""Kills the program at every system call with which it writes a checkpoint, and looks at what is left.

A training that writes a checkpoint at every step is brought into several states: not begun, killed, stopped by a signal, with a
damaged newest checkpoint, with a complete checkpoint that a kill has left under another name. In each state its resumption
is traced, and then killed again and again, each time before another one of the system calls that change its directory: all of
those up to the second checkpoint, and all from the last one to the end. Every other directory is killed a second time while it
is resumed, so that there are kills upon kills.

After each kill it is checked, by this script's own reading of the files, that there is a whole checkpoint if there was one before;
and that --resume then ends with exit code 0, with the weights and all figures of the uninterrupted run, bit for bit, and leaves
no unfinished file behind.

Needs Linux and strace. Prints a table. Exit code 1 if anything was lost.
"""

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

EXAMPLE = """example:
  cargo build --release
  python3 tests/kills/kills.py --kills 300
"""

WORKSPACE = """
[defaults]
dataset = "digits"
hidden = [8]
epochs = 1
batch_size = 128
checkpoint_every = 1
curvature_examples = 32
method = "friendly-sam"
log_every = 1

[defaults.probes]
loss = "end"
gradient = "never"
eigenvalues = "end"
trace = "end"
sharpness = "end"
density = "never"
line = "at 2, 4"
surface = "never"

[datasets.digits]
source = "digits"
"""

# Calls whose file or descriptor strace shows with its path.
TRACED = "%file,%desc"
# Calls that change something on the disk, or wait until it is there.
CHANGES = re.compile(r"^(write|pwrite64|fsync|fdatasync|ftruncate|flock|rename\w*|mkdir\w*|unlink\w*|rmdir|openat\(.*O_CREAT)\b")
# What a line of the trace must mention to be a place for a kill: the directory of the run.
OURS = re.compile(r"/run[/\">]")
CALL = re.compile(r"^(\w+)\(")
# The call that completes a checkpoint.
COMPLETES = re.compile(r"^rename\w*\(.*/step-\d+\"")

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    """CRC-32C, bit by bit as RFC 3720 has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def whole_checkpoints(run):
    """The folders below checkpoints/ that hold a whole checkpoint, whatever their names."""
    whole = []
    for folder in sorted((run / "checkpoints").glob("*")):
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            files = manifest["files"]
            sound = {"model.bpk", "optimiser.bpk", "method.bpk"} == set(files)
            for name, stored in files.items():
                data = (folder / name).read_bytes()
                sound = sound and len(data) == stored["length"] and crc32c(data) == stored["crc32c"]
        except (OSError, ValueError, KeyError):
            continue
        if sound:
            whole.append(folder.name)
    return whole


class Place:
    """A folder with the program's workspace, in which directories of runs are made."""

    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        (folder / "workspace.toml").write_text(WORKSPACE)
        self.count = 0

    def new(self, like=None):
        """A directory for a run, empty or a copy of another one."""
        self.count += 1
        run = self.folder / f"{self.count:05}" / "run"
        run.parent.mkdir()
        if like is not None and like.exists():
            shutil.copytree(like, run)
        return run

    def command(self, run, *flags):
        return [str(self.program), "train", "--output", str(run), *flags]

    def start(self, command):
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def end(self, command):
        """Exit code and standard error."""
        process = self.start(command)
        return process.wait(), process.stderr.read()

    def calls(self, run, flags):
        """The system calls of a run that change its directory up to its second checkpoint and from its last one on, in order: name,
        and the how manieth of that name it is; and how many of them come up to the first checkpoint."""
        log = run.parent / "trace"
        self.end(["strace", "-y", "-s", "4096", "-o", str(log), "-e", f"trace={TRACED}", *self.command(run, *flags)])
        before, places, completed = Counter(), [], []
        for line in log.read_text(errors="replace").splitlines():
            call = CALL.match(line)
            if call:
                before[call[1]] += 1
                if CHANGES.match(line) and OURS.search(line):
                    places.append((call[1], before[call[1]]))
                    if COMPLETES.match(line):
                        completed.append(len(places))
        # What is old is removed after the rename, before the next checkpoint begins.
        second, last = completed[min(2, len(completed) - 1)], completed[-1]
        return places[:second] + places[max(second, last - 25) :], completed[0]

    def kill(self, run, flags, call, number):
        """Runs until just before the given call, and kills. Whether the kill came before the end."""
        inject = f"inject={call}:signal=KILL:when={number}"
        code, _ = self.end(["strace", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, *self.command(run, *flags)])
        return code == -signal.SIGKILL or code == 128 + signal.SIGKILL


def summary(run):
    content = json.loads((run / "summary.json").read_text())
    del content["times"]
    return content


def stopped(place, at, how):
    """A run that was stopped when its checkpoint of a step had appeared."""
    run = place.new()
    process = place.start(place.command(run))
    while not (run / "checkpoints" / f"step-{at:08}").exists():
        if process.poll() is not None:
            sys.exit(f"the run ended before it could be stopped: {process.stderr.read()}")
    process.send_signal(how)
    process.communicate()
    return run


def states(place):
    """States of a run's directory, each with the flags that go on from there."""
    killed = stopped(place, 3, signal.SIGKILL)
    yield "killed", killed, ["--resume"]
    yield "not begun", place.new(), []
    yield "stopped by SIGTERM", stopped(place, 3, signal.SIGTERM), ["--resume"]
    steps = sorted(folder.name for folder in (killed / "checkpoints").glob("step-*"))
    damaged = place.new(killed)
    (damaged / "checkpoints" / steps[-1] / "model.bpk").write_bytes(b"cut")
    yield "newest checkpoint damaged", damaged, ["--resume"]
    unnamed = place.new(killed)
    for folder in (unnamed / "checkpoints").glob(".*"):
        shutil.rmtree(folder)
    (unnamed / "checkpoints" / steps[-1]).rename(unnamed / "checkpoints" / ".writing.partial")
    yield "complete under another name", unnamed, ["--resume"]
    finished = place.new()
    place.end(place.command(finished))
    yield "finished, overwritten", finished, ["--overwrite"]


def spread(places, count):
    """So many of the places, all of them if there are fewer, evenly spread."""
    if len(places) <= count:
        return places
    return [places[index * len(places) // count] for index in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300, metavar="N", help="kills at least, if there are so many places (default 300)")
    parser.add_argument("--program", type=Path, default=Path("target/release/landscape"), help="the program (default target/release/landscape)")
    options = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("strace is needed: install Debian's package of that name, say")
    began = time.monotonic()
    losses = []
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), options.program.resolve())
        whole = place.new()
        code, said = place.end(place.command(whole))
        if code != 0:
            sys.exit(f"the uninterrupted run fails: {said}")
        expected = summary(whole)
        every = list(states(place))
        rows, total, again_places = [], 0, []
        for number, (name, state, flags) in enumerate(every):
            # Every other directory is killed twice, which makes three kills of two places.
            wanted = -(-(options.kills - total) * 2 // (3 * (len(every) - number)))
            places, first = place.calls(place.new(state), flags)
            if name == "killed":
                again_places = places[:first]
            chosen = spread(places, max(wanted, 2))
            row = Counter(places=len(places), tried=len(chosen))
            for index, (call, count) in enumerate(chosen):
                run = place.new(state)
                kills = [(flags, call, count)] + ([(["--resume"], *again_places[index % len(again_places)])] if index % 2 else [])
                for step, (again, call, count) in enumerate(kills):
                    before = whole_checkpoints(run)
                    # An overwritten run is meant to lose its checkpoints, and one that was never begun has none.
                    kept = before and not (step == 0 and "--overwrite" in again)
                    if step and not (run / "run.json").exists():
                        again = []
                    hit = place.kill(run, again, call, count)
                    row["kills"] += hit
                    row["ended before"] += not hit
                    now = whole_checkpoints(run)
                    if kept and not now:
                        losses.append(f"{name}: no whole checkpoint after a kill before {call} {count}; before it {before}")
                    named = [one for one in now if one.startswith("step-")]
                    row["only under another name"] += bool(now) and not named
                begun = (run / "run.json").exists()
                code, said = place.end(place.command(run, *(["--resume"] if begun else [])))
                if code != 0:
                    losses.append(f"{name}: exit code {code} after a kill before {call} {count}: {said.strip()}")
                elif summary(run) != expected:
                    losses.append(f"{name}: another end after a kill before {call} {count}")
                else:
                    row["resumed to the same end"] += 1
                left = [path.name for path in run.rglob("*.partial")]
                if left:
                    losses.append(f"{name}: {left} left after a kill before {call} {count}")
                shutil.rmtree(run.parent)
            total += row["kills"]
            rows.append((name, row))
    columns = ["places", "tried", "kills", "ended before", "only under another name", "resumed to the same end"]
    width = max(len(name) for name, _ in rows)
    print(f"{'state':{width}}  " + "  ".join(columns))
    for name, row in rows:
        print(f"{name:{width}}  " + "  ".join(f"{row[column]:{len(column)}}" for column in columns))
    print(f"{total} kills in {time.monotonic() - began:.0f} s, {len(losses)} losses")
    for loss in losses:
        print(loss)
    return 1 if losses or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
