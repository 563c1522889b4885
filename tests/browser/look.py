"""Opens runs in the real TensorBoard and in a report, in headless Chromium, and checks what is shown.

    python tests/browser/look.py RUNS REPORT --pictures FOLDER

RUNS is a folder with runs of the program, such as runs/quickstart, and REPORT the page that `landscape report` wrote about
them. Screenshots go into FOLDER. Every check is first made where it must fail: on runs and pages that show nothing.
"""

import argparse
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tensorboard"))

import report_page
import tensorboard_pages
from browser import Unseen, check, chromium
from server import Server


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=pathlib.Path)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    runs = sorted(path.parent.name for path in arguments.runs.glob("*/summary.json"))
    check(runs, f"{arguments.runs} has no finished run")
    with chromium() as browser, tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        begin = time.monotonic()
        notices(browser, arguments.report, scratch, runs)
        nothing_in_tensorboard(browser, scratch, runs)
        print(f"the checks notice what is missing ({time.monotonic() - begin:.0f} s)")
        begin = time.monotonic()
        print(f"report: {report_page.look(browser, arguments.report, arguments.pictures, runs)} ({time.monotonic() - begin:.0f} s)")
        for fast in (True, False):
            begin = time.monotonic()
            with Server(arguments.runs, fast) as server:
                seen = tensorboard_pages.look(browser, server, arguments.pictures, runs)
            loader = "data server" if fast else "Python loader"
            print(f"TensorBoard, {loader}: {seen} ({time.monotonic() - begin:.0f} s)")


# Pages made from the report that lack one thing, and what must be said of each.
SPOILED = {
    "asks for": [("default-src 'none'; ", ""), ("img-src data:; ", ""), ("<main", '<img src="http://127.0.0.1:9/x.png"><main')],
    "complains": [("const data = JSON.parse", "throw new Error('spoiled'); const data = JSON.parse")],
    "charts with curves": [('class="l c', 'class="gone c')],
    "is not drawn": [("context.drawImage(sheet, 0, 0, wide, tall);", "")],
    "does not turn": [("view.azimuth += azimuth;", ""), ("view.elevation + elevation", "view.elevation")],
    "button of the theme": [('root.dataset.theme = now === "dark"', 'root.dataset.other = now === "dark"')],
    "scrolls sideways": [("<main", '<div style="width:420px">wide</div><main')],
    "without scripts there is no surface": [('class="still"', 'class="still" hidden')],
}


def notices(browser, report, scratch, runs):
    """Proves that the checks of the report notice a page that lacks something."""
    page = report.read_text(encoding="utf-8")
    for sentence, changes in SPOILED.items():
        spoiled = page
        for before, after in changes:
            check(before in spoiled, f"the report has no {before!r} that could be spoiled")
            spoiled = spoiled.replace(before, after)
        path = scratch / "spoiled.html"
        path.write_text(spoiled, encoding="utf-8")
        try:
            if sentence == "scrolls sideways":
                report_page.phone(browser, path, scratch)
            elif sentence.startswith("without scripts"):
                report_page.without_scripts(browser, path, scratch)
            else:
                report_page.look(browser, path, scratch, runs)
        except Unseen as unseen:
            check(sentence in str(unseen), f"{sentence!r} was to be said of a spoiled page, not {unseen}")
            continue
        raise Unseen(f"nothing was noticed on a page of which {sentence!r} holds")


def nothing_in_tensorboard(browser, scratch, runs):
    """Proves that the checks of TensorBoard notice a run in which nothing was recorded."""
    logdir = scratch / "empty"
    for run in runs:
        (logdir / run).mkdir(parents=True)
        # A name of an event file, and no record.
        (logdir / run / "events.out.tfevents.1700000000.host.1.0").write_bytes(b"")
    patience, tensorboard_pages.PATIENCE = tensorboard_pages.PATIENCE, 4_000
    try:
        with Server(logdir, fast=False) as server:
            for name in ("timeseries", "images", "text", "hparams", "custom_scalars", "mesh"):
                try:
                    tensorboard_pages.look(browser, server, scratch, runs, only=[name])
                except Unseen:
                    continue
                raise Unseen(f"nothing was noticed on TensorBoard's page {name} of empty runs")
    finally:
        tensorboard_pages.PATIENCE = patience


if __name__ == "__main__":
    try:
        main()
    except Unseen as unseen:
        sys.exit(f"error: {unseen}")
