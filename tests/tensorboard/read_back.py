#!/usr/bin/env python3
"""Reads runs back with the real TensorBoard and compares every value with the bytes of the event files.

Four readers must agree, tag by tag, step by step, value by value:
  1. an independent parse of the records (records.py), which says what is in the files;
  2. the TensorBoard server with its data server, over HTTP;
  3. the TensorBoard server with its Python loader (--load_fast=false), over HTTP;
  4. the Python classes EventFileLoader and EventAccumulator, whose Scalars(tag) is what scripts and tbparse are built on: it
     must hold every scalar, no step twice, and the last values that summary.json tells.
The descriptions of tags, and the settings of runs with their status and metrics on the HParams page, must be those of the files.
If a run directory has a summary.json with an object "last_scalars": {tag: {"step": n, "value": x}}, then every scalar
tag must be in it or in the same object under "times", with its last step and its last value, which is x rounded to f32.

Prints what was compared. Exit code 1 with the list of differences, also when there is nothing to compare.
"""

import argparse
import io
import json
import math
import re
import sys
import tempfile
import time
import urllib.error
from collections import Counter
from pathlib import Path

from google.protobuf import json_format
from PIL import Image
from tensorboard import plugin_util
from tensorboard.backend.event_processing import event_accumulator, event_file_loader

import records
from server import HISTOGRAM_SAMPLES, Server, ServerError

EXAMPLE = """example:
  cargo run --release -p tensorboard --example sample -- runs/sample
  python tests/tensorboard/read_back.py runs/sample --expect scalars,histograms,images,text --require-summary
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="run directories, or directories that hold some")
    parser.add_argument("--expect", default="", metavar="KINDS", help=f"comma list of {', '.join(records.KINDS)}: each must be there")
    parser.add_argument("--require-summary", action="store_true", help="each run directory with scalars must have a summary.json")
    parser.add_argument("--require-resumed", action="store_true", help="each run must have been resumed from before steps that it had written")
    parser.add_argument("--deadline", type=float, default=120, metavar="SECONDS", help="how long a server may take to load everything (default 120)")
    options = parser.parse_args()
    options.expect = [kind for kind in options.expect.split(",") if kind]
    unknown = set(options.expect) - set(records.KINDS)
    if unknown:
        parser.error(f"--expect takes {', '.join(records.KINDS)}, not {', '.join(sorted(unknown))}")
    return options


def run_directories(paths):
    """Every directory at or below the paths that holds event files."""
    found = {path.parent.resolve() for top in paths for path in top.rglob("*tfevents*") if path.is_file()}
    return sorted(found)


def compare_series(where, plugin, points, shown, limit=None):
    """Differences between the points of the files and what a reader shows as (step, wall time, value)."""
    differences = []
    if limit is not None and len(points) > limit:
        # A page that samples shows some of the points, the last among them.
        by_step = {point.step: point for point in points}
        if len(shown) != limit or not shown or shown[-1][0] != points[-1].step:
            return [f"{where}: {len(shown)} points up to step {shown[-1][0] if shown else None}, expected {limit} up to {points[-1].step}"]
        points = [by_step[step] for step, _, _ in shown if step in by_step]
    if [point.step for point in points] != [step for step, _, _ in shown]:
        return [f"{where}: {len(shown)} points at steps {_short([s for s, _, _ in shown])}, expected {len(points)} at {_short([p.step for p in points])}"]
    for point, (step, wall_time, value) in zip(points, shown):
        if wall_time != point.wall_time:
            differences.append(f"{where} step {step}: wall time {wall_time}, expected {point.wall_time}")
        if plugin == "scalars":
            same = records.same_number(value, point.value)
        else:
            same = value == point.value
        if not same:
            differences.append(f"{where} step {step}: {_short(value)}, expected {_short(point.value)}")
    return differences


def _short(thing):
    text = repr(thing)
    return text if len(text) <= 120 else text[:100] + f".. ({len(text)} characters)"


def check_pictures(where, points):
    """Each picture of the files is a PNG that decodes to the stated size."""
    differences = []
    for point in points:
        for png in point.value:
            try:
                with Image.open(io.BytesIO(png)) as picture:
                    picture.load()
                    if picture.format != "PNG" or picture.size != point.size:
                        differences.append(f"{where} step {point.step}: {picture.format} of {picture.size}, stated {point.size}")
            except Exception as error:  # Pillow raises many kinds for broken files
                differences.append(f"{where} step {point.step}: the picture does not decode ({error})")
    return differences


def compare_server(server, runs, expectation):
    """Differences between all that a server shows and the expectation of each run; runs are named by number."""
    differences = []
    for plugin in records.KINDS:
        if plugin == "custom_scalars":
            differences += compare_layout(server, runs, expectation)
            continue
        tags = server.tags(plugin)
        for name, run in runs.items():
            mine = {tag: points for (kind, tag), points in expectation[name].items() if kind == plugin and points}
            shown = tags.get(name, {})
            for tag in sorted(set(mine) ^ set(shown)):
                # A tag all of whose points were superseded may still be listed.
                if tag in mine or server.series(plugin, name, tag, shown[tag]):
                    differences.append(f"{run.directory} {plugin}/{tag}: {'missing' if tag in mine else 'not in the files'}")
            for tag in sorted(set(mine) & set(shown)):
                points = mine[tag]
                if plugin == "text":
                    render = plugin_util.markdown_to_safe_html
                    points = [records.Point(p.step, p.wall_time, render(p.value.decode())) for p in points]
                if plugin == "pr_curves":
                    points = [records.Point(p.step, p.wall_time, records.shown_curve(p.value)) for p in points]
                limit = HISTOGRAM_SAMPLES if plugin == "histograms" else None
                series = server.series(plugin, name, tag, shown[tag])
                differences += compare_series(f"{run.directory} {plugin}/{tag}", plugin, points, series, limit)
    return differences


def compare_layout(server, runs, expectation):
    """Differences between the charts of the page Custom Scalars, with their series, and those that the runs tell."""
    expected = {}
    for name in sorted(runs):
        layout = records.layout(runs[name])
        for category in layout.category if layout else []:
            charts = expected.setdefault(category.title, [])
            charts += [chart for chart in map(json_format.MessageToDict, category.chart) if chart not in charts]
    shown = server.layout()
    if shown != expected:
        return [f"custom scalars: the charts are {_short(shown)}, expected {_short(expected)}"]
    differences = []
    for chart in [chart for charts in expected.values() for chart in charts]:
        series = [tag for one in chart.get("margin", {}).get("series", []) for tag in one.values()]
        patterns = chart.get("multiline", {}).get("tag", []) + [re.escape(tag) + "$" for tag in series]
        for name, run in runs.items():
            for pattern in patterns:
                found = server.matching(name, pattern)
                wanted = {tag: points for (plugin, tag), points in expectation[name].items() if plugin == "scalars" and points and re.match(pattern, tag)}
                for tag in sorted(set(found) | set(wanted)):
                    differences += compare_series(f"{run.directory} chart {chart['title']} {tag}", "scalars", wanted.get(tag, []), found.get(tag, []))
    return differences


def compare_descriptions(server, runs):
    """Differences between the descriptions that a server shows and those of the first value of each tag."""
    differences = []
    # The text plugin shows none.
    for plugin in ("scalars", "histograms", "images"):
        tags = server.tags(plugin)
        for name, run in runs.items():
            expected = records.descriptions(run)
            for tag, information in tags.get(name, {}).items():
                markdown = expected.get((plugin, tag), "")
                if information["description"] != plugin_util.markdown_to_safe_html(markdown):
                    differences.append(f"{run.directory} {plugin}/{tag}: the description is {_short(information['description'])}, expected {_short(markdown)}")
    return differences


def compare_hparams(server, runs, expectation):
    """Differences between the rows of the HParams page and what the runs tell of themselves."""
    told = {name: records.hparams(run) for name, run in runs.items()}
    expected = {name: records.session(said) for name, said in told.items() if "session_start_info" in said}
    if not expected:
        return []
    shown = server.sessions()
    differences = [f"{runs[name].directory} hparams: {'missing' if name in expected else 'not in the files'}" for name in sorted(set(shown) ^ set(expected))]
    # The columns are those of any run that has some; else every scalar of the runs.
    chosen = [said["experiment"] for said in told.values() if "experiment" in said]
    settings, metrics = server.columns()
    columns = [([info.name for info in one.hparam_infos], [info.name.tag for info in one.metric_infos]) for one in chosen]
    if columns and (settings, metrics) not in columns:
        differences.append(f"hparams: the columns are {settings} and {metrics}, expected one of {_short(columns)}")
    for name in sorted(set(shown) & set(expected)):
        row, wanted = shown[name], expected[name]
        series = {tag: points[-1] for (plugin, tag), points in expectation[name].items() if plugin == "scalars" and points}
        for key in ("settings", "status", "start", "end"):
            if row[key] != wanted[key]:
                differences.append(f"{runs[name].directory} hparams: {key} {_short(row[key])}, expected {_short(wanted[key])}")
        for tag in sorted(set(metrics) & set(series)):
            step, value = row["metrics"].get(tag, (None, None))
            if step != series[tag].step or not records.same_number(float(value), series[tag].value):
                differences.append(f"{runs[name].directory} hparams: metric {tag} is {value} at step {step}, expected {series[tag].value} at {series[tag].step}")
    return differences


def wait_for(server, runs, expectation, deadline):
    """Asks until everything is loaded and agrees twice, a reload apart; else the differences that remain."""
    end = time.monotonic() + deadline
    last, agreed, unchanged_since = None, 0, time.monotonic()
    while True:
        try:
            differences = compare_server(server, runs, expectation) + compare_descriptions(server, runs)
            differences += compare_hparams(server, runs, expectation)
        except (urllib.error.URLError, ValueError) as error:
            differences = [f"the server does not answer: {error}"]
        agreed = 0 if differences else agreed + 1
        if agreed == 2:
            return []
        now = time.monotonic()
        if differences != last:
            last, unchanged_since = differences, now
        # Loading goes on while the differences change; ten quiet reloads mean that it is over.
        if differences and (now > end or now - unchanged_since > 15):
            return differences
        time.sleep(1.5)


def copy_run(run, target):
    """Copies the event files as they were when they were parsed, in case the run goes on."""
    target.mkdir()
    for file in run.files:
        (target / file.path.name).write_bytes(file.path.read_bytes()[: file.size])


def compare_python_classes(run, copy):
    """Differences between the files and EventFileLoader (raw events) and EventAccumulator (series)."""
    differences = []
    as_bytes = lambda events: [event.SerializeToString(deterministic=True) for event in events]
    for file in run.files:
        loaded = list(event_file_loader.LegacyEventFileLoader(str(copy / file.path.name)).Load())
        if as_bytes(loaded) != as_bytes(file.events):
            differences.append(f"{file.path}: EventFileLoader gives {len(loaded)} events, the file has {len(file.events)} or others")
    expectation = records.expected(run, "accumulator")
    accumulator = event_accumulator.EventAccumulator(str(copy), size_guidance=event_accumulator.STORE_EVERYTHING_SIZE_GUIDANCE)
    accumulator.Reload()
    tags = accumulator.Tags()
    for (plugin, tag), points in expectation.items():
        where = f"{run.directory} EventAccumulator {plugin}/{tag}"
        if tag not in tags["scalars" if plugin == "scalars" else "tensors"]:
            if points:
                differences.append(f"{where}: missing")
            continue
        if plugin == "scalars":
            shown = [(e.step, e.wall_time, e.value) for e in accumulator.Scalars(tag)]
            twice = sorted(step for step, count in Counter(step for step, _, _ in shown).items() if count > 1)
            if twice:
                differences.append(f"{where}: the steps {_short(twice)} stand there more than once")
        else:
            shown = [(e.step, e.wall_time, records.decode_tensor(plugin, e.tensor_proto)[0]) for e in accumulator.Tensors(tag)]
        differences += compare_series(where, plugin, points, shown)
    # As the first script of a user does it: no setting, and the last value of each scalar.
    plain = event_accumulator.EventAccumulator(str(copy)).Reload()
    last = {tag: plain.Scalars(tag)[-1] for tag in plain.Tags()["scalars"]}
    differences += compare_summary(run, "EventAccumulator.Scalars", {tag: (event.step, event.value) for tag, event in last.items()})
    return differences


def last_scalars(run):
    """{tag: (step, value)} of the last scalars that summary.json tells; none where it is missing or of another form."""
    path = run.directory / "summary.json"
    if not path.exists():
        return None
    summary = json.loads(path.read_text())
    # What differs between two equal runs, the costs, stands apart under "times".
    told = summary["last_scalars"] | summary.get("times", {}).get("last_scalars", {})
    return {tag: (entry["step"], records.nearest_f32(entry["value"])) for tag, entry in told.items()}


def compare_summary(run, who, last):
    """Differences between summary.json, where there is one, and the last step and value of each scalar that some reader gives."""
    path = run.directory / "summary.json"
    try:
        told = last_scalars(run)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [f'{path}: no object "last_scalars" of {{"step", "value"}} ({error!r})']
    if told is None:
        return []
    differences = [f"{path}: scalar {tag} is missing, {who} has it" for tag in sorted(set(last) - set(told))]
    differences += [f"{path}: scalar {tag} is not in {who}" for tag in sorted(set(told) - set(last))]
    for tag in sorted(set(told) & set(last)):
        step, value = told[tag]
        last_step, last_value = last[tag]
        same = not math.isfinite(last_value) if value is None else records.same_number(value, last_value)
        if step != last_step or not same:
            differences.append(f"{path}: scalar {tag} is {value} at step {step}, {who} ends with {last_value} at step {last_step}")
    return differences


def compare_files_with_summary(run, required):
    """Differences between summary.json and the event files."""
    series = {tag: points for (plugin, tag), points in records.expected(run, "data_server").items() if plugin == "scalars"}
    # Pictures of several runs in one frame belong to no run of their own.
    if required and series and not (run.directory / "summary.json").exists():
        return [f"{run.directory / 'summary.json'}: missing"]
    return compare_summary(run, "the event files", {tag: (points[-1].step, points[-1].value) for tag, points in series.items()})


def report(run, expectation):
    """One line for a run: what there is to compare."""
    counts = {kind: [0, 0] for kind in records.KINDS}
    for (plugin, _), points in expectation.items():
        counts[plugin][0] += 1
        counts[plugin][1] += len(points)
    parts = [f"{kind} {points} points of {tags} tags" for kind, (tags, points) in counts.items() if tags]
    described = sum(1 for (plugin, _), text in records.descriptions(run).items() if text and plugin in records.KINDS)
    parts += [f"{described} descriptions"] if described else []
    said = records.hparams(run)
    parts += [f"{len(said['session_start_info'].hparams)} settings"] if "session_start_info" in said else []
    parts += [f"not read back: {count} values of plugin {plugin or '(none)'}" for plugin, count in run.others.items() if plugin != "hparams"]
    parts += [f"{file.path.name} is cut after byte {file.good_bytes}" for file in run.files if file.truncated]
    print(f"{run.directory}: {len(run.files)} files; " + "; ".join(parts))
    return {kind for kind, (tags, _) in counts.items() if tags}


def compare_readers(runs, deadline):
    """Differences between the files and each reader of TensorBoard."""
    differences = []
    if not runs:
        return differences
    # TensorBoard reads a copy under short names, which no live run changes meanwhile.
    with tempfile.TemporaryDirectory() as copies:
        for name, run in runs.items():
            copy_run(run, Path(copies) / name)
            differences += compare_python_classes(run, Path(copies) / name)
        for label, fast, loader in (("data server", True, "data_server"), ("Python loader", False, "python")):
            expectation = {name: records.expected(run, loader) for name, run in runs.items()}
            began = time.monotonic()
            try:
                with Server(copies, fast) as server:
                    found = wait_for(server, runs, expectation, deadline)
            except ServerError as error:
                found = [str(error)]
            differences += [f"{label}: {difference}" for difference in found]
            print(f"{label}: {'agrees' if not found else f'{len(found)} differences'} ({time.monotonic() - began:.1f} s)")
    return differences


def main():
    options = arguments()
    differences = [f"{path}: no such directory" for path in options.runs if not path.is_dir()]
    runs = {f"run{number:04}": records.read_run(path) for number, path in enumerate(run_directories(options.runs))}
    if not runs:
        differences.append("no event files found")
    kinds, scalars = set(), 0
    for run in runs.values():
        differences += [f"{run.directory}: {fault}" for fault in run.faults]
        if run.faults:
            continue
        expectation = records.expected(run, "data_server")
        kinds |= report(run, expectation)
        scalars += sum(len(points) for (plugin, _), points in expectation.items() if plugin == "scalars")
        if not expectation:
            differences.append(f"{run.directory}: no tag in the event files")
        for (plugin, tag), points in expectation.items():
            if plugin == "images":
                differences += check_pictures(f"{run.directory} images/{tag}", points)
        differences += compare_files_with_summary(run, options.require_summary)
        repeated = records.repeated_steps(run)
        if repeated:
            print(f"{run.directory}: resumed; {sum(map(len, repeated.values()))} points of {len(repeated)} scalars were written again")
        elif options.require_resumed:
            differences.append(f"{run.directory}: no step was written again, so nothing is shown about a resumed run")
    if not scalars:
        differences.append("no scalar found")
    differences += [f"no {kind} found, but they were expected" for kind in options.expect if kind not in kinds]
    differences += compare_readers({name: run for name, run in runs.items() if not run.faults}, options.deadline)
    for difference in differences:
        print(f"DIFFERENCE {difference}", file=sys.stderr)
    print("all readers agree" if not differences else f"{len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
