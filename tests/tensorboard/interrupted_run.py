#!/usr/bin/env python3
"""Trains with the program, kills it between two checkpoints, and lets it go on with --resume; twice, once before the first one.

The event files then hold steps that were written twice, which read_back.py --require-resumed looks at. Exit code 1 if no step
was, because the killed run had ended or the resumed one failed.

example:
  python tests/tensorboard/interrupted_run.py target/release/landscape runs/interrupted
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import records

EVERY = 40


def last_step(directory):
    """The last step whose values are in the event files; 0 where there is none."""
    files = sorted(directory.glob("*tfevents*")) if directory.is_dir() else []
    steps = [event.step for file in files for event in records.read_file(file).events if event.HasField("summary")]
    return max(steps, default=0)


def interrupt(program, directory, first, last):
    """A run that is killed at a step from `first` to `last` and then resumed to its end."""
    command = [program, "train", "--epochs", "3", "--hidden", "16", "--checkpoint-every", str(EVERY), "--output", str(directory)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    step = 0
    while run.poll() is None and not first <= step <= last:
        # It stands still while it is looked at, so that it is killed where it was seen.
        run.send_signal(signal.SIGSTOP)
        step = last_step(directory)
        if first <= step <= last:
            break
        run.send_signal(signal.SIGCONT)
        time.sleep(0.001)
    run.kill()
    if run.wait() != -signal.SIGKILL:
        sys.exit(f"error: the run ended with code {run.returncode} before it could be killed at a step from {first} to {last}")
    subprocess.run([*command, "--resume"], stdout=subprocess.DEVNULL, check=True)
    repeated = records.repeated_steps(records.read_run(directory)).get("loss/train")
    if not repeated:
        sys.exit(f"error: the run was killed after step {step}, and its resumed part repeats none")
    print(f"{directory}: killed after step {step}, steps {min(repeated)} to {max(repeated)} of loss/train were written again")


def main():
    program, directory = sys.argv[1], Path(sys.argv[2])
    interrupt(program, directory / "from-a-checkpoint", EVERY + 20, 2 * EVERY - 5)
    interrupt(program, directory / "from-the-start", 10, EVERY - 5)


if __name__ == "__main__":
    main()
