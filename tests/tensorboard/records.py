"""An event file parsed without TensorBoard's loaders, and what each loader should make of it.

The frames are taken apart with `struct` and a table-driven CRC-32C; the events are decoded with the protocol buffers
that TensorBoard ships. Nothing here knows the Rust program that wrote the file.
"""

import json
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy
from google.protobuf import json_format
from tensorboard.compat.proto import event_pb2, types_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.mesh import plugin_data_pb2 as mesh_pb2
from tensorboard.plugins.pr_curve import plugin_data_pb2 as pr_curve_pb2

# The plugins that are read back, with the data class that each needs.
KINDS = {"scalars": 1, "histograms": 2, "images": 3, "text": 2, "mesh": 2, "custom_scalars": 2, "pr_curves": 2}

# The endings of the tags of a mesh, with the type of each and the bytes of a number.
MESH_TYPES = {"VERTEX": (types_pb2.DT_FLOAT, 4), "FACE": (types_pb2.DT_INT32, 4), "COLOR": (types_pb2.DT_UINT8, 1)}


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def masked_crc(data):
    """The masked CRC-32C of some bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@dataclass
class Point:
    """One value: a float, a list of [left, right, weight], a list of PNG bytes, the bytes of a text, of a part of a mesh or of
    a layout, or the six rows of a PR curve."""

    step: int
    wall_time: float
    value: object
    size: tuple = None


@dataclass
class File:
    """One event file: its size when it was read, its events in order, where its last good record ends, and what is wrong with it."""

    path: Path
    size: int = 0
    events: list = field(default_factory=list)
    good_bytes: int = 0
    truncated: bool = False
    faults: list = field(default_factory=list)


def read_file(path):
    """Parses the frames of an event file, checking both checksums of each."""
    file = File(Path(path))
    data = file.path.read_bytes()
    file.size = len(data)
    while file.good_bytes < len(data):
        at = file.good_bytes
        header = data[at : at + 12]
        if len(header) < 12:
            file.truncated = True
            break
        length, crc = struct.unpack("<QI", header)
        if crc != masked_crc(header[:8]):
            file.faults.append(f"{file.path.name}: the length of the record at byte {at} fails its checksum")
            break
        body = data[at + 12 : at + 12 + length + 4]
        if len(body) < length + 4:
            file.truncated = True
            break
        if struct.unpack("<I", body[length:])[0] != masked_crc(body[:length]):
            file.faults.append(f"{file.path.name}: the data of the record at byte {at} fail their checksum")
            break
        file.events.append(event_pb2.Event.FromString(body[:length]))
        file.good_bytes = at + 12 + length + 4
    _check_form(file)
    return file


def _check_form(file):
    """The promises of the format that both loaders need."""
    fault = lambda text: file.faults.append(f"{file.path.name}: {text}")
    if not file.events or file.events[0].file_version != "brain.Event:2":
        fault("the first record is not the header brain.Event:2")
    last_step = {}
    for event in file.events:
        if not math.isfinite(event.wall_time):
            fault(f"wall time {event.wall_time} at step {event.step}")
        for value in event.summary.value:
            if event.step <= last_step.get(value.tag, -math.inf):
                fault(f"step {event.step} of tag {value.tag} does not come after {last_step[value.tag]}")
            last_step[value.tag] = event.step
            plugin = value.metadata.plugin_data.plugin_name
            if not plugin:
                fault(f"tag {value.tag} has no metadata at step {event.step}")
            elif plugin in KINDS and value.metadata.data_class != KINDS[plugin]:
                fault(f"tag {value.tag} has data class {value.metadata.data_class} for plugin {plugin}")
            form = value.WhichOneof("value")
            if plugin in KINDS and form != ("simple_value" if plugin == "scalars" else "tensor"):
                fault(f"tag {value.tag} holds a {form} at step {event.step}, which not every reader takes for plugin {plugin}")


def decode(plugin, value):
    """What a value of a summary holds and, for pictures, the stated (width, height)."""
    if value.WhichOneof("value") == "simple_value":
        return value.simple_value, None
    return decode_tensor(plugin, value.tensor)


def decode_tensor(plugin, tensor):
    """The value of a tensor and, for pictures, the stated (width, height)."""
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if plugin == "scalars":
        if tensor.dtype != types_pb2.DT_FLOAT or shape:
            raise ValueError(f"a scalar of type {tensor.dtype} and shape {shape}")
        (number,) = tensor.float_val or struct.unpack("<f", tensor.tensor_content)
        return number, None
    if plugin == "histograms":
        letter = {types_pb2.DT_FLOAT: "f", types_pb2.DT_DOUBLE: "d"}[tensor.dtype]
        listed = tensor.float_val if letter == "f" else tensor.double_val
        count = len(tensor.tensor_content) // struct.calcsize(letter)
        numbers = list(listed) or list(struct.unpack(f"<{count}{letter}", tensor.tensor_content))
        if shape != [len(numbers) // 3, 3]:
            raise ValueError(f"a histogram of shape {shape} with {len(numbers)} numbers")
        if not all(map(math.isfinite, numbers)):
            raise ValueError("a histogram that is not finite")
        return [numbers[i : i + 3] for i in range(0, len(numbers), 3)], None
    if plugin == "mesh":
        sizes = {dtype: size for dtype, size in MESH_TYPES.values()}
        if len(shape) != 3 or shape[0] != 1 or shape[2] != 3 or len(tensor.tensor_content) != math.prod(shape) * sizes[tensor.dtype]:
            raise ValueError(f"a part of a mesh of shape {shape} with {len(tensor.tensor_content)} bytes")
        return tensor.tensor_content, None
    if plugin == "pr_curves":
        if tensor.dtype != types_pb2.DT_FLOAT or len(shape) != 2 or shape[0] != 6 or len(tensor.tensor_content) != 24 * shape[1]:
            raise ValueError(f"a PR curve of type {tensor.dtype} and shape {shape} with {len(tensor.tensor_content)} bytes")
        return numpy.frombuffer(tensor.tensor_content, "<f4").reshape(shape).tolist(), None
    if tensor.dtype != types_pb2.DT_STRING:
        raise ValueError(f"{plugin} of type {tensor.dtype}")
    strings = list(tensor.string_val)
    if plugin == "images":
        if shape != [len(strings)] or len(strings) < 3:
            raise ValueError(f"an image of shape {shape} with {len(strings)} strings")
        return strings[2:], (int(strings[0]), int(strings[1]))
    if shape not in ([], [1]) or len(strings) != 1:
        raise ValueError(f"a text of shape {shape} with {len(strings)} strings")
    return strings[0], None


def check_about(value):
    """What the metadata of a value tell its plugin; a ValueError where they do not fit the value."""
    plugin, content = value.metadata.plugin_data.plugin_name, value.metadata.plugin_data.content
    shape = [dim.size for dim in value.tensor.tensor_shape.dim]
    if plugin == "mesh":
        about = mesh_pb2.MeshPluginData.FromString(content)
        kind = mesh_pb2.MeshPluginData.ContentType.Name(about.content_type)
        if about.version != 0 or value.tag != f"{about.name}_{kind}" or not about.components & 1 << about.content_type:
            raise ValueError(f"it is called {about.name}, holds {kind} and has the components {about.components}")
        if MESH_TYPES[kind][0] != value.tensor.dtype or list(about.shape) != shape:
            raise ValueError(f"its {kind} have type {value.tensor.dtype} and shape {shape}, and {list(about.shape)} is told")
        json.loads(about.json_config)
        if kind == "VERTEX" and not numpy.isfinite(numpy.frombuffer(value.tensor.tensor_content, "<f4")).all():
            raise ValueError("a vertex is not finite, and blanks the mesh")
    if plugin == "pr_curves":
        about = pr_curve_pb2.PrCurvePluginData.FromString(content)
        if about.version != 0 or about.num_thresholds != shape[1]:
            raise ValueError(f"it tells of {about.num_thresholds} thresholds and has {shape[1]}")
    if plugin == "custom_scalars":
        if value.tag != "custom_scalars__config__" or not layout_pb2.Layout.FromString(value.tensor.string_val[0]).category:
            raise ValueError("it is no layout, or has no charts")


def meshes_are_whole(events):
    """The events in which a mesh lacks one of the parts that it tells of."""
    for event in events:
        parts = {}
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "mesh":
                about = mesh_pb2.MeshPluginData.FromString(value.metadata.plugin_data.content)
                told, there = parts.get(about.name, (0, 0))
                parts[about.name] = (told | about.components, there | 1 << about.content_type)
        for name, (told, there) in parts.items():
            if told != there:
                yield f"the mesh {name} at step {event.step} tells of the components {told} and has {there}"


def shown_curve(rows):
    """What the page shows of a PR curve: whole counts, without the thresholds at the end that no score reaches."""
    end = len(rows[0])
    while end > 1 and int(rows[0][end - 1]) + int(rows[1][end - 1]) == 0:
        end -= 1
    return [[int(count) for count in row[:end]] for row in rows[:4]] + [row[:end] for row in rows[4:]]


def layout(run):
    """The last layout of charts that a run tells, or None."""
    last = None
    for _, value in run.values():
        if value is not None and value.metadata.plugin_data.plugin_name == "custom_scalars":
            last = layout_pb2.Layout.FromString(value.tensor.string_val[0])
    return last


@dataclass
class Run:
    """All event files of one run directory, in the order in which they are read."""

    directory: Path
    files: list
    faults: list
    others: dict  # values of plugins that are not read back, counted by plugin

    def values(self):
        """(event, None) for a start of the run and (event, value) for each value, in order."""
        for file in self.files:
            for event in file.events:
                if event.HasField("session_log") and event.session_log.status == event_pb2.SessionLog.START:
                    yield event, None
                for value in event.summary.value:
                    yield event, value


def read_run(directory):
    """Parses every event file of a directory."""
    paths = sorted(path for path in Path(directory).iterdir() if "tfevents" in path.name and path.is_file())
    files = [read_file(path) for path in paths]
    run = Run(Path(directory), files, [fault for file in files for fault in file.faults], {})
    for event, value in run.values():
        if value is None:
            continue
        plugin = value.metadata.plugin_data.plugin_name
        if plugin not in KINDS:
            run.others[plugin] = run.others.get(plugin, 0) + 1
            continue
        try:
            decode(plugin, value)
            check_about(value)
        except (ValueError, KeyError, IndexError, struct.error) as error:
            run.faults.append(f"tag {value.tag} at step {event.step}: {error!r}")
    run.faults += [fault for file in files for fault in meshes_are_whole(file.events)]
    hparams(run)
    return run


def expected(run, loader):
    """{(plugin, tag): [Point]} as a loader should show a sound run.

    Where a run was resumed, points that it had written beyond the checkpoint give way to the new ones, but by three rules:
    `data_server`: a point removes the points of its own tag at its step and later.
    `python`: a START removes the points of all tags at its step and later, except the first START of the run.
    `accumulator` (EventAccumulator): a START removes the scalars at its step and later. No tensor is removed.
    """
    series = {}
    started = False
    for event, value in run.values():
        if value is None:
            for (plugin, _), points in series.items():
                if (loader == "python" and started) or (loader == "accumulator" and plugin == "scalars"):
                    points[:] = [point for point in points if point.step < event.step]
            started = True
            continue
        plugin = value.metadata.plugin_data.plugin_name
        if plugin not in KINDS:
            continue
        points = series.setdefault((plugin, value.tag), [])
        while loader == "data_server" and points and points[-1].step >= event.step:
            points.pop()
        points.append(Point(event.step, event.wall_time, *decode(plugin, value)))
    return series


def descriptions(run):
    """{(plugin, tag): Markdown} of the first value of each tag, which is the one that TensorBoard takes."""
    first = {}
    for _, value in run.values():
        if value is not None:
            first.setdefault((value.metadata.plugin_data.plugin_name, value.tag), value.metadata.summary_description)
    return first


# The name of HParams' data in the metadata, by tag.
HPARAMS_TAGS = {
    "_hparams_/experiment": "experiment",
    "_hparams_/session_start_info": "session_start_info",
    "_hparams_/session_end_info": "session_end_info",
}


def hparams(run):
    """What a run tells the HParams plugin, {name: message}: the first of each, which is the one that TensorBoard takes."""
    first = {}
    for _, value in run.values():
        if value is None or value.metadata.plugin_data.plugin_name != "hparams":
            continue
        name = HPARAMS_TAGS.get(value.tag)
        data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
        if name is None or data.version != 0 or data.WhichOneof("data") != name:
            run.faults.append(f"tag {value.tag} of plugin hparams holds {data.WhichOneof('data')} of version {data.version}")
            continue
        first.setdefault(name, getattr(data, name))
    return first


def session(told):
    """The row that the page should show for what `hparams` gave: settings, status, start and end."""
    start, end = told["session_start_info"], told.get("session_end_info")
    return {
        "settings": {name: json_format.MessageToDict(value) for name, value in start.hparams.items()},
        "status": api_pb2.Status.Name(end.status) if end else "STATUS_UNKNOWN",
        "start": start.start_time_secs,
        "end": end.end_time_secs if end else 0,
    }


def repeated_steps(run):
    """The steps of scalars that an earlier file of the run holds too, by tag: those that a resumed run has written again."""
    seen, repeated = {}, {}
    for number, file in enumerate(run.files):
        for event in file.events:
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name != "scalars":
                    continue
                if seen.setdefault((value.tag, event.step), number) < number:
                    repeated.setdefault(value.tag, set()).add(event.step)
    return repeated


def same_number(a, b):
    """Equality to the bit, NaN equal to NaN, except that JSON may drop the sign of zero."""
    return a == b or (math.isnan(a) and math.isnan(b))


def nearest_f32(value):
    """The number of `summary.json` rounded to what a scalar holds; null stands for a number that is not finite."""
    if value is None:
        return None
    with numpy.errstate(over="ignore"):
        return float(numpy.float32(float(value)))
