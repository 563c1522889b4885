"""Seconds of jobs that alternate in one run."""

import statistics
import time

# Seconds before a job is timed.
SETTLE = 0.3
# What a round takes at least, in seconds.
ROUND = 0.25


def seconds(job, times):
    """Mean seconds of a job over so many times, after a tenth of them; a long job needs no warming up."""
    for _ in range(max(1, times // 10) if times > 1 else 0):
        job()
    began = time.perf_counter()
    for _ in range(times):
        job()
    return (time.perf_counter() - began) / times


def once(job):
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def times_for(estimate):
    """How often a job is repeated within a round."""
    return max(1, min(1000, round(ROUND / estimate)))


def fastest(job_of, candidates, rounds=2):
    """The candidate whose job is fastest, with the seconds of each tried."""
    tried = {}
    for candidate in candidates:
        job = job_of(candidate)
        first = once(job)
        times = max(1, times_for(first) // 4)
        tried[candidate] = min(seconds(job, times) for _ in range(rounds))
    return min(tried, key=tried.get), tried


def alternated(jobs, rounds):
    """Median seconds of each job, one of each in turn; a job is a function that gives its seconds.

    The threads of the side that has just run may spin for a while before they sleep, and caches are the other
    side's: each job waits for that, and runs a tenth of its times before it is timed.
    """
    found = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            time.sleep(SETTLE)
            found[name].append(job())
    return {name: statistics.median(values) for name, values in found.items()}
