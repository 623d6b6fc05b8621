#!/usr/bin/env python3
"""Writes the seeds of every fuzz target, tests/fuzz/corpus/NAME/seed-WHAT. Needs nothing but Python.

usage: tests/fuzz/make_seeds.py
What is called found-WHAT there was found by fuzzing and is not made anew.
"""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"


def seed(target, what, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{what}").write_bytes(content)


def parts(*files):
    """Several files in one input, as fuzz_cut takes it apart."""
    lengths = [struct.pack("<H", len(file)) for file in files[:-1]] + [b""]
    return b"".join(length + file for length, file in zip(lengths, files))


# --- IDX ---------------------------------------------------------------------------------------------------


def idx(magic, dims, data):
    return struct.pack(f">I{len(dims)}I", magic, *dims) + data


def idx_seeds():
    images = idx(0x803, (3, 2, 4), bytes(range(24)))
    labels = idx(0x801, (3,), bytes((0, 9, 4)))
    seed("idx", "four-files", parts(images, labels, images, labels))
    seed("idx", "test-split", parts(images, labels, b"", b""))
    seed("idx", "billion-images", parts(idx(0x803, (10**9, 28, 28), bytes(8)), idx(0x801, (10**9,), bytes(8)), b"", b""))
    seed("idx", "other-sizes", parts(images, labels, idx(0x803, (3, 4, 2), bytes(24)), labels))


if __name__ == "__main__":
    idx_seeds()
