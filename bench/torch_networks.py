"""The networks and the loss prediction module in PyTorch, with the parameter names that learnloss uses.

Written from the published descriptions. The parity fixtures, the speed peer and the peer loop share this file, so what is
timed is what is checked. Every network returns its logits, the feature maps that the module taps, and the embedding.
"""
import torch
import torch.nn.functional as F
from torch import nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the shortcut is projected where the shape changes."""

    def __init__(self, inputs, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or inputs != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        inner = F.relu(self.bn1(self.conv1(x)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(inner)) + shortcut)


class ResNet18(nn.Module):
    """ResNet-18 for small images: a 3x3 stem of stride 1 without max pooling. Taps are the four stages' outputs."""

    def __init__(self, input_channels, width, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(input_channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.tap_channels = [width, 2 * width, 4 * width, 8 * width]
        inputs = width
        for stage, channels in enumerate(self.tap_channels, 1):
            blocks = nn.Sequential(BasicBlock(inputs, channels, 1 if stage == 1 else 2), BasicBlock(channels, channels, 1))
            self.add_module(f"layer{stage}", blocks)
            inputs = channels
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        taps = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            taps.append(x)
        embedding = x.mean((2, 3))
        return self.fc(embedding), taps, embedding


class Cnn4(nn.Module):
    """Four 3x3 convolutions of width w, 2w, 4w, 8w and strides 1, 2, 2, 2, each normalised, rectified and tapped."""

    def __init__(self, input_channels, width, classes=10):
        super().__init__()
        self.tap_channels = [width, 2 * width, 4 * width, 8 * width]
        self.stages = nn.ModuleList()
        inputs = input_channels
        for channels, stride in zip(self.tap_channels, (1, 2, 2, 2)):
            convolution = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
            self.stages.append(nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU()))
            inputs = channels
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        taps = []
        for stage in self.stages:
            x = stage(x)
            taps.append(x)
        embedding = x.mean((2, 3))
        return self.fc(embedding), taps, embedding


NETWORKS = {"resnet18": ResNet18, "cnn4": Cnn4}


def output_statistics(logits):
    """[B, K + 3]: probabilities from high to low, their entropy, the log-sum-exp and the largest of the logits."""
    probabilities = logits.softmax(1)
    entropy = -(probabilities * probabilities.clamp_min(1e-12).log()).sum(1, keepdim=True)
    ordered = probabilities.sort(1, descending=True).values
    return torch.cat([ordered, entropy, logits.logsumexp(1, keepdim=True), logits.max(1, keepdim=True).values], 1)


def average(tap):
    """Features [B, C] of a map [B, C, H, W] or of tokens [B, L, C]: the mean over their positions."""
    return tap.mean((2, 3)) if tap.dim() == 4 else tap.mean(1)


class LossModule(nn.Module):
    """Predicts the loss of each sample [B] from the pooled taps and, if asked, from statistics of the detached logits."""

    def __init__(self, tap_channels, width=128, classes=10, reads_outputs=False):
        super().__init__()
        self.fc = nn.ModuleList(nn.Linear(channels, width) for channels in tap_channels)
        self.outputs = nn.Linear(classes + 3, width) if reads_outputs else None
        self.out = nn.Linear(width * (len(tap_channels) + int(reads_outputs)), 1)

    def forward(self, taps, logits):
        features = [F.relu(layer(average(tap))) for layer, tap in zip(self.fc, taps)]
        if self.outputs is not None:
            features.append(F.relu(self.outputs(output_statistics(logits.detach()))))
        return self.out(torch.cat(features, 1)).squeeze(1)


def ranking_loss(predicted, target, margin=1.0):
    """Mean over the pairs (i, i + B/2) of max(0, -sign (p_i - p_j) + margin); a tie counts as sign -1 (Yoo & Kweon, eq. 2)."""
    half = len(predicted) // 2
    sign = (target[:half] > target[half:]).to(predicted.dtype) * 2 - 1
    return (margin - sign * (predicted[:half] - predicted[half:])).clamp_min(0).mean()


def mse_loss(predicted, target, margin=None):
    """Mean squared error of the predicted losses [B]; the margin is not used."""
    return ((predicted - target) ** 2).mean()


OBJECTIVES = {"ranking": ranking_loss, "mse": mse_loss}
