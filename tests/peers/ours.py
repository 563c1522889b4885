"""Our side of a case: a process that obeys lines."""

import json
import subprocess

import processor


class Ours:
    def __init__(self, peer, case, folder, batches, narrow, threads):
        self.process = subprocess.Popen(
            [peer, "serve", case, folder, str(batches)],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=processor.environment(narrow, threads),
        )
        asked = lambda: json.loads(self.order("features"))
        self.features = processor.hide_avx512(self.process.pid, asked) if narrow else asked()
        if self.order("load") != "ready":
            raise RuntimeError("the peer is not ready")

    def read(self):
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the peer has ended")
        return line

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def seconds(self, what, times):
        return float(self.order(f"measure {what} {times}"))

    def find(self, what):
        return json.loads(self.order(f"find {what}"))

    def set(self, name, value):
        self.order(f"set {name} {value}")

    def operations(self, what, examples):
        lines = [self.order(f"operations {what} {examples}")]
        while lines[-1] != "done":
            lines.append(self.read())
        return lines[:-1]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
