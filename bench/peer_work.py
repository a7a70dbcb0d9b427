"""What PyTorch is timed at: a training step, scoring, a large matrix product. Each `prepare_*` gives the work and an answer.

The answer's `check` is a number that the other side must get too, to show that both do the same.
"""
import copy
import sys
import time
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch_hourglass import StackedHourglass, heatmap_losses
from torch_imports import IMPORTS, export_network
from torch_networks import NETWORKS, LossModule, ranking_loss
from torch_ssd import DETECTORS, batched_loss, default_boxes, learnloss_state, match, random_objects

sys.path.append(str(Path(__file__).resolve().parent.parent / "fixtures"))
from tensor_file import write_tensors  # noqa: E402


def measure(work, times=1):
    """Seconds of all `times` calls together."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - start


def random_batch(network, batch, image):
    """Random images and what is to be learned of them, by name: a class, ten objects of a detector, or sixteen joints."""
    images = torch.randn(batch, *image)
    if isinstance(network, StackedHourglass):
        return images, {"joints": torch.rand(batch, 16, 2), "weights": torch.ones(batch, 16)}
    if not hasattr(network, "heads"):
        return images, {"labels": torch.randint(0, 10, (batch,))}
    defaults, generator = default_boxes(network.design), torch.Generator().manual_seed(0)
    matched = [match(random_objects(10, generator), torch.arange(10), defaults) for _ in range(batch)]
    offsets, classes = (torch.stack(each) for each in zip(*matched))
    return images, {"offsets": offsets * (classes > 0)[..., None], "classes": classes}


def target_losses(output, targets):
    """The loss of each image."""
    if "labels" in targets:
        return cross_entropy(output, targets["labels"], reduction="none")
    if "joints" in targets:
        return heatmap_losses(output, targets["joints"], targets["weights"])
    return batched_loss(output[..., :4], output[..., 4:], targets["offsets"], targets["classes"])


class Detector(torch.nn.Module):
    """A detector whose locations and logits are one output, as the other side's are."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        locations, logits, taps, embedding = self.network(images)
        return torch.cat((locations, logits), 2), taps, embedding


def new_learner(name, width, image, stacks=None):
    torch.manual_seed(0)
    if stacks is not None:
        network = StackedHourglass(width, 16, stacks)
    elif name in DETECTORS:
        network = DETECTORS[name](image[1], width, 10)
    else:
        network = IMPORTS[name]() if name in IMPORTS else NETWORKS[name](image[0], width)
    return network, LossModule(network.tap_channels)


def callable_network(network):
    return Detector(network) if hasattr(network, "heads") else network


def share_work(folder, name, network, module, images, targets):
    """Writes weights, batch and, for a network that is imported, its ONNX file, from which the other side starts."""
    if folder is None:
        return
    own = learnloss_state(network) if name in DETECTORS else network.state_dict()
    state = {**own, **{f"lossModule.{key}": value for key, value in module.state_dict().items()}}
    weights = {key: value.numpy() for key, value in state.items() if value.is_floating_point()}
    write_tensors(Path(folder) / "weights.safetensors", weights)
    batch = {"images": images, **targets}
    write_tensors(Path(folder) / "batch.safetensors", {key: value.numpy() for key, value in batch.items()})
    if name in IMPORTS:
        export_network(network, images, Path(folder) / "network.onnx")


def new_optimizer(network, parameters):
    """What trains such a network: RMSprop an hourglass, SGD with momentum every other."""
    if isinstance(network, StackedHourglass):
        return torch.optim.RMSprop(parameters, lr=2.5e-4)
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)


def prepare_step(network, batch, image, width=None, stacks=None, folder=None, warmups=2):
    """One joint training step, always on the same random batch: forward, both losses, backward, the optimiser."""
    name = network
    network, module = new_learner(name, width, image, stacks)
    images, targets = random_batch(network, batch, image)
    share_work(folder, name, network, module, images, targets)
    parameters = [*network.parameters(), *module.parameters()]
    optimizer = new_optimizer(network, parameters)
    network = callable_network(network)

    def step():
        optimizer.zero_grad(set_to_none=True)
        output, taps, _ = network(images)
        target = target_losses(output, targets)
        loss = target.mean() + ranking_loss(module(taps, output), target.detach())
        loss.backward()
        optimizer.step()
        return loss.item()

    first = step()
    measure(step, warmups)
    return step, {"way": "eager", "check": first}


class Scorer(torch.nn.Module):
    """Logits, predicted losses and embeddings of a batch."""

    def __init__(self, network, module):
        super().__init__()
        self.network = network
        self.module = module

    def forward(self, images):
        logits, taps, embedding = self.network(images)
        return logits, self.module(taps, logits), embedding


def scoring_ways(network, module, images):
    """Three ways to score a batch, by name: each is made by a call and gives a function of images."""
    scorer = Scorer(network, module).eval()

    def freeze():
        return torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(scorer, images)))

    def channels_last():
        other = copy.deepcopy(scorer).to(memory_format=torch.channels_last)
        return lambda batch: other(batch.to(memory_format=torch.channels_last))

    return {"eager": lambda: scorer, "frozen": freeze, "channels last": channels_last}


def prepare_score(network, batch, image, width=None, stacks=None, folder=None, warmups=2):
    """Scoring of a batch in whichever way is fastest here, by the median of five turns."""
    name = network
    network, module = new_learner(name, width, image, stacks)
    images, targets = random_batch(network, batch, image)
    share_work(folder, name, network, module, images, targets)
    network = callable_network(network)
    made = {way: make() for way, make in scoring_ways(network, module, images).items()}
    ways = {way: lambda score=score: score(images) for way, score in made.items()}
    for work in ways.values():
        measure(work, warmups)
    turns = [{way: measure(work) for way, work in ways.items()} for _ in range(5)]
    seconds = {way: sorted(turn[way] for turn in turns)[2] for way in ways}
    fastest = min(seconds, key=seconds.get)
    return ways[fastest], {"way": fastest, "seconds": seconds, "check": ways[fastest]()[0].abs().mean().item()}


def prepare_gemm(size, products, warmups=1):
    """Products of square matrices one after the other, as many as the other side makes in a run."""
    a, b, c = torch.rand(size, size), torch.rand(size, size), torch.empty(size, size)

    def multiply():
        for _ in range(products):
            torch.mm(a, b, out=c)

    measure(multiply, warmups)
    return multiply, {"way": "mm"}
