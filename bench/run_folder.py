"""Reads Fashion-MNIST's IDX files and what `learnloss run` wrote about a run on it."""
import gzip
import json
import os
from pathlib import Path

import numpy as np

MEAN, STD = 0.286, 0.353
CLASSES = 10


def data_folder(data):
    """Folder of the files, from the settings' `data`: `fashion-mnist` or `fashion-mnist:DIR`."""
    name, _, path = data.partition(":")
    if name != "fashion-mnist":
        raise SystemExit(f"data: expected fashion-mnist, got {data}")
    own = Path(os.environ.get("LEARNLOSS_DATA") or Path.home() / ".cache" / "learnloss")
    places = [Path(path)] if path else [own / "fashion-mnist", Path("/usr/share/datasets/fashion-mnist")]
    for place in places:
        if find_file(place, "train-images-idx3-ubyte") is not None:
            return place
    raise SystemExit(f"data: no Fashion-MNIST in {' or '.join(map(str, places))}")


def find_file(folder, name):
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.exists()), None)


def read_idx(folder, name):
    path = find_file(folder, name)
    content = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    shape = np.frombuffer(content, ">u4", content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def read_split(folder, prefix):
    """Pixels [N, 28, 28] and labels [N], uint8, in the order of the files."""
    return read_idx(folder, f"{prefix}-images-idx3-ubyte"), read_idx(folder, f"{prefix}-labels-idx1-ubyte")


def positions(ids, split):
    """Positions in the original files of ids like `train/00042`."""
    wrong = next((each for each in ids if not each.startswith(f"{split}/")), None)
    if wrong is not None:
        raise SystemExit(f"ids: expected {split}/NUMBER, got {wrong}")
    return np.array([int(each.split("/")[1]) for each in ids], dtype=np.int64)


def initial_sets(run):
    """The ids labelled before the first cycle by trial; all strategies of a trial share them."""
    sets = {}
    for line in (Path(run) / "selections.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["cycle"] == 0 and sets.setdefault(record["trial"], record["ids"]) != record["ids"]:
            raise SystemExit(f"selections.jsonl: trial {record['trial']} has two initial sets")
    return sets


def read_pool(run, trial):
    """The trial's line of `pools.jsonl`, { "trial": 1, "train": [id, ...], "test": [id, ...] }: the images that take part."""
    path = Path(run) / "pools.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return next((pool for pool in map(json.loads, lines) if pool["trial"] == trial), None)
