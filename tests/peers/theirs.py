"""PyTorch's side of a case: the network, its data, and products by double backward."""

import copy
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from networks import CASES, Norm


class Theirs:
    def __init__(self, case, folder):
        folder = Path(folder)
        problem = load_file(folder / "problem.safetensors")
        self.model = CASES[case]()
        missing, unexpected = self.model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing or unexpected:
            raise RuntimeError(f"missing {missing}, unexpected {unexpected}")
        # Running statistics, as our side measures.
        self.model.eval()
        # The same parameters, and LayerNorm in plain operations.
        self.plain_model = copy.deepcopy(self.model, {id(p): p for p in self.model.parameters()})
        for module in self.plain_model.modules():
            if isinstance(module, Norm):
                module.is_plain = True
        self.order = json.loads((folder / "order.json").read_text())
        named = dict(self.model.named_parameters())
        self.parameters = [named.pop(self.name(block["path"])) for block in self.order]
        if named:
            raise RuntimeError(f"our side does not have {list(named)}")
        self.images, self.labels = problem["images"], problem["labels"]
        self.v = self.split(problem["v"])
        self.directions = [self.split(problem["d1"]), self.split(problem["d2"])]
        self.axes = problem["a"], problem["b"]
        self.kept = None

    @staticmethod
    def name(path):
        start, _, last = path.rpartition(".")
        last = {"gamma": "weight", "beta": "bias"}.get(last, last)
        return f"{start}.{last}" if start else last

    @staticmethod
    def is_turned(block):
        # Burn keeps the weight of a linear layer as [in, out].
        return block["layer"] == "Linear" and len(block["shape"]) == 2

    def split(self, vector):
        shapes = [torch.Size(block["shape"]) for block in self.order]
        parts = vector.split([shape.numel() for shape in shapes])
        parts = [part.reshape(shape) for part, shape in zip(parts, shapes)]
        return [p.t().contiguous() if self.is_turned(b) else p.clone() for p, b in zip(parts, self.order)]

    def join(self, parts):
        turned = [p.t() if self.is_turned(b) else p for p, b in zip(parts, self.order)]
        return torch.cat([part.reshape(-1) for part in turned]).detach()

    @property
    def dimension(self):
        return sum(parameter.numel() for parameter in self.parameters)

    def batches(self, size):
        return list(zip(self.images.split(size), self.labels.split(size)))

    def equal_sizes(self):
        """Batch sizes that divide the data: peers that take the mean of batch means need that."""
        count = len(self.labels)
        return sorted({count, *(count // k for k in (2, 4, 8, 16) if count % k == 0)})

    def sizes(self):
        count = len(self.labels)
        return sorted({count, *(s for s in (64, 128, 256, 512, 1024, 2048) if s < count)})

    def loss(self, batch):
        images, labels = batch
        share = len(labels) / len(self.labels)
        return F.cross_entropy(self.model(images), labels) * share

    def slope(self, batch):
        return torch.autograd.grad(self.loss(batch), self.parameters, create_graph=True)

    @staticmethod
    def sum_of(products):
        total = None
        for product in products:
            total = product if total is None else [a + b for a, b in zip(total, product)]
        return total

    def graphs(self, size):
        return [self.slope(batch) for batch in self.batches(size)]

    def keep(self, size):
        self.kept = None
        self.kept = self.graphs(size)

    def through(self, graphs, v):
        return self.sum_of(
            torch.autograd.grad(slope, self.parameters, v, retain_graph=True) for slope in graphs
        )

    def linearised(self):
        return self.through(self.kept, self.v)

    def recomputed(self, size):
        anew = lambda batch: torch.autograd.grad(self.slope(batch), self.parameters, self.v)
        return self.sum_of(anew(batch) for batch in self.batches(size))

    def gradient(self):
        return torch.autograd.grad(self.loss((self.images, self.labels)), self.parameters)

    def plane(self, size, points=None):
        batches = self.batches(size)
        origin = [parameter.detach().clone() for parameter in self.parameters]
        losses = []
        with torch.no_grad():
            for a in self.axes[0]:
                for b in self.axes[1]:
                    if points is not None and len(losses) == points:
                        break
                    for p, o, d, e in zip(self.parameters, origin, *self.directions):
                        p.copy_(o + a * d + b * e)
                    losses.append(sum(self.loss(batch).item() for batch in batches))
            for p, o in zip(self.parameters, origin):
                p.copy_(o)
        return torch.tensor(losses)
