"""The networks of the cases in PyTorch; parameters have the names that Burn's store gives them."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Mlp(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, images):
        hidden = images.flatten(1)
        for layer in self.layers[:-1]:
            hidden = F.relu(layer(hidden))
        return self.layers[-1](hidden)


class Cnn(nn.Module):
    def __init__(self, first, second, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(1, first, 3, padding=1)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        if norm:
            self.bn1 = nn.BatchNorm2d(first)
            self.bn2 = nn.BatchNorm2d(second)
        self.norm = norm
        self.fc = nn.Linear(second * 7 * 7, 10)

    def forward(self, images):
        hidden = self.conv1(images)
        hidden = self.bn1(hidden) if self.norm else hidden
        hidden = self.conv2(F.max_pool2d(F.relu(hidden), 2))
        hidden = self.bn2(hidden) if self.norm else hidden
        return self.fc(F.max_pool2d(F.relu(hidden), 2).flatten(1))


class Attention(nn.Module):
    """Plain operations: they can be differentiated twice, in every mode of torch."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))

    def forward(self, tokens):
        count, length, width = tokens.shape
        cut = lambda x: x.reshape(count, length, self.heads, width // self.heads).transpose(1, 2)
        query, key, value = cut(self.query(tokens)), cut(self.key(tokens)), cut(self.value(tokens))
        scores = query @ key.transpose(2, 3) / math.sqrt(width // self.heads)
        mixed = torch.softmax(scores, 3) @ value
        return self.output(mixed.transpose(1, 2).reshape(count, length, width))


class Norm(nn.LayerNorm):
    """LayerNorm, in plain operations where asked.

    PyTorch 2.15's own, differentiated forward over reverse under vmap, as curvlinops does, has wrong products for
    its weight.
    """

    is_plain = False

    def forward(self, tokens):
        if not self.is_plain:
            return super().forward(tokens)
        centred = tokens - tokens.mean(-1, keepdim=True)
        variance = (centred**2).mean(-1, keepdim=True)
        return centred / torch.sqrt(variance + self.eps) * self.weight + self.bias


class FeedForward(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.linear_inner = nn.Linear(width, inner)
        self.linear_outer = nn.Linear(inner, width)

    def forward(self, tokens):
        return self.linear_outer(F.gelu(self.linear_inner(tokens)))


class Layer(nn.Module):
    def __init__(self, width, inner, heads):
        super().__init__()
        self.mha = Attention(width, heads)
        self.pwff = FeedForward(width, inner)
        self.norm_1 = Norm(width)
        self.norm_2 = Norm(width)

    def forward(self, tokens):
        # Burn's layer has the norm of the attention second.
        tokens = tokens + self.mha(self.norm_2(tokens))
        return tokens + self.pwff(self.norm_1(tokens))


class Encoder(nn.Module):
    def __init__(self, width, inner, heads, layers):
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, inner, heads) for _ in range(layers))

    def forward(self, tokens):
        for layer in self.layers:
            tokens = layer(tokens)
        return tokens


class Transformer(nn.Module):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.patch = nn.Conv2d(1, width, 7, stride=7)
        self.position = nn.Parameter(torch.zeros(1, 16, width))
        self.encoder = Encoder(width, 2 * width, heads, layers)
        self.norm = Norm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, images):
        tokens = self.patch(images).flatten(2).transpose(1, 2) + self.position
        return self.head(self.norm(self.encoder(tokens)).mean(1))


# As in case.rs.
CASES = {
    "digits-mlp-small": lambda: Mlp([64, 32, 16, 10]),
    "digits-mlp": lambda: Mlp([64, 64, 64, 10]),
    "mnist-mlp": lambda: Mlp([784, 256, 128, 10]),
    "mnist-mlp-large": lambda: Mlp([784, 1024, 512, 10]),
    "cnn-small": lambda: Cnn(8, 16, False),
    "cnn": lambda: Cnn(16, 32, False),
    "cnn-large": lambda: Cnn(32, 64, False),
    "cnn-norm-small": lambda: Cnn(8, 16, True),
    "cnn-norm": lambda: Cnn(16, 32, True),
    "cnn-norm-large": lambda: Cnn(32, 64, True),
    "transformer-small": lambda: Transformer(16, 2, 1),
    "transformer": lambda: Transformer(32, 2, 2),
    "transformer-large": lambda: Transformer(64, 4, 2),
}
