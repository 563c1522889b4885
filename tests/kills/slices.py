#!/usr/bin/env python3
"""Kills `landscape surface` at random moments and before writes, and looks at what is left.

A surface that is killed again and again, each time at a random moment of its work or before a random one of the system calls that
write its file, is resumed until it is complete, a surface at most 20 times. After each kill the file is read by this script's own reader: its first line and
all whole records must have their checksums, and no point that was recorded may be gone. In the end its values must be those of a
surface that was never interrupted, bit for bit. A file with a changed byte must be refused in one sentence, and stay as it is.

Needs Linux and strace. Prints a table. Exit code 1 if anything was lost.
"""

import argparse
import json
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kills import WORKSPACE, crc32c

EXAMPLE = """example:
  cargo build --release
  python3 tests/kills/slices.py --surfaces 5
"""

# Kills of each surface: so many at random moments, and so many before a system call that writes the file.
MOMENTS, WRITES = 12, 8


def records(path):
    """The first line, and the records by point; anything that is not as the format says ends the script."""
    line, end, content = path.read_bytes().partition(b"\n")
    if not end:
        return line, {}
    form, checksum, text = line.split(b" ", 2)
    assert form == b"landscape-slice/1" and int(checksum, 16) == crc32c(text), "the first line is damaged"
    layout = struct.Struct(f"<I{len(json.loads(text)['quantities'])}QI")
    whole = content[: len(content) // layout.size * layout.size]
    found = {}
    for place in range(0, len(whole), layout.size):
        record = whole[place : place + layout.size]
        index, *bits, checksum = layout.unpack(record)
        assert checksum == crc32c(record[:-4]), f"record at {place} is damaged"
        assert found.setdefault(index, bits) == bits, f"point {index} is recorded twice"
    return line, found


class Surfaces:
    """A small trained run, and surfaces of it."""

    def __init__(self, folder, program, side):
        self.folder, self.program, self.side = folder, program, side
        (folder / "workspace.toml").write_text(WORKSPACE)
        self.ended([str(program), "train", "--output", "run"])

    def command(self, output, *flags):
        return [str(self.program), "surface", "run", "--output", str(output), "--grid", str(self.side), "--examples", "512", *flags]

    def start(self, command):
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def ended(self, command):
        process = self.start(command)
        _, said = process.communicate()
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} fails: {said}")

    def file(self, output):
        files = list((self.folder / output).glob("*.slice"))
        return files[0] if files else None

    def recorded(self, output):
        file = self.file(output)
        return records(file)[1] if file else {}

    def kill_at_a_moment(self, output, points, pause):
        """Waits until so many points more are recorded, then for a while, and kills; whether it came before the end."""
        before = self.size(output)
        process = self.start(self.command(output))
        while process.poll() is None and self.size(output) < before + points:
            time.sleep(0.0005)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def size(self, output):
        """Points in the file, by its length: 24 bytes for each of two quantities."""
        file = self.file(output)
        content = file.read_bytes() if file else b""
        end = content.find(b"\n")
        return (len(content) - end - 1) // 24 if end >= 0 else 0

    def kill_before_a_write(self, output, number):
        """Kills before the write with this number, counted from the program's start."""
        inject = f"inject=write:signal=KILL:when={number}"
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e", inject, *self.command(output)]
        process = self.start(command)
        process.communicate()
        return process.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)

    def damaged(self, output, copy, draw):
        """What is wrong with the answer to a copy of a surface in which one byte of the file is another."""
        shutil.copytree(self.folder / output, self.folder / copy)
        file = self.file(copy)
        content = bytearray(file.read_bytes())
        # Whole records alone: a piece at the end counts as nothing.
        content[draw.randrange(len(content) - 24)] ^= 1
        file.write_bytes(content)
        process = self.start(self.command(copy))
        _, said = process.communicate()
        if process.returncode == 0 or "is damaged" not in said or file.read_bytes() != content:
            return [f"{copy}: a damaged file is not refused as it should be: {said}"]
        return []


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surfaces", type=int, default=5, metavar="N", help=f"surfaces, each killed {MOMENTS + WRITES} times (default 5)")
    parser.add_argument("--side", type=int, default=71, metavar="N", help="points along each side (default 71)")
    parser.add_argument("--program", type=Path, default=Path("target/release/landscape"), help="the program (default target/release/landscape)")
    options = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("strace is needed: install Debian's package of that name, say")
    began, losses, kills, late, recorded_kills = time.monotonic(), [], 0, 0, 0
    draw = random.Random(13)
    with tempfile.TemporaryDirectory() as folder:
        surfaces = Surfaces(Path(folder), options.program.resolve(), options.side)
        surfaces.ended(surfaces.command("whole"))
        line, expected = records(surfaces.file("whole"))
        for number in range(options.surfaces):
            output = f"killed-{number}"
            ways = ["moment"] * MOMENTS + ["write"] * WRITES
            draw.shuffle(ways)
            step = max(len(expected) // (2 * len(ways)), 1)
            for way in ways:
                before = surfaces.recorded(output)
                if way == "moment":
                    hit = surfaces.kill_at_a_moment(output, draw.randrange(step), draw.random() * 0.02)
                else:
                    hit = surfaces.kill_before_a_write(output, draw.randrange(1, 4 * step))
                kills, late = kills + hit, late + (not hit)
                if not hit:
                    break
                after = surfaces.recorded(output)
                recorded_kills += bool(hit and after)
                if any(after.get(index) != bits for index, bits in before.items()):
                    losses.append(f"{output}: points that were recorded are gone or others after a kill at a {way}")
            else:
                losses.extend(surfaces.damaged(output, f"damaged-{number}", draw))
                surfaces.ended(surfaces.command(output))
            if records(surfaces.file(output)) != (line, expected):
                losses.append(f"{output}: other values than of the surface that was not interrupted")
        print(f"{len(expected)} points; {kills} kills, {recorded_kills} of them with points recorded, {late} too late")
    print(f"{time.monotonic() - began:.0f} s, {len(losses)} losses")
    for loss in losses:
        print(loss)
    return 1 if losses or kills == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
