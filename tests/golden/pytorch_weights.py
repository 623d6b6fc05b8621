#!/usr/bin/python3
"""A small network of PyTorch (Debian's python3-torch) as a safetensors file, written here from the format's description,
with images and the logits that PyTorch computes of them: what tests/framework/test_weights.c compares with.

Its tensors have all types that weights are taken in, and batch norm's counter beside them.

usage: /usr/bin/python3 tests/golden/pytorch_weights.py"""
import json
import os
import struct

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

TYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}
STORED = {"conv.weight": torch.float16, "norm.weight": torch.bfloat16, "hidden.weight": torch.float64}


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.norm = nn.BatchNorm2d(4)
        self.hidden = nn.Linear(36, 8)
        self.logits = nn.Linear(8, 5)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)))
        return self.logits(F.relu(self.hidden(x.flatten(1))))


def bytes_of(tensor):
    if tensor.dtype == torch.bfloat16:  # NumPy has none: the upper half of a float32
        return (tensor.float().numpy().view(np.uint32) >> 16).astype(np.uint16).tobytes()
    return tensor.contiguous().numpy().tobytes()


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        raw = bytes_of(tensor)
        header[name] = {
            "dtype": TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    torch.manual_seed(1)
    model, images = Small(), torch.randn(6, 3, 6, 6)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    model.train()(torch.randn(32, 3, 6, 6) * 2 + 1)  # running statistics
    tensors = {name: tensor.to(STORED.get(name, tensor.dtype)) for name, tensor in model.state_dict().items()}
    model.load_state_dict(tensors)  # as rounded
    with torch.no_grad():
        logits = model.eval()(images)
    write_safetensors(f"{folder}/pytorch_small.safetensors", tensors)
    np.save(f"{folder}/pytorch_small_images.npy", images.permute(0, 2, 3, 1).contiguous().numpy())
    np.save(f"{folder}/pytorch_small_logits.npy", logits.numpy())
    print(logits)


if __name__ == "__main__":
    main()
