"""Trains SSD on a PASCAL VOC folder in PyTorch and tells its mAP@0.5: the script that a learnloss run is held against.

It shares network, matching and loss with the parity fixtures (torch_ssd.py); reading, augmentation, decoding and average
precision are written for Pillow, numpy and torchvision here. Prints one JSON object.

    python3 bench/peer-detection.py FOLDER --train trainval --test test --steps 600 --seed 0
"""
import argparse
import json
import random
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.ops import batched_nms, box_iou

from torch_ssd import VARIANCES, SSDMobile, corners, default_boxes, match, mobile_boxes, multibox_loss

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def read_annotation(path, classes):
    """Boxes [N, 4] in pixels, classes [N] and difficult flags [N] of one annotation."""
    boxes, labels, difficult = [], [], []
    for thing in ElementTree.parse(path).getroot().findall("object"):
        corners = thing.find("bndbox")
        box = [float(corners.find(name).text) for name in ("xmin", "ymin", "xmax", "ymax")]
        if box[2] <= box[0] or box[3] <= box[1]:
            continue
        boxes.append(box)
        labels.append(classes.index(thing.find("name").text))
        mark = thing.find("difficult")
        difficult.append(mark is not None and mark.text == "1")
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64), np.array(difficult, bool)


def read_split(folder, split, classes, longest):
    """Images, shrunk so that the longer side is at most `longest`, with boxes measured in them."""
    samples = []
    for stem in (folder / "ImageSets" / "Main" / f"{split}.txt").read_text().split():
        image = Image.open(folder / "JPEGImages" / f"{stem}.jpg").convert("RGB")
        boxes, labels, difficult = read_annotation(folder / "Annotations" / f"{stem}.xml", classes)
        factor = min(1, longest / max(image.size))
        size = [round(side * factor) for side in image.size]
        scale = np.array([size[0] / image.width, size[1] / image.height] * 2, np.float32)
        pixels = np.asarray(image.resize(size, Image.BOX if factor < 0.5 else Image.BILINEAR))
        samples.append((pixels, boxes * scale, labels, difficult))
    return samples


def distort(pixels, rng):
    """Brightness, contrast, saturation, hue and channel order, each half of the time (SSD, photometric distortion)."""
    image = pixels.astype(np.float32)
    coin = lambda: rng.random() < 0.5
    if coin():
        image += rng.uniform(-32, 32)
    contrast_first = coin()
    if contrast_first and coin():
        image *= rng.uniform(0.5, 1.5)
    hsv = np.asarray(Image.fromarray(image.clip(0, 255).astype(np.uint8)).convert("HSV")).astype(np.float32)
    if coin():
        hsv[..., 1] *= rng.uniform(0.5, 1.5)
    if coin():
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(-18, 18) * 255 / 360) % 256
    image = np.asarray(Image.fromarray(hsv.clip(0, 255).astype(np.uint8), "HSV").convert("RGB")).astype(np.float32)
    if not contrast_first and coin():
        image *= rng.uniform(0.5, 1.5)
    if coin():
        image = image[..., rng.sample(range(3), 3)]
    return image.clip(0, 255).astype(np.uint8)


def expand(pixels, boxes, rng):
    """Half of the time the image is laid into a canvas of the mean colour, up to four times its size."""
    if rng.random() < 0.5:
        return pixels, boxes
    height, width, _ = pixels.shape
    ratio = rng.uniform(1, 4)
    canvas = np.empty((int(height * ratio), int(width * ratio), 3), np.uint8)
    canvas[:] = (MEAN * 255).astype(np.uint8)
    left, top = int(rng.uniform(0, width * ratio - width)), int(rng.uniform(0, height * ratio - height))
    canvas[top : top + height, left : left + width] = pixels
    return canvas, boxes + np.array([left, top, left, top], np.float32)


def crop(pixels, boxes, labels, rng):
    """A part of the image that overlaps an object by at least a random share, or the whole."""
    height, width, _ = pixels.shape
    while len(boxes):
        least = rng.choice([None, 0.1, 0.3, 0.5, 0.7, 0.9, 0.0])
        if least is None:
            break
        for _ in range(50):
            w, h = int(rng.uniform(0.3 * width, width)), int(rng.uniform(0.3 * height, height))
            if not 0.5 <= h / max(1, w) <= 2:
                continue
            left, top = int(rng.uniform(0, width - w)), int(rng.uniform(0, height - h))
            part = np.array([left, top, left + w, top + h], np.float32)
            overlap = box_iou(torch.from_numpy(boxes), torch.from_numpy(part[None]))[:, 0].numpy()
            if overlap.max() < least:
                continue
            centres = (boxes[:, :2] + boxes[:, 2:]) / 2
            inside = ((centres > part[:2]) & (centres < part[2:])).all(1)
            if not inside.any():
                continue
            kept = boxes[inside].clip(np.tile(part[:2], 2), np.tile(part[2:], 2)) - np.tile(part[:2], 2)
            return pixels[top : top + h, left : left + w], kept, labels[inside]
    return pixels, boxes, labels


def augment(sample, side, changes, rng):
    """A changed image [3, side, side], normalised, with relative boxes and labels."""
    pixels, boxes, labels, _ = sample
    if "photometric" in changes:
        pixels = distort(pixels, rng)
    if "expand" in changes:
        pixels, boxes = expand(pixels, boxes, rng)
    if "crop" in changes:
        pixels, boxes, labels = crop(pixels, boxes, labels, rng)
    height, width, _ = pixels.shape
    relative = boxes / np.array([width, height, width, height], np.float32)
    if "flip" in changes and rng.random() < 0.5:
        pixels = pixels[:, ::-1]
        relative = np.stack([1 - relative[:, 2], relative[:, 1], 1 - relative[:, 0], relative[:, 3]], 1)
    return normalised(pixels, side), relative, labels


def normalised(pixels, side):
    resized = np.asarray(Image.fromarray(pixels).resize((side, side), Image.BILINEAR), np.float32) / 255
    return np.ascontiguousarray(((resized - MEAN) / STD).transpose(2, 0, 1))


@torch.no_grad()
def detect(network, defaults, images, classes):
    """Per image: boxes [D, 4], scores [D], classes [D]; at most 200, overlaps of a class above 0.45 suppressed."""
    network.eval()
    found = []
    for part in images.split(32):
        locations, logits, *_ = network(part)
        for offsets, score in zip(locations, logits.softmax(-1)[..., 1:]):
            centres = defaults[:, :2] + offsets[:, :2] * VARIANCES[0] * defaults[:, 2:]
            box = corners(torch.cat((centres, defaults[:, 2:] * (offsets[:, 2:] * VARIANCES[1]).exp()), 1))
            rows, columns = (score > 0.01).nonzero(as_tuple=True)
            values = score[rows, columns]
            own = [(columns == index).nonzero()[:, 0] for index in range(classes)]
            best = torch.cat([each[values[each].argsort(descending=True)[:400]] for each in own])
            rows, columns, values = rows[best], columns[best], values[best]
            kept = batched_nms(box[rows], values, columns, 0.45)[:200]
            found.append((box[rows[kept]].numpy(), values[kept].numpy(), columns[kept].numpy()))
    network.train()
    return found


def average_precision(found, truths, index):
    """All-point AP at IoU 0.5 of one class; difficult objects count neither way. None without objects."""
    total = sum(int((~difficult[labels == index]).sum()) for _, labels, difficult in truths)
    if total == 0:
        return None
    rows = [(score, image, box) for image, (boxes, scores, kinds) in enumerate(found)
            for box, score, kind in zip(boxes, scores, kinds) if kind == index]
    rows.sort(key=lambda row: -row[0])
    taken, hits = set(), []
    for _, image, box in rows:
        boxes, labels, difficult = truths[image]
        own = np.flatnonzero(labels == index)
        overlap = box_iou(torch.from_numpy(box[None]), torch.from_numpy(boxes[own]))[0].numpy() if len(own) else np.zeros(0)
        best = int(overlap.argmax()) if len(own) else -1
        if best < 0 or overlap[best] < 0.5:
            hits.append(0)
        elif difficult[own[best]]:
            continue
        else:
            key = (image, own[best])
            hits.append(0 if key in taken else 1)
            taken.add(key)
    hits = np.array(hits)
    found_share = np.cumsum(hits) / total
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(np.concatenate([[0], found_share])) * envelope).sum())


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
    parser.add_argument("--train", default="trainval")
    parser.add_argument("--test", default="test")
    parser.add_argument("--classes", default="Platelets,RBC,WBC")
    parser.add_argument("--labels", type=int, help="train on this many images, drawn at random (default: all)")
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--augment", default="photometric,flip", help="of photometric, expand, crop, flip")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--decay", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    classes, changes = options.classes.split(","), options.augment.split(",")
    train = read_split(options.folder, options.train, classes, 3 * options.side)
    if options.labels:
        train = rng.sample(train, options.labels)
    test = read_split(options.folder, options.test, classes, 3 * options.side)

    network, defaults = SSDMobile(options.side, options.width, len(classes)), default_boxes(mobile_boxes(options.side))
    decayed = {"params": list(network.parameters()), "weight_decay": options.decay}
    optimizer = torch.optim.SGD([decayed], lr=options.rate, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps)
    start, prepared, late = time.time(), 0.0, []
    for step, positions in enumerate(batches(len(train), options.batch, options.steps, rng)):
        began = time.time()
        images, boxes, labels = zip(*(augment(train[position], options.side, changes, rng) for position in positions))
        prepared += time.time() - began
        locations, logits, *_ = network(torch.from_numpy(np.stack(images)))
        targets = [match(torch.from_numpy(b), torch.from_numpy(l), defaults) for b, l in zip(boxes, labels)]
        offsets, kinds = (torch.stack(part) for part in zip(*targets))
        loss = multibox_loss(locations, logits, offsets, kinds).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step >= 0.9 * options.steps:
            late.append(loss.item())
    trained = time.time() - start

    images = torch.from_numpy(np.stack([normalised(pixels, options.side) for pixels, *_ in test]))
    found = detect(network, defaults, images, len(classes))
    truths = []
    for pixels, boxes, labels, difficult in test:
        height, width, _ = pixels.shape
        truths.append((boxes / np.array([width, height, width, height], np.float32), labels, difficult))
    precisions = [average_precision(found, truths, index) for index in range(len(classes))]
    known = [value for value in precisions if value is not None]
    print(json.dumps({
        "mAP": sum(known) / len(known), "averagePrecision": dict(zip(classes, precisions)), "trainLoss": float(np.mean(late)),
        "images": len(train), "trainSeconds": trained, "prepareSeconds": prepared, "seed": options.seed,
    }))


if __name__ == "__main__":
    main()
