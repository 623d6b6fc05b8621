#!/usr/bin/python3
"""Repeats the runs of trace.c in PyTorch (Debian's python3-torch) from the same weights and batches, compares the
losses, and writes PyTorch's to pytorch_losses.csv, against which tests/experiments/test_training.c checks.

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
import torch.nn as nn
import torch.nn.functional as F

STEPS, BATCH = 20, 64
CASES = {  # case: model, tapped layers in the loss, SNNL weight, temperature, learning rate
    "mnist_cnn": ("mnist_cnn", 0.0, 100.0, 0.01),
    "mnist_cnn-snnl": ("mnist_cnn", 0.05, 10000.0, 0.01),
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


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = None
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Module()
            self.shortcut.conv = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.shortcut.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        h = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(h + (x if self.shortcut is None else self.shortcut.bn(self.shortcut.conv(x))))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        channels_in = 16
        for i, channels in enumerate([16] * 3 + [32] * 3 + [64] * 3):
            setattr(self, f"block{i + 1}", Block(channels_in, channels, 2 if channels != channels_in else 1))
            channels_in = channels
        self.logits = nn.Linear(64, 10)

    def forward(self, x):
        h, taps = F.relu(self.bn(self.conv(x))), []
        for i in range(9):
            h = getattr(self, f"block{i + 1}")(h)
            taps.append(h)
        return self.logits(h.mean((2, 3))), taps


class MnistCnn(nn.Module):
    """On the 32 x 32 x 3 images of shapes: same-padded 8x8 stride 2 is padding 3."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 8, 2, 3)
        self.conv2 = nn.Conv2d(64, 128, 6, 2)
        self.conv3 = nn.Conv2d(128, 128, 5)
        self.logits = nn.Linear(128 * 2 * 2, 10)

    def forward(self, x):
        a = F.relu(self.conv1(x))
        b = F.relu(self.conv2(a))
        c = F.relu(self.conv3(b))
        return self.logits(c.flatten(1)), [a, b, c]


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
    model = ResNet20() if model_name == "cifar_resnet" else MnistCnn()
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
