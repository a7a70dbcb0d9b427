"""What PyTorch is timed at: a training step, scoring, a large matrix product. Each `prepare_*` gives the work and an answer.

The answer's `check` is a number that the other side must get too, to show that both do the same.
"""
import copy
import sys
import time
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch_imports import IMPORTS, export_network
from torch_networks import NETWORKS, LossModule, ranking_loss

sys.path.append(str(Path(__file__).resolve().parent.parent / "fixtures"))
from tensor_file import write_tensors  # noqa: E402


def measure(work, times=1):
    """Seconds of all `times` calls together."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - start


def random_batch(batch, image):
    return torch.randn(batch, *image), torch.randint(0, 10, (batch,))


def new_learner(name, width, image):
    torch.manual_seed(0)
    network = IMPORTS[name]() if name in IMPORTS else NETWORKS[name](image[0], width)
    return network, LossModule(network.tap_channels)


def share_work(folder, name, network, module, images, labels):
    """Writes weights, batch and, for a network that is imported, its ONNX file, from which the other side starts."""
    if folder is None:
        return
    state = {**network.state_dict(), **{f"lossModule.{key}": value for key, value in module.state_dict().items()}}
    weights = {key: value.numpy() for key, value in state.items() if value.is_floating_point()}
    write_tensors(Path(folder) / "weights.safetensors", weights)
    write_tensors(Path(folder) / "batch.safetensors", {"images": images.numpy(), "labels": labels.numpy()})
    if name in IMPORTS:
        export_network(network, images, Path(folder) / "network.onnx")


def prepare_step(network, batch, image, width=None, folder=None, warmups=2):
    """One joint training step, always on the same random batch: forward, both losses, backward, SGD."""
    name = network
    network, module = new_learner(name, width, image)
    images, labels = random_batch(batch, image)
    share_work(folder, name, network, module, images, labels)
    parameters = [*network.parameters(), *module.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits, taps, _ = network(images)
        target = cross_entropy(logits, labels, reduction="none")
        loss = target.mean() + ranking_loss(module(taps, logits), target.detach())
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


def prepare_score(network, batch, image, width=None, folder=None, warmups=2):
    """Scoring of a batch in whichever way is fastest here, by the median of five turns."""
    name = network
    network, module = new_learner(name, width, image)
    images, labels = random_batch(batch, image)
    share_work(folder, name, network, module, images, labels)
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
