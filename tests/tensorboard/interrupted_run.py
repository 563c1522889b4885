#!/usr/bin/env python3
"""Trains with the program, kills it between two checkpoints, and lets it go on with --resume.

The event files then hold steps that were written twice, which read_back.py --require-resumed looks at. Exit code 1 if no step
was, because the killed run had ended or the resumed one failed.

example:
  python tests/tensorboard/interrupted_run.py target/release/landscape runs/resumed
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import records

EVERY = 20


def last_step(directory):
    """The last step whose training loss is in the event files; 0 where there is none."""
    files = sorted(directory.glob("*tfevents*")) if directory.is_dir() else []
    steps = [event.step for file in files for event in records.read_file(file).events if event.HasField("summary")]
    return max(steps, default=0)


def main():
    program, directory = sys.argv[1], Path(sys.argv[2])
    command = [program, "train", "--epochs", "3", "--hidden", "16", "--checkpoint-every", str(EVERY), "--output", str(directory)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None:
        # It stands still while it is looked at, so it cannot reach the next checkpoint meanwhile.
        run.send_signal(signal.SIGSTOP)
        step = last_step(directory)
        if step > EVERY and step % EVERY >= 5:
            break
        run.send_signal(signal.SIGCONT)
        time.sleep(0.001)
    run.kill()
    if run.wait() != -signal.SIGKILL:
        sys.exit(f"error: the run ended with code {run.returncode} before it could be killed")
    subprocess.run([*command, "--resume"], stdout=subprocess.DEVNULL, check=True)
    repeated = records.repeated_steps(records.read_run(directory))
    if not repeated.get("loss/train"):
        sys.exit(f"error: the run was killed after step {step}, and its resumed part repeats none")
    print(f"killed after step {step}, resumed from step {min(repeated['loss/train']) - 1}")


if __name__ == "__main__":
    main()
