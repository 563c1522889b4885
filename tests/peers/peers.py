"""Whole jobs with the peers: hessian-eigenthings, curvlinops, and PyHessian's algorithms.

PyHessian is not on PyPI. Its algorithms are written here from their definitions, on graphs of the gradient that
are made once and kept: power iteration with deflation, Hutchinson's estimate with Rademacher probes, Lanczos
with full orthogonalisation.
"""

import math
import time
import warnings

import torch
import torch.nn.functional as F
from curvlinops import HessianLinearOperator, hutchinson_trace
from curvlinops.papyan2020traces.spectrum import fast_lanczos
from hessian_eigenthings import (
    HessianOperator,
    LambdaOperator,
    hutch_plus_plus,
    hutchinson,
    lanczos,
    lanczos_tridiagonal,
    spectral_density,
    supervised_loss,
)
from scipy.sparse.linalg import eigsh
from torch import nn

# curvlinops says that float32 is what it is given.
warnings.filterwarnings("ignore", module="curvlinops")

PAIRS = 5
TOLERANCE = 1e-3
PROBES = 100
STEPS = 50


def eigenthings(theirs, size):
    """The operator of hessian-eigenthings; the batches are of one size, for it takes the mean over them."""
    return HessianOperator(theirs.model, theirs.batches(size), supervised_loss(F.cross_entropy))


def curvlinops(theirs, size):
    return HessianLinearOperator(
        theirs.plain_model,
        nn.CrossEntropyLoss(),
        list(theirs.plain_model.parameters()),
        theirs.batches(size),
        check_deterministic=False,
    )


class Kept:
    """Products on kept graphs, with vectors that are lists of tensors, as PyHessian has them."""

    def __init__(self, theirs, size):
        self.theirs = theirs
        self.graphs = theirs.graphs(size)

    def product(self, v):
        return self.theirs.through(self.graphs, v)

    def random(self, generator, rademacher=False):
        for p in self.theirs.parameters:
            if rademacher:
                yield torch.randint(0, 2, p.shape, generator=generator).to(p.dtype) * 2 - 1
            else:
                yield torch.randn(p.shape, generator=generator)

    def flat(self):
        """The operator as hessian-eigenthings takes one, from public parts of both."""
        matvec = lambda v: self.theirs.join(self.product(self.theirs.split(v)))
        return LambdaOperator(
            matvec, size=self.theirs.dimension, device=torch.device("cpu"), dtype=torch.float32
        )


def dot(a, b):
    return sum(torch.sum(x * y) for x, y in zip(a, b)).item()


def unit(v):
    norm = math.sqrt(dot(v, v))
    return [x / norm for x in v]


def power(theirs, size, limit):
    """Eigenvalues by power iteration with deflation, each until its residual is small enough.

    The residual is that of the deflated operator. None where this takes more than `limit` seconds.
    """
    began = time.perf_counter()
    kept = Kept(theirs, size)
    generator = torch.Generator().manual_seed(0)
    found, residuals = [], []

    def deflated(v):
        for _, other in found:
            along = dot(v, other)
            v = [x - along * y for x, y in zip(v, other)]
        return v

    for _ in range(PAIRS):
        v = unit(deflated(list(kept.random(generator))))
        while True:
            product = deflated(kept.product(v))
            value = dot(v, product)
            residual = math.sqrt(sum(torch.sum((p - value * x) ** 2) for p, x in zip(product, v)))
            if residual <= TOLERANCE * abs(value):
                break
            if time.perf_counter() - began > limit:
                return None
            v = unit(product)
        found.append((value, v))
        residuals.append(residual)
    return [value for value, _ in found], residuals


def steps_needed(operator):
    """The fewest steps of Lanczos after which hessian-eigenthings has its pairs, by a run that is not timed."""
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(operator.size, generator=generator)
    most = min(120, operator.size - 1)
    run = lanczos_tridiagonal(operator, start, most, reorthogonalize=True)
    betas = torch.cat([run.betas, torch.tensor([run.last_beta])])
    for steps in range(PAIRS + 1, most + 1):
        matrix = torch.diag(run.alphas[:steps]) + sum(
            torch.diag(betas[: steps - 1], side) for side in (1, -1)
        )
        values, vectors = torch.linalg.eigh(matrix)
        residuals = betas[steps - 1] * vectors[-1, -PAIRS:].abs()
        if (residuals <= TOLERANCE * values[-PAIRS:].abs()).all():
            return steps
    return most


def lanczos_pairs(operator, steps, count=PAIRS):
    # Full orthogonalisation, which it leaves out above 50 steps unless told.
    found = lanczos(
        operator, k=count, max_iter=steps, tol=TOLERANCE, which="LA", seed=0, reorthogonalize=True
    )
    return found.eigenvalues.tolist(), found.residuals.tolist()


def arpack(theirs, size):
    operator = curvlinops(theirs, size).to_scipy()
    values = eigsh(operator, k=PAIRS, which="LA", tol=TOLERANCE, return_eigenvectors=True)[0]
    return sorted(values.tolist(), reverse=True), None


def probes(theirs, size):
    """Hutchinson's estimate on kept graphs: mean and standard error."""
    kept = Kept(theirs, size)
    generator = torch.Generator().manual_seed(0)
    values = []
    for _ in range(PROBES):
        z = list(kept.random(generator, rademacher=True))
        values.append(dot(z, kept.product(z)))
    values = torch.tensor(values, dtype=torch.float64)
    return values.mean().item(), values.std().item() / math.sqrt(PROBES)


def eigenthings_trace(operator):
    found = hutchinson(operator, num_samples=PROBES, seed=0)
    return found.estimate, found.stderr


def sketched_trace(operator, products):
    found = hutch_plus_plus(operator, num_matvecs=products, seed=0)
    return found.estimate, found.stderr


def curvlinops_trace(theirs, size):
    return hutchinson_trace(curvlinops(theirs, size), PROBES, "rademacher").item(), None


def quadrature(theirs, size):
    """Nodes and weights of a quadrature by Lanczos on kept graphs."""
    kept = Kept(theirs, size)
    generator = torch.Generator().manual_seed(0)
    v = unit(list(kept.random(generator, rademacher=True)))
    basis, alphas, betas = [], [], []
    for _ in range(STEPS):
        basis.append(v)
        w = kept.product(v)
        alphas.append(dot(v, w))
        for other in basis:
            along = dot(w, other)
            w = [x - along * y for x, y in zip(w, other)]
        beta = math.sqrt(dot(w, w))
        betas.append(beta)
        v = [x / beta for x in w]
    matrix = torch.diag(torch.tensor(alphas))
    matrix = matrix + sum(torch.diag(torch.tensor(betas[:-1]), side) for side in (1, -1))
    nodes, vectors = torch.linalg.eigh(matrix)
    return nodes, vectors[0] ** 2


def eigenthings_density(operator):
    found = spectral_density(operator, num_runs=1, lanczos_steps=STEPS, seed=0)
    return found.raw_eigenvalues[0], found.raw_weights[0]


def curvlinops_density(theirs, size):
    nodes, vectors = fast_lanczos(curvlinops(theirs, size), STEPS)
    return nodes, vectors[0] ** 2


def quadrature_from(operator, start):
    """The quadrature of a given start vector by hessian-eigenthings' Lanczos."""
    run = lanczos_tridiagonal(operator, start, STEPS, reorthogonalize=True)
    matrix = torch.diag(run.alphas) + sum(torch.diag(run.betas, side) for side in (1, -1))
    nodes, vectors = torch.linalg.eigh(matrix.double())
    return nodes, vectors[0] ** 2
