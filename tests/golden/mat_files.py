#!/usr/bin/python3
"""Writes the files in tests/golden/mat/ with SciPy (Debian's python3-scipy), for tests/datasets/test_mat.c and
test_svhn.c, which know the same formulas.

usage: /usr/bin/python3 tests/golden/mat_files.py
"""
import os

import numpy as np
import scipy.io

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mat")


def images(count, first):
    """uint8 [32][32][3][count], as SVHN's X; `first` numbers the first image."""
    y, x, c, i = np.meshgrid(*map(np.arange, (32, 32, 3, count)), indexing="ij")
    return ((y * 5 + x * 3 + c * 101 + (i + first) * 31) % 256).astype(np.uint8)


def labels(count, first, kind):
    """[count][1]: 1 to 10, where 10 is the digit 0."""
    return ((np.arange(count) * 3 + first) % 10 + 1).astype(kind).reshape(-1, 1)


def variables():
    """Every type of numbers, and what a reader has to pass over."""
    yield "nested", {"number": 1.5, "text": "X"}
    yield "cells", np.array([1.0, "a", np.arange(3)], dtype=object)
    yield "text", "hello"
    yield "complex", np.array([[1 + 2j, 3 - 4j]])
    yield "logical", np.array([[True, False, True]])
    yield "empty", np.zeros((0, 3))
    for kind in "int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64".split():
        low = 0 if kind[0] == "u" else -50
        yield kind, (low + 7 * np.arange(24)).astype(kind).reshape(2, 3, 4, order="F")
    yield "large", np.array([[2.0**40, -1e-300]])
    yield "a_name_of_thirty_one_characters", np.array([[7.0]])


def save(name, content, packed):
    path = os.path.join(FOLDER, name)
    scipy.io.savemat(path, content, do_compression=packed)
    with open(path, "r+b") as file:  # the header's text tells when and where it was written: not wanted here
        file.write(b"MATLAB 5.0 MAT-file, written by SciPy".ljust(116))


os.makedirs(FOLDER, exist_ok=True)
save("svhn-packed-uint8.mat", {"X": images(6, 0), "y": labels(6, 0, np.uint8)}, True)
save("svhn-plain-double.mat", {"y": labels(3, 6, np.float64), "X": images(3, 6)}, False)
save("svhn-packed-double.mat", {"X": images(11, 9), "y": labels(11, 9, np.float64)}, True)
save("numbers-packed.mat", dict(variables()), True)
save("numbers-plain.mat", dict(variables()), False)
