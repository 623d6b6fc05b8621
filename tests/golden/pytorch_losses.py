#!/usr/bin/python3
"""Repeats the runs of tests/support/trace.c in PyTorch (Debian's python3-torch) from the same weights and
batches, compares the losses, and writes PyTorch's to pytorch_losses.csv, against which
tests/experiments/test_training.c checks.

usage: make build/release/tests/golden/write_trace
       mkdir -p /tmp/trace && build/release/tests/golden/write_trace /tmp/trace
       /usr/bin/python3 tests/golden/pytorch_losses.py /tmp/trace
"""
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

from pytorch_models import MnistCnn, ResNet20

STEPS, BATCH = 20, 64
CASES = {  # case: model, tapped layers in the loss, SNNL weight, temperature, learning rate
    "mnist_cnn": ("mnist_cnn", 0.0, 100.0, 0.001),
    "mnist_cnn-snnl": ("mnist_cnn", 0.05, 10000.0, 0.001),
    "cifar_resnet": ("cifar_resnet", 0.0, 100.0, 0.0003),
    "cifar_resnet-snnl": ("cifar_resnet", 0.02, 10000.0, 0.0003),
}


def read_safetensors(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__")
    tensors = {}
    for name, tensor in header.items():
        first, last = tensor["data_offsets"]
        values = np.frombuffer(data[8 + length + first : 8 + length + last], np.float32)
        tensors[name] = torch.from_numpy(values.reshape(tensor["shape"]).copy())
    return tensors


def snnl(x, y, temperature):
    """The formula in double precision; points without a partner are skipped."""
    x = x.flatten(1).double()
    s = -(x[:, None] - x[None]).square().sum(2) / temperature if x.shape[1] < 64 else -distances(x) / temperature
    s = s.masked_fill(torch.eye(len(x), dtype=torch.bool), -torch.inf)
    same = y[:, None] == y[None]
    usable = same.sum(1) > 1
    loss = torch.logsumexp(s[usable], 1) - torch.logsumexp(s.masked_fill(~same, -torch.inf)[usable], 1)
    return loss.mean().float()


def distances(x):
    x = x - x.mean(0)
    norms = x.square().sum(1)
    return (norms[:, None] + norms[None] - 2 * x @ x.t()).clamp_min(0)


def run(case, folder):
    model_name, weight, temperature, rate = CASES[case]
    model = ResNet20() if model_name == "cifar_resnet" else MnistCnn(3, 32)
    missing = model.load_state_dict(read_safetensors(f"{folder}/{case}.safetensors"), strict=True)
    print(f"{case}: load_state_dict(strict=True): {missing}")
    images = np.fromfile(f"{folder}/{case}.images", np.float32).reshape(STEPS, BATCH, 32, 32, 3)
    labels = np.fromfile(f"{folder}/{case}.labels", np.int32).reshape(STEPS, BATCH)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4)
    losses = []
    for x, y in zip(images, labels):
        x = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
        y = torch.from_numpy(y.astype(np.int64))
        logits, taps = model(x)
        loss = F.cross_entropy(logits, y)
        if weight:
            loss = loss - weight * sum(snnl(h, y, temperature) for h in taps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main():
    folder = sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))
    worst = 0.0
    with open(f"{here}/pytorch_losses.csv", "w") as file:
        file.write("case,step,loss\n")
        for case in CASES:
            ours = [float(line) for line in open(f"{folder}/{case}.losses")]
            for step, (loss, our) in enumerate(zip(run(case, folder), ours), 1):
                difference = abs(our - loss) / abs(loss)
                worst = max(worst, difference)
                print(f"{case:18s} step {step:2d}  PyTorch {loss:12.7f}  entangle {our:12.7f}  relative {difference:.1e}")
                file.write(f"{case},{step},{loss:.9g}\n")
    print(f"largest relative difference: {worst:.2e}")
    sys.exit(worst > 1e-3)


main()
