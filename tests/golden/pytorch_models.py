"""The networks of models/ in PyTorch, with the same names of layers: load_state_dict takes our weights as they are.
Each returns the logits and its taps."""
import torch.nn as nn
import torch.nn.functional as F


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


class ResNet(nn.Module):
    """For 3-channel images; `blocks` residual blocks for each entry of `channels`."""

    def __init__(self, channels, blocks):
        super().__init__()
        self.conv = nn.Conv2d(3, channels[0], 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels[0])
        self.blocks = []
        channels_in = channels[0]
        for out in (c for c in channels for _ in range(blocks)):
            self.blocks.append(f"block{len(self.blocks) + 1}")
            self.add_module(self.blocks[-1], Block(channels_in, out, 2 if out != channels_in else 1))
            channels_in = out
        self.logits = nn.Linear(channels_in, 10)

    def forward(self, x):
        h, taps = F.relu(self.bn(self.conv(x))), []
        for name in self.blocks:
            h = getattr(self, name)(h)
            taps.append(h)
        return self.logits(h.mean((2, 3))), taps


def ResNet20():
    return ResNet((16, 32, 64), 3)


def ResNet18():
    return ResNet((64, 128, 256, 512), 2)


class MnistCnn(nn.Module):
    """Same-padded 8x8 stride 2 is padding 3 for images of even size."""

    def __init__(self, channels, size):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 8, 2, 3)
        self.conv2 = nn.Conv2d(64, 128, 6, 2)
        self.conv3 = nn.Conv2d(128, 128, 5)
        side = (size // 2 - 6) // 2 + 1 - 4
        self.logits = nn.Linear(128 * side * side, 10)

    def forward(self, x):
        a = F.relu(self.conv1(x))
        b = F.relu(self.conv2(a))
        c = F.relu(self.conv3(b))
        return self.logits(c.flatten(1)), [a, b, c]


class Mlp(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.dense1 = nn.Linear(channels * size * size, 256)
        self.dense2 = nn.Linear(256, 256)
        self.logits = nn.Linear(256, 10)

    def forward(self, x):
        a = F.relu(self.dense1(x.flatten(1)))
        b = F.relu(self.dense2(a))
        return self.logits(b), [a, b]
