"""A whole cycle of active learning on Fashion-MNIST in PyTorch: train, evaluate the test set, score candidates, select.

It is what a careful script would do: images stay in memory as normalised numbers, batches are augmented all at once, and
evaluating and scoring take the fastest way and batch that was found beforehand. Settings and measures are those of a
learnloss run (peer-loop.py).
"""
import importlib.util
import time
from pathlib import Path

import numpy as np
import torch
from peer_work import measure, scoring_ways
from run_folder import CLASSES, MEAN, STD, data_folder, read_split
from torch_networks import NETWORKS, LossModule

BATCHES = (128, 500)
# Images of a trial of each way and batch.
TRIAL = 4000


def load_loop():
    """peer-loop.py, whose name cannot be imported."""
    spec = importlib.util.spec_from_file_location("peer_loop", Path(__file__).with_name("peer-loop.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def evaluate(score, images, batch):
    """Logits and predicted losses of images, in one of the `scoring_ways`."""
    parts = [score(part)[:2] for part in images.split(batch)]
    return dict(zip(("logits", "predictedLoss"), map(torch.cat, zip(*parts))))


@torch.no_grad()
def fastest_evaluation(network, module, images, total):
    """The way and batch that are fastest for `total` images; making ready counts, since every cycle has new weights."""
    seconds = {}
    for batch in BATCHES:
        first, trial = images[:batch], images[: TRIAL // batch * batch]
        for way, make in scoring_ways(network, module, first).items():
            scores = []
            ready = min(measure(lambda: scores.append(make())) for _ in range(2))
            evaluate(scores[-1], trial, batch)
            each = min(measure(lambda: evaluate(scores[-1], trial, batch)) for _ in range(2)) / len(trial)
            seconds[way, batch] = ready + each * total
    return min(seconds, key=seconds.get), seconds


def read_data():
    """Normalised images [N, 1, 28, 28] and labels of both splits."""
    loaded = []
    for prefix in ("train", "t10k"):
        pixels, labels = read_split(data_folder("fashion-mnist"), prefix)
        images = torch.from_numpy(((pixels / 255 - MEAN) / STD).astype(np.float32))[:, None]
        loaded.append((images, torch.from_numpy(labels.astype(np.int64))))
    return loaded


def prepare_cycle(config, warmups=1):
    """A cycle from new weights for each trial of a run's settings; their check is the mean accuracy on the test set."""
    loop = load_loop()
    (images, labels), (test_images, test_labels) = read_data()
    budget, model, settings = config["budget"], config["model"], config["lossModule"]
    count = len(test_images) + budget["candidates"]

    def new_networks(seed):
        torch.manual_seed(seed)
        network = NETWORKS[model["name"]](1, model["width"], CLASSES)
        return network, LossModule(network.tap_channels, settings["width"], CLASSES)

    (way, batch), seconds = fastest_evaluation(*new_networks(0), test_images, count)

    def cycle(seed):
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(images), generator=generator)
        labelled, pool = order[: budget["initial"]], order[budget["initial"] :]
        network, module = new_networks(seed)
        start = time.perf_counter()
        with torch.enable_grad():
            loop.train(network, module, images[labelled], labels[labelled], config, "joint", "ranking", generator)
        trained = time.perf_counter()
        with torch.no_grad():
            score = scoring_ways(network, module, test_images[:batch])[way]()
            record = loop.measures(evaluate(score, test_images, batch), test_labels, True)
            evaluated = time.perf_counter()
            candidates = pool[torch.randperm(len(pool), generator=generator)[: budget["candidates"]]]
            scores = evaluate(score, images[candidates], batch)["predictedLoss"]
        selected = candidates[scores.topk(budget["perCycle"]).indices]
        if len(selected) != budget["perCycle"]:
            raise ValueError("too few candidates")
        parts = {"train": trained - start, "evaluate": evaluated - trained, "select": time.perf_counter() - evaluated}
        cycles.parts = parts
        return record["metrics"]["accuracy"]

    def cycles():
        return sum(cycle(seed) for seed in range(1, config["trials"] + 1)) / config["trials"]

    for _ in range(warmups):
        accuracy = cycles()
    ways = {f"{way}, {batch}": value for (way, batch), value in seconds.items()}
    return cycles, {"way": f"{way}, {batch} images", "seconds": ways, "check": accuracy}
