#!/usr/bin/python3
"""What bench_step.c does, in PyTorch: the same arguments, the same work, the same line of results.

usage: pytorch_step.py train|infer MODEL none|fixed STEPS
       pytorch_step.py snnl POINTS DIMS fixed STEPS

Set up as a careful user would: channels_last, one thread for each available processor, representations flattened in
memory order (no copy), the loss as the formula reads (faster than by log-sum-exp). There is no optimal temperature.
"""
import os
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from pytorch_models import MnistCnn, ResNet18, ResNet20

BATCH, CLASSES, WARM_UP_STEPS = 128, 10, 3
MODELS = {  # network, images
    "cifar_resnet": (ResNet20, (3, 32, 32)),
    "resnet18": (ResNet18, (3, 32, 32)),
    "mnist_cnn": (lambda: MnistCnn(1, 28), (1, 28, 28)),
}


def snnl(x, y):
    norms = (x * x).sum(1)
    d = (norms[:, None] + norms[None, :] - 2.0 * (x @ x.t())).clamp_min(0)
    e = torch.exp(-d / 100.0) * (1.0 - torch.eye(len(x)))
    same = (y[:, None] == y[None, :]).to(x.dtype)
    return -torch.log(1e-9 + (e * same).sum(1) / (1e-9 + e.sum(1))).mean()


def network_step(training, name, with_snnl):
    build, image = MODELS[name]
    network = build().to(memory_format=torch.channels_last).train(training)
    x = torch.randn(BATCH, *image).to(memory_format=torch.channels_last)
    y = torch.randint(0, CLASSES, (BATCH,))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)

    def train():
        logits, taps = network(x)
        loss = F.cross_entropy(logits, y)
        if with_snnl:
            loss = loss - 0.01 * sum(snnl(h.permute(0, 2, 3, 1).flatten(1), y) for h in taps)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def infer():
        with torch.inference_mode():
            network(x)

    return train if training else infer


def snnl_step(points, dims):
    x = torch.randn(points, dims, requires_grad=True)
    y = torch.randint(0, CLASSES, (points,))

    def step():
        x.grad = None
        snnl(x, y).backward()

    return step


def main():
    *what, mode, steps = sys.argv[1:]
    if mode not in ("none", "fixed"):
        sys.exit(__doc__)
    torch.manual_seed(1)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    if what[0] == "snnl":
        step = snnl_step(int(what[1]), int(what[2]))
    else:
        step = network_step(what[0] == "train", what[1], mode == "fixed")
    begin, warm, times = time.perf_counter(), 0, []
    while warm < WARM_UP_STEPS or time.perf_counter() - begin < 0.5:
        step()
        warm += 1
    for _ in range(int(steps)):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"ms={statistics.median(times):.3f} min={min(times):.3f} max={max(times):.3f} mib={mib:.0f} gflop=0")


main()
