"""SSD in PyTorch: default boxes, matching, loss and both networks, written as the published reference code works.

The parity fixtures and the speed peer share this file. Locations and classes have convolutions of their own here, as in the
reference; `learnloss_state` writes their tensors under learnloss' names, where each source has one convolution for both.
"""
from itertools import product
from math import sqrt

import torch
import torch.nn.functional as F
from torch import nn

VARIANCES = (0.1, 0.2)

# Of the reference, for PASCAL VOC; lengths in pixels of 300.
SSD300_BOXES = {
    "size": 300,
    "feature_maps": [38, 19, 10, 5, 3, 1],
    "steps": [8, 16, 32, 64, 100, 300],
    "min_sizes": [30, 60, 111, 162, 213, 264],
    "max_sizes": [60, 111, 162, 213, 264, 315],
    "aspect_ratios": [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
}


def mobile_boxes(size):
    maps = [-(-size // step) for step in (8, 16, 32, 64)]
    return {
        "size": size,
        "feature_maps": maps,
        "steps": [size / places for places in maps],
        "min_sizes": [share * size for share in (0.1, 0.2, 0.4, 0.7)],
        "max_sizes": [share * size for share in (0.2, 0.4, 0.7, 0.95)],
        "aspect_ratios": [[2], [2, 3], [2, 3], [2, 3]],
    }


def default_boxes(design):
    """[P, 4] centre x, centre y, width, height as shares of the image, clipped to 0..1."""
    boxes, size = [], design["size"]
    for k, places in enumerate(design["feature_maps"]):
        step = size / design["steps"][k]
        small = design["min_sizes"][k] / size
        large = sqrt(small * (design["max_sizes"][k] / size))
        for row, column in product(range(places), repeat=2):
            x, y = (column + 0.5) / step, (row + 0.5) / step
            boxes += [[x, y, small, small], [x, y, large, large]]
            for ratio in design["aspect_ratios"][k]:
                boxes += [[x, y, small * sqrt(ratio), small / sqrt(ratio)]]
                boxes += [[x, y, small / sqrt(ratio), small * sqrt(ratio)]]
    return torch.tensor(boxes).clamp(0, 1)


def corners(boxes):
    return torch.cat((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2), 1)


def overlaps(a, b):
    """Intersection over union of every box of `a` with every box of `b`, as corners."""
    low = torch.max(a[:, None, :2], b[None, :, :2])
    high = torch.min(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(2)
    area_a, area_b = ((x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b))
    return shared / (area_a[:, None] + area_b[None, :] - shared)


def match(truths, labels, defaults, threshold=0.5):
    """Offsets [P, 4] and classes [P] (0 is background) of an image's objects, `truths` [G, 4] as corners."""
    if len(truths) == 0:
        return torch.zeros(len(defaults), 4, dtype=defaults.dtype), torch.zeros(len(defaults), dtype=torch.long)
    table = overlaps(truths, corners(defaults))
    best_default = table.max(1).indices
    best_overlap, best_truth = table.max(0)
    best_overlap.index_fill_(0, best_default, 2)
    for truth, default in enumerate(best_default):
        best_truth[default] = truth
    matched = truths[best_truth]
    classes = labels[best_truth] + 1
    classes[best_overlap < threshold] = 0
    center = ((matched[:, :2] + matched[:, 2:]) / 2 - defaults[:, :2]) / (VARIANCES[0] * defaults[:, 2:])
    size = torch.log((matched[:, 2:] - matched[:, :2]) / defaults[:, 2:]) / VARIANCES[1]
    return torch.cat((center, size), 1), classes


def multibox_loss(locations, logits, offsets, classes, divided=True):
    """The loss of each image [B]: smooth L1 and cross-entropy, three hard negatives for each positive."""
    losses = []
    for location, logit, offset, label in zip(locations, logits, offsets, classes):
        positive = label > 0
        count = max(int(positive.sum()), 1)
        hardness = F.cross_entropy(logit.detach(), label, reduction="none")
        hardness[positive] = -1
        ranks = hardness.argsort(descending=True, stable=True).argsort()
        learned = positive | (ranks < 3 * count)
        loss = F.smooth_l1_loss(location[positive], offset[positive], reduction="sum")
        loss = loss + F.cross_entropy(logit[learned], label[learned], reduction="sum")
        losses.append(loss / count if divided else loss)
    return torch.stack(losses)


def batched_loss(locations, logits, offsets, classes):
    """`multibox_loss` of a whole batch at once, which is faster; divided by positives."""
    positive = classes > 0
    count = positive.sum(1, keepdim=True).clamp_min(1)
    surprise = F.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none").view_as(classes)
    hardness = surprise.detach().masked_fill(positive, -1)
    ranks = hardness.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    misplaced = F.smooth_l1_loss(locations, offsets, reduction="none").sum(2)
    learned = positive | (ranks < 3 * count)
    return (misplaced * positive + surprise * learned).sum(1) / count[:, 0]


class Heads(nn.Module):
    """A convolution for the offsets and one for the class logits of each source, laid out by place and default box."""

    def __init__(self, channels, design, classes):
        super().__init__()
        self.classes = classes
        self.boxes = [2 + 2 * len(ratios) for ratios in design["aspect_ratios"]]
        self.loc = nn.ModuleList(nn.Conv2d(c, 4 * k, 3, padding=1) for c, k in zip(channels, self.boxes))
        self.conf = nn.ModuleList(nn.Conv2d(c, (classes + 1) * k, 3, padding=1) for c, k in zip(channels, self.boxes))

    def forward(self, sources):
        def rows(layers, width):
            parts = [layer(x).permute(0, 2, 3, 1).reshape(len(x), -1, width) for layer, x in zip(layers, sources)]
            return torch.cat(parts, 1)

        return rows(self.loc, 4), rows(self.conf, self.classes + 1)


class L2Norm(nn.Module):
    """Divides by the length over the channels and scales each channel."""

    def __init__(self, channels, scale=20.0):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x):
        return self.weight[:, None, None] * x / (x.pow(2).sum(1, keepdim=True) + 1e-10).sqrt()


def vgg_layers(width):
    layers, inputs = [], 3
    for part in (1, 1, "M", 2, 2, "M", 4, 4, 4, "C", 8, 8, 8, "M", 8, 8, 8):
        if isinstance(part, str):
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=part == "C"))
        else:
            layers += [nn.Conv2d(inputs, part * width, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = part * width
    layers += [nn.MaxPool2d(3, 1, 1), nn.Conv2d(8 * width, 16 * width, 3, padding=6, dilation=6), nn.ReLU(inplace=True)]
    return nn.ModuleList([*layers, nn.Conv2d(16 * width, 16 * width, 1), nn.ReLU(inplace=True)])


class SSD300(nn.Module):
    """VGG-16 with dilated fc6, fc7 as convolutions, and four pairs of extra layers; returns locations, logits, taps, embedding."""

    def __init__(self, width=64, classes=20):
        super().__init__()
        self.design = SSD300_BOXES
        self.vgg = vgg_layers(width)
        self.L2Norm = L2Norm(8 * width)
        channels = [(16, 4, 1, 1, 0), (4, 8, 3, 2, 1), (8, 2, 1, 1, 0), (2, 4, 3, 2, 1)]
        channels += [(4, 2, 1, 1, 0), (2, 4, 3, 1, 0), (4, 2, 1, 1, 0), (2, 4, 3, 1, 0)]
        self.extras = nn.ModuleList(nn.Conv2d(i * width, o * width, k, s, p) for i, o, k, s, p in channels)
        self.tap_channels = [c * width for c in (8, 16, 8, 4, 4, 4)]
        self.heads = Heads(self.tap_channels, self.design, classes)

    def forward(self, x):
        for layer in self.vgg[:23]:
            x = layer(x)
        sources = [self.L2Norm(x)]
        for layer in self.vgg[23:]:
            x = layer(x)
        sources.append(x)
        embedding = x.mean((2, 3))
        for index, layer in enumerate(self.extras):
            x = F.relu(layer(x))
            if index % 2 == 1:
                sources.append(x)
        return (*self.heads(sources), sources, embedding)


def separable(inputs, channels, stride):
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class SSDMobile(nn.Module):
    """A stem of stride 2 and depthwise separable blocks; its sources have strides 8, 16, 32 and 64."""

    def __init__(self, size=128, width=32, classes=20):
        super().__init__()
        self.design = mobile_boxes(size)
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        blocks, inputs = [], width
        for factor in (2, 4, 8, 8, 8):
            blocks += [separable(inputs, factor * width, 2), separable(factor * width, factor * width, 1)]
            inputs = factor * width
        self.blocks = nn.ModuleList(blocks)
        self.tap_channels = [c * width for c in (4, 8, 8, 8)]
        self.heads = Heads(self.tap_channels, self.design, classes)

    def forward(self, x):
        x, sources = self.stem(x), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index >= 3 and index % 2 == 1:
                sources.append(x)
        return (*self.heads(sources), sources, sources[-1].mean((2, 3)))


DETECTORS = {
    "ssd300-vgg16": lambda side, width, classes: SSD300(width, classes),
    "ssd-mobile": SSDMobile,
}


def random_objects(count, generator, smallest=0.02):
    """Boxes [count, 4] as corners, small ones more often than large ones."""
    size = smallest + (0.9 - smallest) * torch.rand(count, 2, generator=generator) ** 2
    low = torch.rand(count, 2, generator=generator) * (1 - size)
    return torch.cat((low, low + size), 1)


def joined_heads(tensors, boxes):
    """Names of one convolution a source: for each default box of a place its four offsets, then its class logits."""
    renamed = {}
    for name, value in tensors.items():
        if not name.startswith("heads."):
            renamed[name] = value
        elif ".loc." in name:
            _, _, source, kind = name.split(".")
            k, other = boxes[int(source)], tensors[name.replace(".loc.", ".conf.")]
            parts = [each.reshape(k, -1, *each.shape[1:]) for each in (value, other)]
            renamed[f"heads.{source}.{kind}"] = torch.cat(parts, 1).flatten(0, 1)
    return renamed


def split_heads(tensors, boxes):
    """The opposite of `joined_heads`."""
    renamed = {}
    for name, value in tensors.items():
        if not name.startswith("heads."):
            renamed[name] = value
            continue
        _, source, kind = name.split(".")
        rows = value.reshape(boxes[int(source)], -1, *value.shape[1:])
        renamed[f"heads.loc.{source}.{kind}"] = rows[:, :4].flatten(0, 1)
        renamed[f"heads.conf.{source}.{kind}"] = rows[:, 4:].flatten(0, 1)
    return renamed


def learnloss_state(network):
    """Parameters and running statistics under the names that learnloss gives them."""
    state = {n: v.detach().clone() for n, v in network.state_dict().items() if not n.endswith("num_batches_tracked")}
    return joined_heads(state, network.heads.boxes)


def learnloss_gradients(network):
    return joined_heads({n: p.grad.detach().clone() for n, p in network.named_parameters()}, network.heads.boxes)
