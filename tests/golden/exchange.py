#!/usr/bin/python3
"""What a run leaves, taken up by other programs and compared with ours:

    model.safetensors   into PyTorch's twin of the model (pytorch_models.py), by a reader of its own
    ./export            checked by the onnx package, and run by OpenCV's dnn and by ONNX Runtime: logits and every tap
    ./measure --dump    the logits and taps to compare with, as a folder of .npy and as one .npz, read by NumPy

usage: /usr/bin/python3 tests/golden/exchange.py DATA RUN...
Debian: python3-torch python3-onnx python3-opencv. ONNX Runtime is left out unless $ONNXRUNTIME names a folder in which
`npm install onnxruntime-web` was run, for node. DATA is the data root; the runs are on mnist, fashion-mnist or cifar10."""
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import onnx
import torch

from pytorch_models import Mlp, MnistCnn, ResNet18, ResNet20

EXAMPLES, BATCH = 100, 50


def read_safetensors(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, tensor in header.items():
        first, last = tensor["data_offsets"]
        values = np.frombuffer(data[8 + length + first : 8 + length + last], np.float32)
        tensors[name] = torch.from_numpy(values.reshape(tensor["shape"]).copy())
    return metadata, tensors


def read_images(root, dataset):
    """The first test images, from 0 to 1, channels second."""
    if dataset == "cifar10":
        records = open(f"{root}/cifar10/cifar-10-batches-bin/test_batch.bin", "rb").read(EXAMPLES * 3073)
        pixels = np.frombuffer(records, np.uint8).reshape(EXAMPLES, 3073)[:, 1:].reshape(EXAMPLES, 3, 32, 32)
    else:
        data = gzip.open(f"{root}/{dataset}/t10k-images-idx3-ubyte.gz").read()
        pixels = np.frombuffer(data[16 : 16 + EXAMPLES * 784], np.uint8).reshape(EXAMPLES, 1, 28, 28)
    return pixels.astype(np.float32) / np.float32(255)


def twin(model, channels, size):
    return {
        "mlp": lambda: Mlp(channels, size),
        "mnist_cnn": lambda: MnistCnn(channels, size),
        "cifar_resnet": ResNet20,
        "resnet18": ResNet18,
    }[model]()


def difference(what, ours, theirs):
    error = float(np.abs(ours - theirs).max() / max(1, np.abs(ours).max()))
    print(f"  {what:28s} largest difference {error:.1e} of {np.abs(ours).max():.4g}")
    return error


def check_pytorch(run, images, logits):
    metadata, tensors = read_safetensors(f"{run}/model.safetensors")
    model = twin(metadata["model"], images.shape[1], images.shape[2])
    lacking = model.load_state_dict(tensors, strict=False)
    assert not lacking.unexpected_keys and all("num_batches_tracked" in key for key in lacking.missing_keys), lacking
    mean, deviation = (np.array(metadata[k].split(), np.float32).reshape(1, -1, 1, 1) for k in ("mean", "deviation"))
    with torch.no_grad():
        found = model.eval()(torch.from_numpy((images - mean) / deviation))[0].numpy()
    return difference("PyTorch, model.safetensors", logits, found)


def check_onnx(path, images, dump, last):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    net = cv2.dnn.readNetFromONNX(path)
    names = [output.name for output in model.graph.output]
    found = {name: [] for name in names}
    for start in range(0, EXAMPLES, BATCH):
        net.setInput(images[start : start + BATCH], "image")
        for name, value in zip(names, net.forward(names)):
            found[name].append(value)
    worst = 0
    for name in names:
        ours = dump[name]
        if ours.ndim == 4 and not last:
            ours = ours.transpose(0, 3, 1, 2)
        worst = max(worst, difference(f"OpenCV, {name}", ours, np.concatenate(found[name])))
    return worst


def check_onnxruntime(path, images, folder, layout):
    modules = os.environ.get("ONNXRUNTIME")
    if not modules:
        return 0
    np.save(f"{folder}/images.npy", images)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnxruntime.mjs")
    command = ["node", script, os.path.abspath(modules), path, f"{folder}/images.npy", f"{folder}/taps", layout]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = [line.split() for line in found.splitlines()]
    for name, error, largest in lines:
        print(f"  {'ONNX Runtime, ' + name:28s} largest difference {float(error):.1e} of {float(largest):.4g}")
    return max(float(line[1]) for line in lines)


def read_dump(run, root, folder):
    measure = ["./measure", "--run", run, "--data", root, "--examples", str(EXAMPLES), "--json", "--dump"]
    subprocess.run(measure + [f"{folder}/taps"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(measure + [f"{folder}/taps.npz"], check=True, stdout=subprocess.DEVNULL)
    whole = np.load(f"{folder}/taps.npz")
    files = {name[:-4]: np.load(f"{folder}/taps/{name}") for name in os.listdir(f"{folder}/taps")}
    assert set(files) == set(whole.files), (set(files), set(whole.files))
    assert all((files[name] == whole[name]).all() for name in files)
    return files


def check(root, run, folder):
    metadata, _ = read_safetensors(f"{run}/model.safetensors")
    images = read_images(root, metadata["dataset"])
    print(f"{os.path.basename(run)}: {metadata['model']}, {EXAMPLES} test images of {metadata['dataset']}")
    dump = read_dump(run, root, folder)
    worst = check_pytorch(run, images, dump["logits"])
    for options in ([], ["--taps"], ["--taps", "--layout", "channels-last"]):
        last = "channels-last" in options
        path = f"{folder}/model.onnx"
        subprocess.run(["./export", "--quiet", "--run", run, "--out", path] + options, check=True)
        pixels = images.transpose(0, 2, 3, 1).copy() if last else images
        worst = max(worst, check_onnx(path, pixels, dump, last))
        worst = max(worst, check_onnxruntime(path, pixels, folder, "channels-last" if last else "channels-first"))
    return worst


def main():
    worst = 0
    for run in sys.argv[2:]:
        with tempfile.TemporaryDirectory() as folder:
            worst = max(worst, check(sys.argv[1], run, folder))
    print(f"largest difference of all: {worst:.1e} of the largest value")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
