"""Networks in PyTorch that learnloss imports from their ONNX export: a MobileNetV2 and a small vision transformer.

Written from the published descriptions. As those of torch_networks.py they return logits, the feature maps that the loss
module taps, and the embedding.
"""
import copy
import warnings

import torch
from torch import nn

# Widening, channels, blocks and stride of each group of inverted residuals (Sandler et al. 2018, table 2). The second
# group keeps its size, as in the usual adaptations to small images: maps of 64x64 images end at 4x4.
INVERTED_RESIDUALS = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def conv_norm(inputs, channels, kernel, stride=1, groups=1, rectified=True):
    """Convolution that keeps the size up to its stride, BatchNorm and ReLU6."""
    convolution = nn.Conv2d(inputs, channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), *([nn.ReLU6(inplace=True)] if rectified else []))


class InvertedResidual(nn.Module):
    """Widening 1x1, depthwise 3x3 and narrowing 1x1 convolution, added to the input where the shape stays."""

    def __init__(self, inputs, channels, widening, stride):
        super().__init__()
        hidden = inputs * widening
        self.conv = nn.Sequential(
            *([conv_norm(inputs, hidden, 1)] if widening > 1 else []),
            conv_norm(hidden, hidden, 3, stride, groups=hidden),
            conv_norm(hidden, channels, 1, rectified=False),
        )
        self.is_residual = stride == 1 and inputs == channels

    def forward(self, x):
        return x + self.conv(x) if self.is_residual else self.conv(x)


class MobileNetV2(nn.Module):
    """MobileNetV2 for images of 64x64. Taps are the last maps of each size: 32, 16, 8 and 4 pixels a side."""

    tapped_groups = (1, 2, 4)

    def __init__(self, width=0.5, classes=10):
        super().__init__()
        inputs = self._channels(32, width)
        self.stem = conv_norm(3, inputs, 3, 2)
        self.groups = nn.ModuleList()
        for widening, wanted, count, stride in INVERTED_RESIDUALS:
            channels, blocks = self._channels(wanted, width), []
            for index in range(count):
                blocks.append(InvertedResidual(inputs, channels, widening, stride if index == 0 else 1))
                inputs = channels
            self.groups.append(nn.Sequential(*blocks))
        self.last = conv_norm(inputs, 1280, 1)
        self.classifier = nn.Linear(1280, classes)
        self.tap_channels = [self._channels(INVERTED_RESIDUALS[index][1], width) for index in self.tapped_groups] + [1280]

    @staticmethod
    def _channels(wanted, width):
        """A multiple of eight that is no more than a tenth below what is wanted."""
        channels = max(8, int(wanted * width + 4) // 8 * 8)
        return channels if channels >= 0.9 * wanted * width else channels + 8

    def forward(self, x):
        x, taps = self.stem(x), []
        for index, group in enumerate(self.groups):
            x = group(x)
            if index in self.tapped_groups:
                taps.append(x)
        x = self.last(x)
        taps.append(x)
        embedding = x.mean((2, 3))
        return self.classifier(embedding), taps, embedding


class Attention(nn.Module):
    """Self-attention of several heads; queries, keys and values come from one product."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)  # each [B, heads, L, width / heads]
        attention = ((q @ k.transpose(-2, -1)) * (width // self.heads) ** -0.5).softmax(dim=-1)
        return self.proj((attention @ v).transpose(1, 2).reshape(batch, length, width))


class EncoderBlock(nn.Module):
    """Attention and a feed-forward layer with GELU, each normalised before and added to its input."""

    def __init__(self, width, heads, widening=4):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, widening * width), nn.GELU(), nn.Linear(widening * width, width)
        )

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Patches of 4x4 of a 32x32 image beside a class token, six blocks. Taps are the tokens [B, 65, C] of every second."""

    def __init__(self, width=192, heads=3, size=32, patch=4, depth=6, classes=10):
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, width) * 0.02)
        self.patch_embed = nn.Conv2d(3, width, patch, patch)
        self.blocks = nn.ModuleList(EncoderBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)
        self.tap_channels = [width] * (depth // 2)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x, taps = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1) + self.pos_embed, []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index % 2 == 1:
                taps.append(x)
        embedding = self.norm(x)[:, 0]
        return self.head(embedding), taps, embedding


IMPORTS = {"mobilenet": MobileNetV2, "vit": VisionTransformer}


class _Exported(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        logits, taps, _ = self.network(x)
        return (logits, *taps)


def export_network(network, images, path):
    """Writes a network as the documentation of `learnloss fit` recommends, in training mode and nothing folded.

    Outputs are `logits` and `tap0`, `tap1`, ...; a copy is traced, since tracing moves running statistics.
    """
    names = ["logits", *(f"tap{index}" for index in range(len(network.tap_channels)))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Exported(copy.deepcopy(network)).train(),
            images[:2],
            str(path),
            training=torch.onnx.TrainingMode.TRAINING,
            do_constant_folding=False,
            opset_version=17,
            input_names=["images"],
            output_names=names,
            dynamic_axes={name: {0: "batch"} for name in ("images", *names)},
        )
