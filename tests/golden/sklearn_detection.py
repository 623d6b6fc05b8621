#!/usr/bin/python3
"""Scores of in- and out-of-distribution examples and what scikit-learn (Debian's python3-sklearn) finds for them,
written as sklearn_detection.csv, against which tests/experiments/test_detection.c compares ours. Scores are whole
numbers, so that they are read back as they are; `step` rounds them, so that many are equal.

usage: /usr/bin/python3 tests/golden/sklearn_detection.py
"""
import os

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

# in, out, how many deviations apart, step
CASES = [(40, 30, 1.0, 1), (40, 30, 1.0, 400), (100, 20, 2.0, 1), (20, 100, 0.0, 250), (60, 60, -1.0, 100), (1, 50, 1.5, 1),
         (50, 1, 0.5, 300), (37, 41, 3.0, 1000)]

folder = os.path.dirname(os.path.abspath(__file__))
random = np.random.RandomState(11)

with open(os.path.join(folder, "sklearn_detection.csv"), "w") as file:
    file.write("# sklearn.metrics, version %s; one case a line: numbers of scores, what is found, scores in, scores out\n"
               % sklearn.__version__)
    file.write("in,out,auroc,aupr_in,aupr_out,fpr95,scores...\n")
    for ins, outs, apart, step in CASES:
        scores = np.concatenate([random.normal(apart, 1, ins), random.normal(0, 1, outs)])
        scores = (np.round(scores * 1000 / step) * step).astype(int)
        inside = np.arange(ins + outs) < ins
        fpr, tpr, _ = roc_curve(inside, scores, drop_intermediate=False)
        found = [roc_auc_score(inside, scores), average_precision_score(inside, scores),
                 average_precision_score(~inside, -scores), fpr[tpr >= 0.95].min()]
        line = "%d,%d,%s,%s" % (ins, outs, ",".join("%.15g" % x for x in found), ",".join(map(str, scores)))
        file.write(line + "\n")
