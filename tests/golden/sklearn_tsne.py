#!/usr/bin/python3
"""Embeds scikit-learn's handwritten digits by its t-SNE (Debian's python3-sklearn) and writes the data as
digits.npy (uint8 [1797, 64]) and digits_labels.npy, and the divergences that it reaches as sklearn_tsne.csv,
against which tests/experiments/test_tsne.c compares ours.

usage: /usr/bin/python3 tests/golden/sklearn_tsne.py
"""
import os

import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE

SEEDS = 4
CASES = [("exact", 600), ("exact", 1797), ("barnes_hut", 600), ("barnes_hut", 1797)]

folder = os.path.dirname(os.path.abspath(__file__))
digits = load_digits()
pixels = digits.data.astype(np.uint8)
assert (pixels == digits.data).all()
np.save(os.path.join(folder, "digits.npy"), pixels)
np.save(os.path.join(folder, "digits_labels.npy"), digits.target.astype(np.uint8))

with open(os.path.join(folder, "sklearn_tsne.csv"), "w") as file:
    file.write("# KL of sklearn.manifold.TSNE, version %s, on the first `points` digits, perplexity 30\n" % sklearn.__version__)
    file.write("method,points,init,seed,kl\n")
    for method, points in CASES:
        for init, seed in [("pca", 0)] + [("random", seed) for seed in range(SEEDS)]:
            tsne = TSNE(method=method, perplexity=30, init=init, learning_rate="auto", n_iter=1000, random_state=seed)
            tsne.fit(pixels[:points].astype(np.float32))
            line = "%s,%d,%s,%d,%.6f" % (method, points, init, seed, tsne.kl_divergence_)
            print(line, flush=True)
            file.write(line + "\n")
