#!/usr/bin/python3
"""Archives of numpy.savez and numpy.savez_compressed, and some that hold what is not for us, for
tests/framework/test_npz.c. With an argument: reads the archive that the test leaves there, as NumPy does.

usage: /usr/bin/python3 tests/golden/numpy_archives.py [ARCHIVE]"""
import os
import sys
import zipfile

import numpy as np


def arrays():
    x = np.arange(12, dtype=np.float64).reshape(3, 4) / 8
    return {"x": x, "y": np.array([5, -2, 1 << 40]), "deep": np.arange(600, dtype=np.float32).reshape(2, 3, 100) % 7}


def main():
    if len(sys.argv) > 1:
        for name, array in np.load(sys.argv[1]).items():
            print(name, array.dtype, array.shape, array.ravel()[:4])
        return
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npz")
    os.makedirs(folder, exist_ok=True)
    np.savez(f"{folder}/stored.npz", **arrays())
    np.savez_compressed(f"{folder}/deflated.npz", **arrays())
    np.savez(f"{folder}/one.npz", only=arrays()["x"])
    with zipfile.ZipFile(f"{folder}/others.npz", "w") as file:
        file.writestr("notes.txt", "no array")
        file.writestr("text.npy", "no array either")
        file.writestr("../out.npy", "a path that leads out")
    with zipfile.ZipFile(f"{folder}/none.npz", "w") as file:
        file.writestr("notes.txt", "no array")


main()
