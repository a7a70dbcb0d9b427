"""The stacked hourglass in PyTorch and its loss, written from the paper, with parameters named as in pytorch-pose.

The parity fixtures and the speed peer share this file. A convolution before a normalisation, or whose output reaches the scores
through normalisations alone, has no bias, as it would be taken away again: only the scores' convolutions have one.
"""
import torch
import torch.nn.functional as F
from torch import nn

DEPTH = 4


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions, each after a normalisation and ReLU, beside a shortcut."""

    def __init__(self, inputs, channels):
        super().__init__()
        half = channels // 2
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, half, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, half, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(half, channels, 1, bias=False)
        self.downsample = nn.Sequential(nn.Conv2d(inputs, channels, 1, bias=False)) if inputs != channels else None

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x), inplace=True))
        y = self.conv2(F.relu(self.bn2(y), inplace=True))
        y = self.conv3(F.relu(self.bn3(y), inplace=True))
        return y + (x if self.downsample is None else self.downsample(x))


def residuals(inputs, channels, count):
    return nn.Sequential(*(Bottleneck(inputs if index == 0 else channels, channels) for index in range(count)))


class Hourglass(nn.Module):
    """Halves its maps four times and doubles them again; each level adds what it had before."""

    def __init__(self, channels, blocks):
        super().__init__()
        places = [4 if level == 0 else 3 for level in range(DEPTH)]
        self.hg = nn.ModuleList(
            nn.ModuleList(residuals(channels, channels, blocks) for _ in range(count)) for count in places
        )

    def at(self, level, x, inner):
        parts = self.hg[level]
        below = parts[1](F.max_pool2d(x, 2))
        below = parts[3](below) if level == 0 else self.at(level - 1, below, inner)
        left = parts[2](below)
        inner.append(left)
        return parts[0](x) + F.interpolate(left, scale_factor=2)

    def forward(self, x):
        inner = []
        return self.at(DEPTH - 1, x, inner), inner


class StackedHourglass(nn.Module):
    """Returns heat-maps [B, stacks, joints, H / 4, W / 4], the last map of each stack, and the mean of the last of them."""

    def __init__(self, width=64, joints=16, stacks=2, blocks=1, inner_taps=False):
        super().__init__()
        channels = 4 * width
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = residuals(width, 2 * width, 1)
        self.layer2 = residuals(2 * width, channels, 1)
        self.layer3 = residuals(channels, channels, 1)
        plain = lambda inputs, outputs: nn.Conv2d(inputs, outputs, 1, bias=False)  # noqa: E731
        self.hg = nn.ModuleList(Hourglass(channels, blocks) for _ in range(stacks))
        self.res = nn.ModuleList(residuals(channels, channels, blocks) for _ in range(stacks))
        self.fc = nn.ModuleList(
            nn.Sequential(plain(channels, channels), nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
            for _ in range(stacks)
        )
        self.score = nn.ModuleList(nn.Conv2d(channels, joints, 1) for _ in range(stacks))
        self.fc_ = nn.ModuleList(plain(channels, channels) for _ in range(stacks - 1))
        self.score_ = nn.ModuleList(plain(joints, channels) for _ in range(stacks - 1))
        self.inner_taps = inner_taps
        self.tap_channels = [channels] * (stacks + (DEPTH if inner_taps else 0))

    def forward(self, images):
        x = F.relu(self.bn1(self.conv1(images)), inplace=True)
        x = self.layer3(self.layer2(F.max_pool2d(self.layer1(x), 2)))
        maps, taps, inner = [], [], []
        for stack, hourglass in enumerate(self.hg):
            found, inner = hourglass(x)
            last = self.fc[stack](self.res[stack](found))
            scores = self.score[stack](last)
            maps.append(scores)
            taps.append(last)
            if stack < len(self.hg) - 1:
                x = x + self.fc_[stack](last) + self.score_[stack](scores)
        return torch.stack(maps, 1), taps + (inner if self.inner_taps else []), taps[-1].mean((2, 3))


def heatmap_targets(places, height, width):
    """Gaussians [B, J, H, W] of deviation 1 and peak 1 around places [B, J, 2], x and y as shares of the picture."""
    columns = torch.arange(width, dtype=places.dtype) + 0.5 - places[..., :1] * width
    rows = torch.arange(height, dtype=places.dtype) + 0.5 - places[..., 1:] * height
    return torch.exp(-rows**2 / 2)[..., :, None] * torch.exp(-columns**2 / 2)[..., None, :]


def heatmap_losses(output, places, weights):
    """The loss of each person [B]: mean squared errors of the labelled joints' maps, averaged, and summed over stacks."""
    errors = (output - heatmap_targets(places, *output.shape[-2:])[:, None]) ** 2
    return (errors.mean((3, 4)) * weights[:, None]).sum((1, 2)) / weights.sum(1).clamp_min(1)
