#!/usr/bin/python3
"""Exports torchvision's networks with random weights, with PyTorch's loss and gradients on one batch, for import-torchvision.mjs.

    apt-get install -y python3-torch libopenblas0-pthread python3-torchvision
    bench/export-torchvision.py FOLDER [NAME...]
"""
import json
import sys
import warnings
from pathlib import Path

import torch
import torchvision.models

# Side in pixels: large enough for every stride.
SIDES = {"alexnet": 224, "inception_v3": 128, "swin_t": 224, "vit_b_32": 224}
NAMES = (
    "alexnet convnext_tiny densenet121 efficientnet_b0 googlenet inception_v3 mnasnet0_5 mobilenet_v2 mobilenet_v3_large "
    "mobilenet_v3_small regnet_y_400mf resnet18 resnet50 shufflenet_v2_x0_5 squeezenet1_1 swin_t vit_b_32"
).split()
CLASSES, LABELS = 10, [1, 3, 5, 7]


def build(name):
    """Without auxiliary heads, and without dropout, whose masks nobody could repeat."""
    options = {"num_classes": CLASSES}
    if name in ("googlenet", "inception_v3"):
        options |= {"aux_logits": False, "init_weights": False}
    network = getattr(torchvision.models, name)(**options)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout) or type(module).__name__ == "StochasticDepth":
            module.p = 0.0
    return network


def export(name, folder):
    torch.manual_seed(0)
    side = SIDES.get(name, 96)
    network = build(name)
    axes = {"input": {0: "batch"}, "logits": {0: "batch"}}
    for mode, training in (("inference", torch.onnx.TrainingMode.EVAL), ("training", torch.onnx.TrainingMode.TRAINING)):
        network.train(mode == "training")
        torch.onnx.export(
            network,
            torch.randn(2, 3, side, side),
            folder / f"{name}-{mode}.onnx",
            opset_version=15,
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes=axes,
            training=training,
            do_constant_folding=mode == "inference",
        )
    # Tracing moved the running statistics: the twin starts from those that the file has.
    twin = build(name)
    twin.load_state_dict(network.state_dict())
    twin.train()
    images = torch.randn(len(LABELS), 3, side, side, generator=torch.Generator().manual_seed(1))
    loss = torch.nn.functional.cross_entropy(twin(images), torch.tensor(LABELS))
    loss.backward()
    images.numpy().tofile(folder / f"{name}.images")
    norms = {key: parameter.grad.norm().item() for key, parameter in twin.named_parameters()}
    facts = {"name": name, "side": side, "labels": LABELS, "loss": loss.item(), "gradientNorms": norms}
    (folder / f"{name}.json").write_text(json.dumps(facts))
    print(name, flush=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for each in sys.argv[2:] or NAMES:
        export(each, target)
