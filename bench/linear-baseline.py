#!/usr/bin/python3
"""How well a linear classifier does with the initial labels of a run on Fashion-MNIST.

    bench/linear-baseline.py --run DIR [--trial 1]

Logistic regression on pixels, divided by 255 or standardised, with the best of a few regularisation strengths *chosen on
the test set*: an upper bound of what a linear classifier reaches. A comparison of strategies says nothing unless the networks
beat it on the same labels. Prints one JSON line a trial: accuracy on all 10,000 test images, and, where the run has a
pools.jsonl, on the test images that the run used (`runTestAccuracy`).
"""
import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
from run_folder import data_folder, initial_sets, positions, read_pool, read_split  # noqa: E402

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)


def scalings(train, test):
    """The two ways in which pixels become features."""
    yield "divided by 255", train / 255, test / 255
    mean, std = train.mean(0), train.std(0)
    std[std == 0] = 255
    yield "standardised", (train - mean) / std, (test - mean) / std


def best_fit(train, labels, test, test_labels):
    """The best by test accuracy: settings and which test images it gets right."""
    best = {"accuracy": -1.0}
    for scaling, x, z in scalings(train, test):
        for strength in STRENGTHS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the weakest regularisation need not converge to be compared
                model = LogisticRegression(C=strength, max_iter=300).fit(x, labels)
            right = model.predict(z) == test_labels
            if right.mean() > best["accuracy"]:
                best = {"accuracy": float(right.mean()), "C": strength, "features": scaling, "right": right}
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run on Fashion-MNIST")
    parser.add_argument("--trial", type=int, help="only this trial")
    parser.add_argument("--data", help="fashion-mnist or fashion-mnist:DIR, instead of the run's")
    arguments = parser.parse_args()
    config = json.loads((arguments.run / "config.json").read_text())
    folder = data_folder(arguments.data or config["data"])
    images, labels = read_split(folder, "train")
    test_images, test_labels = read_split(folder, "t10k")
    flat = lambda pixels: pixels.reshape(len(pixels), -1).astype(np.float64)  # noqa: E731
    for trial, ids in sorted(initial_sets(arguments.run).items()):
        if arguments.trial not in (None, trial):
            continue
        at = positions(ids, "train")
        best = best_fit(flat(images[at]), labels[at], flat(test_images), test_labels)
        right = best.pop("right")
        pool = read_pool(arguments.run, trial)
        used = {} if pool is None else {"runTestAccuracy": float(right[positions(pool["test"], "test")].mean())}
        print(json.dumps({"trial": trial, "labels": len(ids), **best, **used}), flush=True)


if __name__ == "__main__":
    main()
