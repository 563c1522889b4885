"""read_back.py must fail when anything is wrong: each test spoils one thing and looks for the complaint.

example:
  cargo run --release -p tensorboard --example sample -- runs/sample
  SAMPLE=runs/sample python -m unittest discover -s tests/tensorboard -v
"""

import contextlib
import io
import json
import os
import shutil
import struct
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import numpy
from tensorboard.compat.proto import types_pb2
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.pr_curve import summary as pr_curve_summary

sys.path.insert(0, str(Path(__file__).parent))
import read_back
import records
import server

SAMPLE = Path(os.environ.get("SAMPLE", "runs/sample"))
ALL = ["--expect", "scalars,histograms,images,text,mesh", "--require-summary"]


def rewrite(path, change):
    """Applies `change` to the list of events and writes them with right checksums."""
    events = records.read_file(path).events
    change(events)
    with open(path, "wb") as file:
        for event in events:
            data = event.SerializeToString()
            length = struct.pack("<Q", len(data))
            file.write(length + struct.pack("<I", records.masked_crc(length)) + data + struct.pack("<I", records.masked_crc(data)))


def values(events, plugin):
    """(event, value) of a plugin."""
    return [(e, v) for e in events for v in e.summary.value if v.metadata.plugin_data.plugin_name == plugin]


def as_tensors(events):
    """Turns every scalar into a tensor, which both loaders of TensorBoard take too."""
    for _, value in values(events, "scalars"):
        number = value.simple_value
        value.tensor.dtype = types_pb2.DT_FLOAT
        value.tensor.tensor_shape.SetInParent()
        value.tensor.float_val.append(number)


class ReadBack(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.run_directory = Path(self.folder.name) / "run"
        shutil.copytree(SAMPLE / "plain", self.run_directory)
        (self.events,) = self.run_directory.glob("events*")
        self.summary = self.run_directory / "summary.json"

    def read_back(self, *options, code=1):
        output = io.StringIO()
        with mock.patch.object(sys, "argv", ["read_back.py", str(self.run_directory), *options]):
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                result = read_back.main()
        self.assertEqual(result, code, output.getvalue())
        return output.getvalue()

    def read_files(self, *options):
        """As `read_back`, for what is seen before TensorBoard is asked."""
        with mock.patch.object(read_back, "compare_readers", lambda *_: []):
            return self.read_back(*options)

    def spoiled_copies(self, change):
        """Spoils what TensorBoard sees, and nothing else."""
        copy = read_back.copy_run

        def copy_spoiled(run, target):
            copy(run, target)
            for events in target.iterdir():
                rewrite(events, change)

        return mock.patch.object(read_back, "copy_run", copy_spoiled)

    def spoil_copy(self, change):
        """What is said about a spoiled copy."""
        with self.spoiled_copies(change):
            output = self.read_back()
        self.assertIn("DIFFERENCE data server: ", output)
        self.assertIn("DIFFERENCE Python loader: ", output)
        return output

    def change_summary(self, change):
        told = json.loads(self.summary.read_text())
        change(told["last_scalars"])
        self.summary.write_text(json.dumps(told))

    def test_sound_runs_agree(self):
        self.assertIn("all readers agree", self.read_back(*ALL, code=0))

    def test_resumed_and_cut_runs_agree(self):
        shutil.rmtree(self.run_directory)
        shutil.copytree(SAMPLE, self.run_directory)
        self.assertIn("is cut after byte", self.read_back(*ALL, code=0))

    def use_resumed(self):
        shutil.rmtree(self.run_directory)
        shutil.copytree(SAMPLE / "resumed", self.run_directory)

    def test_resumed_run_shows_no_step_twice(self):
        self.use_resumed()
        # Two scalars were written at the steps 20 to 29 before the interruption and after it.
        self.assertIn("20 points of 2 scalars were written again", self.read_back("--require-resumed", *ALL, code=0))

    def test_resumed_run_that_does_not_say_so_shows_steps_twice(self):
        self.use_resumed()
        with self.spoiled_copies(lambda events: [events.remove(e) for e in list(events) if e.HasField("session_log")]):
            output = self.read_back()
        self.assertIn("EventAccumulator scalars/loss/train: the steps [20, 21, 22, 23, 24, 25, 26, 27, 28, 29] stand there more", output)
        # The data server removes what comes again by itself.
        self.assertIn("data server: agrees", output)
        self.assertIn("DIFFERENCE Python loader: ", output)

    def test_run_that_is_cut_at_every_byte_of_its_last_record(self):
        """Each cut is a run of its own, so that two servers read them all."""
        self.summary.unlink()
        parsed = records.read_file(self.events).events
        kinds = {plugin: next(event for event, _ in values(parsed, plugin)) for plugin in ("text", "images", "histograms")}
        scalars = [event for event, value in values(parsed, "scalars") if value.tag == "loss/train"][:3]
        curve = values(parsed, "pr_curves")[0][0]
        rewrite(self.events, lambda events: events.__setitem__(slice(2, None), [*kinds.values(), curve, *scalars]))
        data = self.events.read_bytes()
        last = len(data) - 16 - len(scalars[-1].SerializeToString())
        shutil.rmtree(self.run_directory)
        for cut in range(last, len(data) + 1):
            run = self.run_directory / f"cut{cut:05}"
            run.mkdir(parents=True)
            (run / self.events.name).write_bytes(data[:cut])
        output = self.read_back("--expect", "scalars,histograms,images,text,pr_curves", code=0)
        self.assertEqual(output.count(" is cut after byte "), len(data) - last - 1)
        self.assertEqual(output.count("scalars 2 points of 1 tags"), len(data) - last)
        self.assertEqual(output.count("scalars 3 points of 1 tags"), 1)

    def test_pr_curve_is_that_of_tensorboards_own_computation(self):
        told = json.loads((SAMPLE / "plain" / "scores.json").read_text())
        scores, labels = numpy.array(told["scores"]), numpy.array(told["labels"])
        curves = values(records.read_file(self.events).events, "pr_curves")
        self.assertEqual(len(curves), 2)
        for (_, value), weights in zip(curves, (None, numpy.array(told["weights"]))):
            # It imports TensorFlow, of which it needs nothing up to the numbers, which it hands to `raw_data_pb`.
            stub = {name: mock.Mock() for name in ("tensorflow", "tensorflow.compat", "tensorflow.compat.v1")}
            with mock.patch.dict(sys.modules, stub), mock.patch.object(pr_curve_summary, "raw_data_pb") as computed:
                pr_curve_summary.pb("", labels, scores, num_thresholds=101, weights=weights)
            names = ["true_positive_counts", "false_positive_counts", "true_negative_counts", "false_negative_counts", "precision", "recall"]
            expected = numpy.array([computed.call_args.kwargs[name] for name in names], "<f4")
            found, _ = records.decode("pr_curves", value)
            self.assertEqual(found, expected.tolist())

    def change_part(self, ending, change):
        """Changes the first value of the mesh whose tag has an ending, and says what the reader complains of."""

        def spoil(events):
            change(next(v for _, v in values(events, "mesh") if v.tag.endswith(ending)))

        rewrite(self.events, spoil)
        return self.read_files()

    def test_vertex_that_is_not_finite(self):
        def change(value):
            content = value.tensor.tensor_content
            value.tensor.tensor_content = content[:8] + struct.pack("<f", float("nan")) + content[12:]

        self.assertIn("a vertex is not finite", self.change_part("_VERTEX", change))

    def test_part_of_a_mesh_of_another_size(self):
        def change(value):
            value.tensor.tensor_content = value.tensor.tensor_content[:-3]

        self.assertIn("a part of a mesh of shape", self.change_part("_COLOR", change))

    def test_part_of_a_mesh_under_another_tag(self):
        self.assertIn("is called", self.change_part("_FACE", lambda value: setattr(value, "tag", "other_FACE")))

    def test_part_of_a_mesh_missing(self):
        def change(events):
            event, value = next((e, v) for e, v in values(events, "mesh") if v.tag.endswith("_FACE"))
            event.summary.value.remove(value)

        rewrite(self.events, change)
        self.assertIn("tells of the components 14 and has 10", self.read_files())

    def test_pr_curve_with_another_number_of_thresholds(self):
        def change(events):
            _, value = values(events, "pr_curves")[0]
            value.metadata.plugin_data.content = b"\x10\x07"

        rewrite(self.events, change)
        self.assertIn("tells of 7 thresholds and has 101", self.read_files())

    def test_layout_under_another_tag(self):
        rewrite(self.events, lambda events: setattr(values(events, "custom_scalars")[0][1], "tag", "layout"))
        self.assertIn("it is no layout", self.read_files())

    def test_server_shows_another_mesh_curve_and_chart(self):
        def change(events):
            tensor = values(events, "mesh")[0][1].tensor
            tensor.tensor_content = b"\0" * 12 + tensor.tensor_content[12:]
            tensor = values(events, "pr_curves")[0][1].tensor
            tensor.tensor_content = struct.pack("<f", 3.0) + tensor.tensor_content[4:]
            tensor = values(events, "custom_scalars")[0][1].tensor
            tensor.string_val[0] = tensor.string_val[0].replace(b"loss/up.*", b"loss/lo.*")

        output = self.spoil_copy(change)
        for word in ("mesh/landscape/surface_mesh_VERTEX step 0", "pr_curves/digits/seven step 0", "custom scalars: the charts are"):
            self.assertIn(word, output)

    def test_run_that_was_not_resumed(self):
        self.assertIn("no step was written again", self.read_files("--require-resumed"))

    def test_flipped_byte(self):
        data = bytearray(self.events.read_bytes())
        data[len(data) // 2] ^= 1
        self.events.write_bytes(data)
        self.assertIn("checksum", self.read_files())

    def test_value_of_summary(self):
        self.change_summary(lambda told: told["accuracy/valid"].update(value=0.5900001))
        self.assertIn("scalar accuracy/valid is", self.read_files())

    def test_step_of_summary(self):
        self.change_summary(lambda told: told["loss/train"].update(step=58))
        self.assertIn("scalar loss/train is", self.read_files())

    def test_tag_missing_in_summary(self):
        self.change_summary(lambda told: told.pop("loss/train"))
        self.assertIn("scalar loss/train is missing", self.read_files())

    def test_tag_only_in_summary(self):
        self.change_summary(lambda told: told.update(extra={"step": 1, "value": 1}))
        self.assertIn("scalar extra is not in the event files", self.read_files())

    def test_required_summary(self):
        self.summary.unlink()
        self.assertIn("summary.json: missing", self.read_files("--require-summary"))
        self.summary.write_text("{}")
        self.assertIn('no object "last_scalars"', self.read_files())

    def test_nothing_there(self):
        self.events.unlink()
        self.assertIn("no event files found", self.read_back())
        self.events.write_bytes(b"")
        self.assertIn("not the header", self.read_back())

    def test_header_only(self):
        self.summary.unlink()
        rewrite(self.events, lambda events: events.__delitem__(slice(2, None)))
        output = self.read_files()
        self.assertIn("no tag in the event files", output)
        self.assertIn("no scalar found", output)

    def test_expected_kind_missing(self):
        rewrite(self.events, lambda events: [events.remove(e) for e, _ in values(events, "images")])
        self.assertIn("no images found", self.read_files(*ALL))

    def test_scalar_of_double(self):
        def change(events):
            for _, value in values(events, "scalars"):
                number = value.simple_value
                value.tensor.dtype = types_pb2.DT_DOUBLE
                value.tensor.double_val.append(number)

        rewrite(self.events, change)
        self.assertIn("a scalar of type 2", self.read_back())

    def test_scalar_that_is_a_tensor(self):
        rewrite(self.events, as_tensors)
        output = self.read_back()
        self.assertIn("tag loss/train holds a tensor at step 0", output)

    def test_scripts_find_no_scalar_that_is_a_tensor(self):
        # What TensorBoard shows is the same; EventAccumulator.Scalars has nothing.
        with self.spoiled_copies(as_tensors):
            output = self.read_back()
        self.assertIn("EventAccumulator scalars/loss/train: missing", output)
        self.assertIn("scalar accuracy/valid is not in EventAccumulator.Scalars", output)
        self.assertIn("data server: agrees", output)
        self.assertIn("Python loader: agrees", output)

    def test_metadata_missing(self):
        rewrite(self.events, lambda events: values(events, "scalars")[5][1].ClearField("metadata"))
        self.assertIn("has no metadata", self.read_back())

    def test_step_twice(self):
        rewrite(self.events, lambda events: events.append(events[-1]))
        self.assertIn("does not come after", self.read_back())

    def test_wall_time_nan(self):
        rewrite(self.events, lambda events: setattr(events[9], "wall_time", float("nan")))
        self.assertIn("wall time nan", self.read_back())

    def test_picture_of_other_size(self):
        rewrite(self.events, lambda events: values(events, "images")[0][1].tensor.string_val.__setitem__(0, b"25"))
        self.assertIn("stated (25, 24)", self.read_files())

    def test_picture_damaged(self):
        def change(events):
            strings = values(events, "images")[0][1].tensor.string_val
            strings[2] = strings[2][:60]

        rewrite(self.events, change)
        self.assertIn("does not decode", self.read_files())

    def test_server_shows_another_scalar(self):
        output = self.spoil_copy(lambda events: setattr(values(events, "scalars")[7][1], "simple_value", 0.123))
        self.assertIn("step 3: 0.123", output)

    def test_server_misses_a_point_a_bin_a_picture_and_a_text(self):
        def change(events):
            events.remove(values(events, "scalars")[9][0])
            tensor = values(events, "histograms")[0][1].tensor
            tensor.tensor_content = tensor.tensor_content[:-24] + struct.pack("<3d", 5, 6, 7)
            values(events, "images")[-1][1].tensor.string_val[4] = b"\x89PNG\r\n\x1a\n other"
            values(events, "text")[1][1].tensor.string_val[0] = b"other"

        output = self.spoil_copy(change)
        for word in ("scalars/accuracy/valid", "histograms/gradient/values", "images/landscape/several", "text/diagnosis/report"):
            self.assertIn(f"run {word}", output)

    def test_server_misses_a_tag_and_the_settings(self):
        def change(events):
            for event, _ in [(e, v) for e, v in values(events, "scalars") if v.tag == "loss/train"] + values(events, "hparams"):
                events.remove(event)

        output = self.spoil_copy(change)
        self.assertIn("run hparams: missing", output)
        self.assertIn("scalars/loss/train: missing", output)
        self.assertIn("scalar loss/train is not in EventAccumulator.Scalars", output)

    def test_server_shows_a_tag_too_many(self):
        def change(events):
            events.append(type(events[-1])())
            events[-1].CopyFrom(values(events, "scalars")[-1][0])
            events[-1].summary.value[0].tag = "extra"

        self.assertIn("scalars/extra: not in the files", self.spoil_copy(change))

    def test_server_shows_other_descriptions_and_settings(self):
        def change(events):
            for plugin, tag in (("scalars", "loss/train"), ("images", "landscape/contour"), ("histograms", "gradient/values")):
                next(v for _, v in values(events, plugin) if v.tag == tag).metadata.summary_description = "*another*"
            for _, value in values(events, "hparams"):
                data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
                if value.tag == "_hparams_/session_start_info":
                    data.session_start_info.hparams["learning_rate"].number_value = 0.2
                elif value.tag == "_hparams_/session_end_info":
                    data.session_end_info.status = 2
                else:
                    del data.experiment.metric_infos[1:]
                value.metadata.plugin_data.content = data.SerializeToString()

        output = self.spoil_copy(change)
        for tag in ("scalars/loss/train", "images/landscape/contour", "histograms/gradient/values"):
            self.assertIn(f"{tag}: the description is '<p><em>another</em></p>'", output)
        self.assertIn("hparams: settings", output)
        self.assertIn("hparams: status 'STATUS_FAILURE', expected 'STATUS_SUCCESS'", output)
        self.assertIn("hparams: the columns are", output)

    def test_settings_of_another_version(self):
        def change(events):
            value = values(events, "hparams")[0][1]
            data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
            data.version = 1
            value.metadata.plugin_data.content = data.SerializeToString()

        rewrite(self.events, change)
        self.assertIn("holds session_start_info of version 1", self.read_files())

    def test_runs_are_sorted_by_a_setting_and_need_no_columns(self):
        self.use_resumed()
        logdir = Path(self.folder.name)
        shutil.copytree(SAMPLE / "plain", logdir / "plain")
        for fast in (True, False):
            with server.Server(logdir, fast) as shown:
                # Rates of 0.01 and 0.1, methods sam and sgd; the names of the runs are in the other order.
                self.assertEqual(list(self.wait_for_rows(shown, "learning_rate")), ["run", "plain"])
                self.assertEqual(list(shown.sessions("nesterov")), ["run", "plain"])
        for file in logdir.glob("*/*tfevents*"):
            rewrite(file, lambda events: [events.remove(e) for e, v in values(events, "hparams") if v.tag == "_hparams_/experiment"])
        with server.Server(logdir, True) as shown:
            self.wait_for_rows(shown, None)
            settings, metrics = shown.columns()
            self.assertEqual(set(settings), {"method", "learning_rate", "nesterov", "rho"})
            self.assertEqual(set(metrics), {"loss/train", "accuracy/valid", "loss/diverged", "loss/lower", "loss/upper"})

    def wait_for_rows(self, shown, order):
        """The rows of both runs, which a server has loaded a moment after it answers."""
        for _ in range(100):
            rows = shown.sessions(order)
            if len(rows) == 2 and all(row["metrics"] for row in rows.values()):
                return rows
            time.sleep(0.3)
        self.fail(f"only {rows} after 30 s")

    def test_server_does_not_start(self):
        with mock.patch.object(server.sys, "executable", "/bin/false"):
            self.assertIn("TensorBoard ended with code 1", self.read_back())

    def test_data_server_not_available(self):
        # TensorBoard asks this variable for the program of the data server.
        with mock.patch.dict(os.environ, {"TENSORBOARD_DATA_SERVER_BINARY": "/no/such/program"}):
            output = self.read_back()
        self.assertIn("data server: TensorBoard ended with code", output)
        self.assertIn("Python loader: agrees", output)


if __name__ == "__main__":
    unittest.main()
