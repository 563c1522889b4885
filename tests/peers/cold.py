"""Cold start: from the start of a process to the largest eigenvalue, with a residual of 1e-3 of it.

As a program, cold.py CASE FOLDER THREADS STEPS is the Python side: import, load, one run of Lanczos.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import processor

TOLERANCE = 1e-3


def first(case, folder, threads, steps):
    import torch

    torch.set_num_threads(threads)
    import torch.nn.functional as F
    from hessian_eigenthings import HessianOperator, lanczos, supervised_loss

    from theirs import Theirs

    theirs = Theirs(case, folder)
    size = len(theirs.labels)
    operator = HessianOperator(theirs.model, theirs.batches(size), supervised_loss(F.cross_entropy))
    # Where the steps are not known yet, they are doubled until they suffice.
    found, most = None, steps or 4
    while True:
        found = lanczos(operator, k=1, max_iter=most, tol=TOLERANCE, which="LA", seed=0)
        if steps or found.converged.all():
            break
        most += 1
    return {"value": found.eigenvalues[0].item(), "steps": most}


def timed(command, environment):
    began = time.perf_counter()
    answer = json.loads(subprocess.check_output(command, text=True, env=environment))
    return time.perf_counter() - began, answer


def compare(peer, case, folder, batches, threads, rounds):
    """Seconds of both sides, alternated, after one start of each that is not counted."""
    environment = processor.environment(False, threads)
    ours = [peer, "first", case, folder, str(batches), str(TOLERANCE)]
    theirs = [sys.executable, str(Path(__file__)), case, folder, str(threads)]
    # How many steps suffice is found out beforehand.
    steps = timed([*theirs, "0"], environment)[1]["steps"]
    theirs.append(str(steps))
    value = timed(ours, environment)[1]["values"][0]
    seconds = {"ours": [], "theirs": []}
    for _ in range(rounds):
        seconds["ours"].append(timed(ours, environment)[0])
        time_taken, found = timed(theirs, environment)
        seconds["theirs"].append(time_taken)
        if not abs(found["value"] / value - 1) < 2e-3:
            sys.exit(f"{case}: cold, the sides disagree on the largest eigenvalue: {found['value']} and {value}")
    medians = {side: statistics.median(values) for side, values in seconds.items()}
    return {"case": case, **medians, "ratio": medians["ours"] / medians["theirs"]}


if __name__ == "__main__":
    case, folder, threads, steps = sys.argv[1:]
    print(json.dumps(first(case, folder, int(threads), int(steps))))
