"""A real TensorBoard on a free loopback port, asked over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

# More than any series here; by default TensorBoard shows a random sample of a long series.
SAMPLES = "scalars=10000000,histograms=1000000,images=1000000,text=1000000,mesh=1000000,pr_curves=1000000"
# What the histogram page itself samples down to, whatever SAMPLES says.
HISTOGRAM_SAMPLES = 51


class ServerError(Exception):
    """TensorBoard did not start or did not answer."""


class Server:
    """`with Server(logdir, fast=True) as server:` starts it, and stops it at the end."""

    def __init__(self, logdir, fast, start_seconds=90):
        self.logdir, self.fast, self.start_seconds = logdir, fast, start_seconds
        # No proxy may stand between us and the loopback device.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = tempfile.TemporaryFile("w+")
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(self.logdir), "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--reload_interval", "1", "--samples_per_plugin", SAMPLES]
        # `true` ends the program if the data server cannot be used; `auto` would fall back in silence.
        command += ["--load_fast", "true" if self.fast else "false"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + self.start_seconds
        try:
            while True:
                if self.process.poll() is not None:
                    raise ServerError(f"TensorBoard ended with code {self.process.returncode}:\n{self.output()}")
                try:
                    self.get("data/runs")
                    return self
                except (OSError, ValueError) as error:
                    if time.monotonic() > deadline:
                        raise ServerError(f"no answer in {self.start_seconds} s ({error}):\n{self.output()}") from error
                    time.sleep(0.2)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        # The session of its own holds the data server too.
        for end in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, end)
            except ProcessLookupError:
                break
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
        self.process.wait()
        self.log.close()

    def output(self):
        """The end of what it printed."""
        self.log.seek(0)
        return self.log.read()[-3000:]

    def bytes(self, path, **query):
        """The body of a GET."""
        url = f"http://127.0.0.1:{self.port}/{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        with self.opener.open(url, timeout=60) as answer:
            return answer.read()

    def get(self, path, **query):
        """The decoded JSON of a GET."""
        return json.loads(self.bytes(path, **query))

    def tags(self, plugin):
        """{run: {tag: information}} of a plugin."""
        if plugin == "custom_scalars":
            # Its page has no tags: `layout` is what it shows.
            return {}
        answer = self.get(f"data/plugin/{plugin}/tags")
        if plugin == "mesh":
            return {run: self.parts(run, tags) for run, tags in answer.items()}
        # The text plugin lists names only.
        return {run: tags if isinstance(tags, dict) else {tag: {} for tag in tags} for run, tags in answer.items()}

    def parts(self, run, tags):
        """{tag of a part: what to ask for it} of the meshes of a run."""
        kinds = {1: "VERTEX", 2: "FACE", 3: "COLOR"}
        parts = {}
        for tag in tags:
            rows = self.get("data/plugin/mesh/meshes", run=run, tag=tag)
            for number in {row["content_type"] for row in rows}:
                steps = [(row["step"], row["wall_time"]) for row in rows if row["content_type"] == number]
                parts[f"{tag}_{kinds[number]}"] = {"tag": tag, "content_type": kinds[number], "steps": steps}
        return parts

    def layout(self):
        """The charts of the page Custom Scalars: {category: [chart]}."""
        answer = self.get("data/plugin/custom_scalars/layout")
        return {category["title"]: category.get("chart", []) for category in answer.get("category", [])}

    def matching(self, run, pattern):
        """{tag: [(step, wall time, value)]} of the scalars that a chart of the page Custom Scalars finds in a run."""
        answer = self.get("data/plugin/custom_scalars/scalars", run=run, tag=pattern)
        rows = answer["tag_to_events"].items()
        return {tag: [(step, time_, float(value)) for time_, step, value in series] for tag, series in rows}

    def series(self, plugin, run, tag, information):
        """[(step, wall time, value)] of a tag, as the page of the plugin gets it."""
        if plugin == "scalars":
            rows = self.get("data/plugin/scalars/scalars", run=run, tag=tag)
            return [(step, time_, float(value)) for time_, step, value in rows]
        if plugin == "histograms":
            rows = self.get("data/plugin/histograms/histograms", run=run, tag=tag)
            return [(step, time_, value) for time_, step, value in rows]
        if plugin == "text":
            rows = self.get("data/plugin/text/text", run=run, tag=tag)
            return [(row["step"], row["wall_time"], row["text"]) for row in rows]
        if plugin == "mesh":
            ask = {"run": run, "tag": information["tag"], "content_type": information["content_type"], "sample": 0}
            return [(step, time_, self.bytes("data/plugin/mesh/data", step=step, **ask)) for step, time_ in information["steps"]]
        if plugin == "pr_curves":
            names = ["true_positives", "false_positives", "true_negatives", "false_negatives", "precision", "recall"]
            rows = self.get("data/plugin/pr_curves/pr_curves", run=run, tag=tag)[run]
            return [(row["step"], row["wall_time"], [row[name] for name in names]) for row in rows]
        pictures = {}
        for sample in range(information["samples"]):
            for row in self.get("data/plugin/images/images", run=run, tag=tag, sample=sample):
                png = self.bytes("data/plugin/images/individualImage?" + row["query"])
                pictures.setdefault((row["step"], row["wall_time"]), []).append(png)
        return [(step, time_, value) for (step, time_), value in sorted(pictures.items())]

    def sessions(self, order=None):
        """The rows of the HParams page in order, {run: {settings, status, start, end, metrics}}, sorted by the setting `order`."""
        statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
        columns = [{"hparam": order, "order": "ORDER_ASC"}] if order else []
        request = {"startIndex": 0, "sliceSize": 100000, "allowedStatuses": statuses, "colParams": columns}
        answer = self.get("data/plugin/hparams/session_groups", request=json.dumps(request))
        rows = {}
        for group in answer["sessionGroups"]:
            for session in group["sessions"]:
                rows[session["name"]] = {
                    "settings": group["hparams"],
                    "status": session["status"],
                    "start": session["startTimeSecs"],
                    "end": session["endTimeSecs"],
                    "metrics": {metric["name"]["tag"]: (metric["trainingStep"], metric["value"]) for metric in session["metricValues"]},
                }
        return rows

    def columns(self):
        """The columns of the HParams page: names of settings, and tags of metrics."""
        answer = self.get("data/plugin/hparams/experiment", request="{}")
        return [info["name"] for info in answer["hparamInfos"]], [info["name"]["tag"] for info in answer["metricInfos"]]
