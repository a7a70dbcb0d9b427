#!/usr/bin/python3
"""Repeats a strategy of a learnloss run on Fashion-MNIST in PyTorch, with the run's settings, pool and initial labels.

    bench/peer-loop.py --run DIR --trial 1 --strategy random [--threads 1] [--seed 0]

Reads `config.json`, the initial set of the trial from `selections.jsonl`, and `pools.jsonl` for the images that take part
(without it all images do, which is refused for a run that shaped its pool). Weights, batches and augmentation are drawn
from seeds of its own, so curves can be compared trial by trial but not number by number. Prints one JSON line a cycle
with the fields of `cycles.jsonl` that it has.
"""
import argparse
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
from run_folder import CLASSES, MEAN, STD, data_folder, initial_sets, positions, read_pool, read_split  # noqa: E402
from torch_networks import NETWORKS, OBJECTIVES, LossModule  # noqa: E402

EVALUATION_BATCH = 500


# Strategies: how the module is trained, and the score of each candidate (higher is labelled sooner).


def random_scores(candidates, generator):
    return torch.rand(len(candidates["logits"]), generator=generator)


def entropy_scores(candidates, generator):
    log_probabilities = candidates["logits"].log_softmax(1)
    return -(log_probabilities.exp() * log_probabilities).sum(1)


def predicted_losses(candidates, generator):
    return candidates["predictedLoss"]


STRATEGIES = {
    # module training, objective, reads outputs, scores; core-set chooses one by one instead
    "random": ("none", "ranking", False, random_scores),
    "entropy": ("none", "ranking", False, entropy_scores),
    "core-set": ("none", "ranking", False, None),
    "learning-loss": ("joint", "ranking", False, predicted_losses),
    "learning-loss-mse": ("joint", "mse", False, predicted_losses),
    "learning-loss-outputs": ("detached", "ranking", True, predicted_losses),
}


def farthest_first(candidates, labelled, count):
    """k-centre greedy: again and again the row that is farthest from all rows labelled or chosen so far."""
    nearest = torch.cdist(candidates, labelled).min(1).values
    chosen = []
    for _ in range(min(count, len(candidates))):
        farthest = int(nearest.argmax())
        chosen.append(farthest)
        nearest = torch.minimum(nearest, (candidates - candidates[farthest]).norm(dim=1))
        nearest[chosen] = -1
    return chosen


# Training


def share(moment, training):
    """A moment (`60%`, or a number of epochs or steps) as a share of training."""
    if isinstance(moment, str):
        return float(moment.rstrip("%")) / 100
    return moment / (training.get("epochs") or training["steps"])


def learning_rate_factor(schedule, progress, training):
    if schedule["kind"] == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    if schedule["kind"] == "step":
        return schedule["gamma"] ** sum(progress >= share(at, training) for at in schedule["milestones"])
    return 1.0


def augment(images, crop, flip, generator):
    """Random shifts into zero padding and mirroring, drawn for each image; images are normalised already."""
    count, channels, height, width = images.shape
    padded = torch.nn.functional.pad(images, (crop,) * 4)
    corners = torch.randint(0, 2 * crop + 1, (count, 2), generator=generator)
    mirrored = torch.rand(count, generator=generator) < (0.5 if flip else 0.0)
    columns = torch.where(mirrored[:, None], torch.arange(width).flip(0), torch.arange(width)) + corners[:, 1:]
    rows = torch.arange(height) + corners[:, :1]
    # All at once: one Python line an image would cost more than the network's step.
    places = torch.arange(count)[:, None, None, None], torch.arange(channels)[:, None, None]
    return padded[places[0], places[1], rows[:, None, :, None], columns[:, None, None, :]]


def full_batches(count, batch, generator):
    """Endless positions in 0..count-1 in full batches: permutations are strung together."""
    order = torch.empty(0, dtype=torch.int64)
    while True:
        while len(order) < batch:
            order = torch.cat([order, torch.randperm(count, generator=generator)])
        yield order[:batch]
        order = order[batch:]


def train(network, module, images, labels, config, module_training, objective, generator):
    """One cycle's training; the optimiser and its learning rate start anew. Returns the last tenth's mean target loss."""
    training, settings = config["training"], config["lossModule"]
    steps = training.get("steps") or training["epochs"] * math.ceil(len(images) / training["batch"])
    stop_at = share(settings["stopGradientAt"], training)
    optimizer = torch.optim.SGD(
        [*network.parameters(), *module.parameters()],
        training["learningRate"],
        training["momentum"],
        weight_decay=training["weightDecay"],
    )
    network.train()
    module.train()
    late_losses = []
    batches = full_batches(len(images), training["batch"], generator)
    for step, chosen in zip(range(steps), batches):
        progress = step / steps
        factor = learning_rate_factor(training["schedule"], progress, training)
        optimizer.param_groups[0]["lr"] = training["learningRate"] * factor
        batch = augment(images[chosen], config["augment"]["crop"], config["augment"]["flip"], generator)
        logits, taps, _ = network(batch)
        target = cross_entropy(logits, labels[chosen], reduction="none")
        loss = target.mean()
        if module_training != "none":
            is_joint = module_training == "joint" and progress < stop_at
            predicted = module(taps if is_joint else [tap.detach() for tap in taps], logits)
            loss = loss + settings["weight"] * OBJECTIVES[objective](predicted, target.detach(), settings["margin"])
        if not math.isfinite(loss.item()):
            raise SystemExit(f"loss at step {step}: got {loss.item()} at learning rate {training['learningRate']}")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step >= 0.9 * steps:
            late_losses.append(target.mean().item())
    return float(np.mean(late_losses))


@torch.no_grad()
def evaluate(network, module, images):
    """Logits, predicted losses and embeddings of images that are not augmented."""
    network.eval()
    module.eval()
    parts = []
    for batch in images.split(EVALUATION_BATCH):
        logits, taps, embedding = network(batch)
        parts.append((logits, module(taps, logits), embedding))
    return dict(zip(("logits", "predictedLoss", "embedding"), map(torch.cat, zip(*parts))))


# Measures


def ranking_accuracy(scores, losses):
    """Share of all pairs of unequal loss that the scores order rightly; equal scores count one half."""
    order = losses.argsort()
    scores, losses = scores[order], losses[order]
    ends = torch.searchsorted(losses, losses, right=True)
    seen = scores[:0]
    right, pairs, first = 0.0, 0, 0
    while first < len(losses):
        # Blocks end where a loss ends: what stands before a block is smaller than all in it.
        last = int(ends[min(first + 255, len(losses) - 1)])
        block, heights = scores[first:last], losses[first:last]
        at_most, below = torch.searchsorted(seen, block, right=True), torch.searchsorted(seen, block)
        above = heights[:, None] > heights[None]
        difference = block[:, None] - block[None]
        inside = ((difference > 0) & above).sum().item() + 0.5 * ((difference == 0) & above).sum().item()
        right += 0.5 * (at_most + below).sum().item() + inside
        pairs += first * len(block) + above.sum().item()
        seen = torch.cat([seen, block]).sort().values
        first = last
    return right / pairs if pairs > 0 else None


def lift(scores, losses):
    """Mean loss of the top 5% by score over the mean of all."""
    count = max(1, round(len(losses) * 0.05))
    return (losses[scores.argsort(descending=True)[:count]].mean() / losses.mean()).item()


def measures(outcome, labels, has_module):
    losses = cross_entropy(outcome["logits"], labels, reduction="none")
    guesses = outcome["logits"].argmax(1)
    doubt = -outcome["logits"].log_softmax(1).max(1).values
    predicted = outcome["predictedLoss"]
    recall = [(guesses[labels == each] == each).float().mean().item() for each in range(CLASSES)]
    return {
        "metrics": {"accuracy": (guesses == labels).float().mean().item(), "recallPerClass": recall},
        "rankingAccuracy": ranking_accuracy(predicted, losses) if has_module else None,
        "confidenceRankingAccuracy": ranking_accuracy(doubt, losses),
        "lift": lift(predicted, losses) if has_module else None,
        "confidenceLift": lift(doubt, losses),
        "testLoss": losses.mean().item(),
    }


# The loop


def load(run, trial, config, data):
    """Normalised images and labels of both splits, and the positions in them that take part."""
    pool = read_pool(run, trial)
    shape = config["pool"]
    if pool is None and (shape["imbalance"] > 1 or shape["size"] is not None or shape["testSize"] is not None):
        raise SystemExit(f"{run}: the run shaped its pool, so pools.jsonl is needed to know which images take part")
    folder = data_folder(data or config["data"])
    loaded = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        pixels, labels = read_split(folder, prefix)
        images = torch.from_numpy(((pixels / 255 - MEAN) / STD).astype(np.float32))[:, None]
        takes_part = np.arange(len(labels)) if pool is None else positions(pool[split], split)
        loaded[split] = images, torch.from_numpy(labels.astype(np.int64)), takes_part
    return loaded


def run_strategy(arguments, config):
    name = arguments.strategy
    by_strategy, objective, reads_outputs, scores_of = STRATEGIES[name]
    chosen_training = config["lossModule"]["training"]
    module_training = by_strategy if chosen_training == "by-strategy" else chosen_training
    if module_training == "none" and scores_of is predicted_losses:
        raise SystemExit(f"{name}: needs a loss module, got lossModule.training none")
    seed = arguments.trial if arguments.seed is None else arguments.seed
    budget, model = config["budget"], config["model"]

    data = load(arguments.run, arguments.trial, config, arguments.data)
    images, labels, takes_part = data["train"]
    test_images, test_labels, test_part = data["test"]
    test_images, test_labels = test_images[test_part], test_labels[test_part]
    labelled = positions(initial_sets(arguments.run)[arguments.trial], "train")
    if not np.isin(labelled, takes_part).all():
        raise SystemExit("pools.jsonl: the trial's initial set is not part of the pool")

    network = None
    cycles = min(arguments.cycles or budget["cycles"], budget["cycles"])
    for cycle in range(1, cycles + 1):
        generator = torch.Generator().manual_seed(seed * 1000 + cycle)
        if network is None or config["training"]["startFrom"] == "fresh":
            torch.manual_seed(seed * 1000 + cycle)
            network = NETWORKS[model["name"]](1, model["width"], CLASSES)
            module = LossModule(network.tap_channels, config["lossModule"]["width"], CLASSES, reads_outputs)
        start = time.perf_counter()
        train_loss = train(
            network, module, images[labelled], labels[labelled], config, module_training, objective, generator
        )
        trained = time.perf_counter()
        outcome = evaluate(network, module, test_images)
        record = {
            "strategy": name,
            "trial": arguments.trial,
            "seed": seed,
            "cycle": cycle,
            "labels": len(labelled),
            **measures(outcome, test_labels, module_training != "none"),
            "lossModule": module_training,
            "trainLoss": train_loss,
            "labelsPerClass": torch.bincount(labels[labelled], minlength=CLASSES).tolist(),
            "trainSeconds": round(trained - start, 2),
        }
        print(json.dumps(record), flush=True)
        if cycle == cycles:
            break
        unlabelled = np.setdiff1d(takes_part, labelled)
        order = unlabelled[torch.randperm(len(unlabelled), generator=generator).numpy()]
        candidates = order[: budget["candidates"] or len(order)]
        signals = {"logits": candidates} if name == "random" else evaluate(network, module, images[candidates])
        if name == "core-set":
            covered = evaluate(network, module, images[labelled])["embedding"]
            best = farthest_first(signals["embedding"], covered, budget["perCycle"])
        else:
            best = scores_of(signals, generator).argsort(descending=True)[: budget["perCycle"]].numpy()
        labelled = np.concatenate([labelled, candidates[best]])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run on Fashion-MNIST")
    parser.add_argument("--trial", type=int, default=1, help="whose initial set is used (1)")
    parser.add_argument("--strategy", choices=list(STRATEGIES), required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, help="of weights, batches and candidates (the trial's number)")
    parser.add_argument("--cycles", type=int, help="stop earlier than the run")
    parser.add_argument("--data", help="fashion-mnist or fashion-mnist:DIR, instead of the run's")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = json.loads((arguments.run / "config.json").read_text())
    if arguments.trial not in initial_sets(arguments.run):
        raise SystemExit(f"selections.jsonl: no initial set of trial {arguments.trial}")
    run_strategy(arguments, config)


if __name__ == "__main__":
    main()
