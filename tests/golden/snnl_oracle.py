#!/usr/bin/env python3
"""Checks ./measure against the formula of the soft nearest neighbor loss in plain numpy, double precision.

usage: tests/golden/snnl_oracle.py [--program ./measure] [--quick]

The sweep: 2 to 3,000 points, 1 to 4,096 dimensions, temperatures 1e-3 to 1e6 and the optimal one, both distances;
points far from the origin, lone classes, one class, duplicates, zero points, float32 and float64, labels of every
integer type, arrays of rank 1 to 4. Values must be right to 1e-5 relative, gradients to 1e-5 of the largest entry.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TEMPERATURES = (1e-3, 1e-2, 0.1, 1.0, 10.0, 1e3, 1e6)
LABEL_TYPES = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)


def distances(x, distance):
    """All pairs, without a Gram matrix where that would lose digits."""
    x = x.reshape(len(x), -1).astype(np.float64)
    if distance == "cosine":
        norm = np.linalg.norm(x, axis=1, keepdims=True)
        x = np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)
    if len(x) * len(x) * x.shape[1] <= 5e8:
        d = np.stack([((x - row) ** 2).sum(axis=1) for row in x])
    else:
        c = x - x.mean(axis=0)
        square = (c * c).sum(axis=1)
        d = np.maximum(square[:, None] + square[None, :] - 2 * c @ c.T, 0)
    if distance == "cosine":
        d = d / 2
        zero = (norm == 0).ravel()
        d[zero, :] = 1
        d[:, zero] = 1
    return d


def log_sum(s, mask):
    s = np.where(mask, s, -np.inf)
    top = s.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isfinite(top[:, 0]), top[:, 0] + np.log(np.exp(s - top).sum(axis=1)), -np.inf)


def loss(d, y, temperature):
    """The mean over usable points of log(all / same) = log(1 + other / same)."""
    same = y[:, None] == y[None, :]
    np.fill_diagonal(same, False)
    other = y[:, None] != y[None, :]
    usable = same.any(axis=1)
    if not usable.any():
        return 0.0, 0
    s = -d[usable] / temperature
    return float(np.logaddexp(0, log_sum(s, other[usable]) - log_sum(s, same[usable])).mean()), int(usable.sum())


def softmax(s, mask):
    s = np.where(mask, s, -np.inf)
    top = s.max(axis=1, keepdims=True)
    e = np.exp(s - np.where(np.isfinite(top), top, 0))
    return e / np.maximum(e.sum(axis=1, keepdims=True), 1e-300)


def gradient(x, y, d, distance, temperature):
    """d loss / d x_i = sum over j of (w_ij + w_ji) d d_ij / d x_i, with w_ij = (q_ij - p_ij) / (T usable).

    Within the class q - p = q (1 - same / all): q times the others' share of p, which does not cancel."""
    shape = x.shape
    x = x.reshape(len(x), -1).astype(np.float64)
    same = y[:, None] == y[None, :]
    np.fill_diagonal(same, False)
    other = y[:, None] != y[None, :]
    usable = same.any(axis=1, keepdims=True)
    s = -d / temperature
    p = softmax(s, same | other)
    pull = softmax(s, same) * np.where(other, p, 0).sum(axis=1, keepdims=True)
    w = np.where(usable, np.where(same, pull, -p) / (temperature * max(usable.sum(), 1)), 0)
    w = w + w.T
    if distance == "euclidean":
        return (2 * (w.sum(axis=1, keepdims=True) * x - w @ x)).reshape(shape)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    u = np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)
    g = -(w @ u)
    g -= (g * u).sum(axis=1, keepdims=True) * u
    return np.divide(g, norm, out=np.zeros_like(g), where=norm > 0).reshape(shape)


class Checker:
    def __init__(self, program):
        self.program, self.checks, self.failures, self.worst = program, 0, 0, 0.0
        self.folder = tempfile.TemporaryDirectory()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def fail(self, what, message):
        self.failures += 1
        print(f"FAILED {what}: {message}")

    def measure(self, what, *options):
        command = [self.program, "--features", self.path("x.npy"), "--labels", self.path("y.npy"), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.checks += 1
        if done.returncode != 0:
            self.fail(what, f"exit code {done.returncode}: {done.stderr.strip()}")
            return None
        return json.loads(done.stdout)

    def check(self, what, x, y, distance, temperatures=TEMPERATURES, with_gradient=False):
        np.save(self.path("x.npy"), x)
        np.save(self.path("y.npy"), y)
        d = distances(x, distance)
        for temperature in temperatures:
            self.check_temperature(f"{what}, {distance}, T {temperature:g}", x, y, d, distance, temperature,
                                   with_gradient)
        self.check_optimal(f"{what}, {distance}, optimal", d, y, distance)

    def check_temperature(self, what, x, y, d, distance, temperature, with_gradient):
        options = ["--distance", distance, "--temperature", repr(temperature)]
        if with_gradient:
            options += ["--gradient", self.path("g.npy")]
        result = self.measure(what, *options)
        if result is None:
            return
        expected, usable = loss(d, y, temperature)
        error = abs(result["snnl"] - expected) / max(abs(expected), 1e-300) if expected else abs(result["snnl"])
        self.worst = max(self.worst, error)
        if not error <= 1e-5:
            self.fail(what, f"{result['snnl']!r}, expected {expected!r}")
        if (result["points"], result["usable"], result["skipped"]) != (len(y), usable, len(y) - usable):
            self.fail(what, f"counts {result}, expected {usable} usable of {len(y)}")
        if result["temperature"] != temperature or result["distance"] != distance:
            self.fail(what, f"reports {result}")
        if with_gradient:
            g, wanted = np.load(self.path("g.npy")), gradient(x, y, d, distance, temperature)
            if g.dtype != np.float32 or g.shape != x.shape:
                self.fail(what, f"gradient of type {g.dtype}, shape {g.shape}")
                return
            rounding = 1e-13 / temperature if distance == "cosine" else 1e-30  # along x the gradient cancels
            if not np.abs(g - wanted).max() <= 1e-5 * np.abs(wanted).max() + rounding:
                self.fail(what, f"gradient off by {np.abs(g - wanted).max():g} of {np.abs(wanted).max():g}")

    def check_optimal(self, what, d, y, distance):
        result = self.measure(what, "--distance", distance, "--temperature", "optimal")
        if result is None:
            return
        at, usable = loss(d, y, result["temperature"])
        if abs(result["snnl"] - at) > 1e-5 * abs(at):
            self.fail(what, f"{result['snnl']!r} at T {result['temperature']!r}, expected {at!r}")
        if usable and len(y) <= 300 and d.sum() > 0:
            mean = d.sum() / (len(y) * (len(y) - 1))
            lowest = min(loss(d, y, mean * 2.0 ** octave)[0] for octave in np.arange(-40, 16.1, 0.5))
            if result["snnl"] > lowest * (1 + 1e-5):
                self.fail(what, f"{result['snnl']!r}, but {lowest!r} at another temperature")


def sweep(checker, quick):
    random = np.random.default_rng(5)
    sizes = [(2, 1), (3, 2), (10, 1), (50, 3), (128, 64), (200, 4096), (257, 30)]
    sizes += [] if quick else [(1000, 10), (1448, 64), (1449, 64), (2048, 17), (3000, 4), (3000, 300), (2100, 600)]
    for number, (b, d) in enumerate(sizes):
        for distance in ("euclidean", "cosine"):
            classes = min(10, max(1, b // 3))
            y = random.integers(0, classes, b).astype(LABEL_TYPES[number % len(LABEL_TYPES)])
            means = random.normal(size=(classes, d))
            kind = np.float32 if number % 2 else np.float64
            few = TEMPERATURES if b <= 300 else TEMPERATURES[::3]
            for apart in (0.0, 1.0, 5.0):
                x = (random.normal(size=(b, d)) + apart * means[y.astype(int)]).astype(kind)
                checker.check(f"{b} x {d} apart {apart:g}", x, y, distance, few, b * d <= 40000 and apart == 1)
            checker.check(f"{b} x {d} offset", (x + 1e3).astype(kind), y, distance, few)

    x, y = random.normal(size=(60, 8)), random.integers(0, 4, 60)
    for distance in ("euclidean", "cosine"):
        lone = np.concatenate([y[:-3], [100, -5, 77]])
        checker.check("lone classes", x, lone, distance, with_gradient=True)
        checker.check("one class", x, np.zeros(60, np.int64), distance)
        checker.check("all lone", x, np.arange(60), distance)
        checker.check("huge labels", x, y * (2 ** 60) - 2 ** 61, distance)
        checker.check("duplicates", np.repeat(x[:20], 3, axis=0), y, distance, with_gradient=True)
        checker.check("identical", np.ones((60, 8)) * 0.1, y, distance)
        checker.check("near duplicates", np.repeat(x[:20], 3, axis=0) + 1e-5 * x, y, distance)
        zeros = x.copy()
        zeros[::7] = 0
        checker.check("zero points", zeros, y, distance, with_gradient=True)
        checker.check("rank 4", x.reshape(60, 2, 2, 2), y, distance, with_gradient=True)
        checker.check("rank 1", x[:, 0].copy(), y, distance, with_gradient=True)
        checker.check("large", x * 1e4, y, distance)
        checker.check("small", x * 1e-6, y, distance)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="./measure")
    parser.add_argument("--quick", action="store_true", help="at most 300 points")
    options = parser.parse_args()
    checker = Checker(options.program)
    sweep(checker, options.quick)
    print(f"{checker.checks} runs, {checker.failures} failures, largest relative error {checker.worst:.2g}")
    return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main())
