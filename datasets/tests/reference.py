"""Expected values of the tests in this folder, without any of this crate's code. Python's standard library only.

    python reference.py            prints them

xoshiro256++ and SplitMix64 are written from the authors' C sources (Blackman and Vigna).
"""
import csv, gzip, io, os, struct

M = (1 << 64) - 1
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")


def splitmix(x):
    x = (x + 0x9E3779B97F4A7C15) & M
    z = x
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M
    return x, z ^ (z >> 31)


def mix(x):
    return splitmix(x & M)[1]


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & M


class Xoshiro:
    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed, z = splitmix(seed)
            self.s.append(z)

    def next(self):
        s = self.s
        result = (rotl((s[0] + s[3]) & M, 23) + s[0]) & M
        t = (s[1] << 17) & M
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        return result


def permutation(seed, purpose, index, n):
    g = Xoshiro(mix(mix(mix(seed) ^ purpose) ^ index))
    order = list(range(n))
    for last in range(n - 1, 0, -1):
        k = (g.next() * (last + 1)) >> 64
        order[last], order[k] = order[k], order[last]
    return order


def idx(name):
    b = gzip.open(os.path.join(DATA, name)).read()
    axes = b[3]
    return struct.unpack(">%dI" % axes, b[4:4 + 4 * axes]), b[4 + 4 * axes:]


def counts(labels):
    labels = list(labels)
    return [sum(1 for l in labels if l == c) for c in range(10)]


if __name__ == "__main__":
    print("epoch_order(7, 0, 12)", permutation(7, 2, 0, 12))
    print("epoch_order(7, 1, 12)", permutation(7, 2, 1, 12))
    print("epoch_order(2^64 - 1, 2^40, 12)", permutation(M, 2, 1 << 40, 12))
    print("fixed_sample(7, 100, 12)", permutation(7, 2, M, 12))
    print("fixed_sample(0, 8, 1079)", permutation(0, 2, M, 1079)[:8])
    order = permutation(0, 1, 0, 1797)
    test, validation, train = sorted(order[:359]), sorted(order[359:718]), sorted(order[718:])
    rows = [list(map(int, r)) for r in csv.reader(io.TextIOWrapper(gzip.open(os.path.join(DATA, "digits.csv.gz"))))]
    print("digits", len(rows), "ink", sum(sum(r[:64]) for r in rows), counts(r[64] for r in rows))
    print("first row", rows[0][:8], "label", rows[0][64], "last label", rows[-1][64])
    for name, part in [("train", train), ("validation", validation), ("test", test)]:
        print("digits", name, len(part), "first indices", part[:8], "labels", [rows[i][64] for i in part[:8]],
              counts(rows[i][64] for i in part), "ink", sum(sum(rows[i][:64]) for i in part))
    for part in ["train", "test"]:
        shape, pixels = idx("mnist-%s-images.idx.gz" % part)
        _, labels = idx("mnist-%s-labels.idx.gz" % part)
        print("mnist", part, shape, "sum", sum(pixels), "first label", labels[0], counts(labels),
              "sum of the first image", sum(pixels[:784]))
    order = permutation(3, 1, 0, 10000)
    validation = sorted(order[:1000])
    print("mnist validation 0.1, seed 3", validation[:8], [labels_ for labels_ in (idx("mnist-train-labels.idx.gz")[1][i] for i in validation[:8])])
