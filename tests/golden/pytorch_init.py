#!/usr/bin/python3
"""Each of the models begun in PyTorch, saved as safetensors, and taken by ./train --init: our logits of test images
against PyTorch's.

usage: /usr/bin/python3 tests/golden/pytorch_init.py DATA      (Debian: python3-torch python3-onnx python3-opencv)"""
import subprocess
import sys
import tempfile

import numpy as np
import torch

from exchange import EXAMPLES, read_images, read_safetensors, twin
from pytorch_weights import write_safetensors

CASES = [  # model, preset, data set, channels, side of the images
    ("mlp", "mnist_cnn", "mnist", 1, 28),
    ("mnist_cnn", "mnist_cnn", "mnist", 1, 28),
    ("cifar_resnet", "cifar_resnet", "cifar10", 3, 32),
    ("resnet18", "cifar_resnet", "cifar10", 3, 32),
]


def check(root, folder, name, preset, dataset, channels, side):
    model = twin(name, channels, side)
    with torch.no_grad():
        model.train()(torch.randn(16, channels, side, side))  # running statistics
    write_safetensors(f"{folder}/pytorch.safetensors", model.eval().state_dict())
    run = f"{folder}/{name}"
    data = ["--data", root, "--dataset", dataset]
    train = ["./train", "--quiet", "--preset", preset, "--model", name, "--epochs", "0", "--log-every", "0", "--run", run]
    subprocess.run(train + data + ["--eval-every", "0", "--init", f"{folder}/pytorch.safetensors"], check=True)
    measure = ["./measure", "--run", run, "--examples", str(EXAMPLES), "--dump", f"{run}.npz", "--json"]
    subprocess.run(measure + data, check=True, stdout=subprocess.DEVNULL)
    metadata, _ = read_safetensors(f"{run}/model.safetensors")
    mean, deviation = (np.array(metadata[k].split(), np.float32).reshape(1, -1, 1, 1) for k in ("mean", "deviation"))
    with torch.no_grad():
        theirs = model(torch.from_numpy((read_images(root, dataset) - mean) / deviation))[0].numpy()
    error = np.abs(np.load(f"{run}.npz")["logits"] - theirs).max()
    print(f"{name:12s} largest difference {error:.1e}, largest logit {np.abs(theirs).max():.3g}")
    return error


def main():
    torch.manual_seed(3)
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(bool(max(check(sys.argv[1], folder, *case) for case in CASES) > 1e-5))


if __name__ == "__main__":
    main()
