"""Trains a stacked hourglass on a COCO keypoints folder in PyTorch and tells its PCK@0.2: the script that a learnloss run is held against.

It shares network and loss with the parity fixtures (torch_hourglass.py); reading, cropping, augmentation, decoding and the
measure are written for Pillow, numpy and PyTorch here. Prints a JSON object a line, the last one after all steps.

    python3 bench/peer-pose.py FOLDER --train train --test test --stacks 1 --width 16 --steps 1000 --seed 0
"""
import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from torch_hourglass import StackedHourglass, heatmap_losses

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
PAIRS = {"left": "right", "right": "left"}


def read_split(folder, split):
    """The names of the joints, and each person's picture [3, H, W] in bytes, joints [J, 3] and box [x, y, width, height]."""
    told = json.loads((folder / f"person_keypoints_{split}.json").read_text())
    names = told["categories"][0]["keypoints"]
    files = {image["id"]: image["file_name"] for image in told["images"]}
    pictures, people = {}, []
    for person in told["annotations"]:
        joints = np.array(person["keypoints"], np.float64).reshape(-1, 3)
        if person["iscrowd"] or not (joints[:, 2] > 0).any():
            continue
        file = files[person["image_id"]]
        if file not in pictures:
            pixels = np.array(Image.open(folder / "images" / file).convert("RGB"))
            pictures[file] = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
        people.append((pictures[file], joints, np.array(person["bbox"], np.float64)))
    return names, people


def mirrored_order(names):
    """For each joint the one that takes its place in a mirrored picture."""
    other = lambda name: "_".join(PAIRS.get(word, word) for word in name.split("_"))  # noqa: E731
    return [names.index(other(name)) for name in names]


class Crop:
    """An upright square of a picture, or one that is turned and mirrored, and the map from its shares to the picture."""

    def __init__(self, box, scale=1.0, degrees=0.0, mirrored=False):
        self.center = box[:2] + box[2:] / 2
        self.side = 1.25 * max(box[2:]) * scale
        turn = math.radians(degrees)
        axes = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        self.axes = self.side * axes @ np.diag([-1 if mirrored else 1, 1])

    def to_picture(self, shares):
        return (shares - 0.5) @ self.axes.T + self.center

    def to_shares(self, places):
        return (places - self.center) @ np.linalg.inv(self.axes).T + 0.5

    def pixels(self, picture, size):
        """[3, size, size] in 0..1: the means of a finer grid where the picture shrinks; the mean colour outside."""
        fine = max(1, math.ceil(self.side / size))
        extent = np.array(picture.shape[:0:-1], np.float64)
        # From -1..1 over the crop to -1..1 over the picture.
        matrix = np.concatenate([self.axes / extent[:, None], (2 * self.center / extent - 1)[:, None]], 1)
        grid = F.affine_grid(
            torch.from_numpy(matrix.astype(np.float32))[None], [1, 3, size * fine, size * fine], align_corners=False
        )
        found = F.grid_sample((picture / 255 - MEAN)[None], grid, align_corners=False)
        return F.avg_pool2d(found, fine)[0] + MEAN


def augment(person, size, order, rng):
    """A changed picture [3, size, size], normalised, with joints [J, 2] in shares of it and their weights [J]."""
    picture, joints, box = person
    within = lambda value, bound: min(bound, max(-bound, value))  # noqa: E731
    mirrored = rng.random() < 0.5
    degrees = within(rng.gauss(0, 30), 60) if rng.random() < 0.6 else 0
    crop = Crop(box, 1 + within(rng.gauss(0, 0.25), 0.25), degrees, mirrored)
    colours = torch.tensor([rng.uniform(0.8, 1.2) for _ in range(3)])[:, None, None]
    pixels = (crop.pixels(picture, size) * colours).clamp(0, 1)
    shares, weights = targets(crop, joints)
    if mirrored:
        shares, weights = shares[order], weights[order]
    return (pixels - MEAN) / STD, shares, weights


def targets(crop, joints):
    """Joints [J, 2] in shares of a crop; one that nobody labelled or that lies outside has the weight 0."""
    shares = crop.to_shares(joints[:, :2])
    weights = (joints[:, 2] > 0) & (shares >= 0).all(1) & (shares < 1).all(1)
    return torch.from_numpy(shares.astype(np.float32)), torch.from_numpy(weights.astype(np.float32))


def peaks(maps):
    """Places [N, J, 2] in shares of the picture: the highest position, moved to the peak of a Gaussian through its neighbours."""
    count, joints, height, width = maps.shape
    best = maps.flatten(2).argmax(2)
    rows, columns = best // width, best % width
    logs = F.pad(maps.clamp_min(1e-10).log(), (1, 1, 1, 1), value=math.nan).flatten(2)
    at = lambda dy, dx: logs.gather(2, ((rows + 1 + dy) * (width + 2) + columns + 1 + dx)[..., None])[..., 0]  # noqa: E731

    def offset(before, after):
        middle = at(0, 0)
        curve = before - 2 * middle + after
        moved = (before - after) / (2 * curve)
        return torch.where(curve < 0, moved, torch.zeros(())).nan_to_num(0).clamp(-0.5, 0.5)

    x = (columns + 0.5 + offset(at(0, -1), at(0, 1))) / width
    y = (rows + 0.5 + offset(at(-1, 0), at(1, 0))) / height
    return torch.stack((x, y), -1)


@torch.no_grad()
def measure(network, people, size):
    """The share of labelled joints that are found within 0.2 of the longer side of the person's box, and the test loss."""
    network.eval()
    hits, losses = [], []
    for start in range(0, len(people), 32):
        part = people[start : start + 32]
        crops = [Crop(box) for _, _, box in part]
        images = torch.stack([(crop.pixels(picture, size) - MEAN) / STD for crop, (picture, *_) in zip(crops, part)])
        output = network(images)[0]
        wanted = [targets(crop, joints) for crop, (_, joints, _) in zip(crops, part)]
        losses.append(heatmap_losses(output, *(torch.stack(each) for each in zip(*wanted))))
        for crop, shares, (_, joints, box) in zip(crops, peaks(output[:, -1]).double().numpy(), part):
            far = np.linalg.norm(crop.to_picture(shares) - joints[:, :2], axis=1)
            hits.append((far <= 0.2 * max(box[2:]))[joints[:, 2] > 0])
    network.train()
    return {"PCK@0.2": float(np.concatenate(hits).mean()), "testLoss": torch.cat(losses).mean().item()}


def batches(count, batch, steps, rng):
    """Positions of each step: permutation after permutation, cut into full batches."""
    order = []
    for _ in range(steps):
        while len(order) < batch:
            order += rng.sample(range(count), count)
        yield order[:batch]
        order = order[batch:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", default="train")
    parser.add_argument("--test", default="test")
    parser.add_argument("--labels", type=int, help="train on this many people, drawn at random (default: all)")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures in pixels")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--stacks", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2.5e-3)
    parser.add_argument("--smoothing", type=float, default=0.99, help="of RMSprop: how slowly its mean of squares forgets")
    parser.add_argument("--schedule", choices=["cosine", "step"], default="cosine", help="step: x0.1 after 80%%")
    parser.add_argument("--every", type=int, help="also measure after so many steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    names, train = read_split(options.folder, options.train)
    order = mirrored_order(names)
    if options.labels:
        train = rng.sample(train, options.labels)
    _, test = read_split(options.folder, options.test)

    network = StackedHourglass(options.width, len(names), options.stacks)
    optimizer = torch.optim.RMSprop(network.parameters(), lr=options.lr, alpha=options.smoothing)
    if options.schedule == "cosine":
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps)
    else:
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [round(0.8 * options.steps)], 0.1)
    trained, prepared, computed, late = 0.0, 0.0, 0.0, []
    for step, positions in enumerate(batches(len(train), options.batch, options.steps, rng), 1):
        began, before = time.time(), time.process_time()
        images, places, weights = zip(*(augment(train[position], options.size, order, rng) for position in positions))
        prepared += time.time() - began
        loss = heatmap_losses(network(torch.stack(images))[0], torch.stack(places), torch.stack(weights)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        late = (late + [loss.item()])[-max(1, options.steps // 10) :]
        trained += time.time() - began
        computed += time.process_time() - before
        if step == options.steps or (options.every and step % options.every == 0):
            told = {"step": step, **measure(network, test, options.size), "trainLoss": float(np.mean(late))}
            spent = {"trainSeconds": trained, "prepareSeconds": prepared, "cpuSeconds": computed}
            print(json.dumps({**told, **spent, "people": len(train), "seed": options.seed}), flush=True)


if __name__ == "__main__":
    main()
