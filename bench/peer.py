#!/usr/bin/python3
"""The PyTorch side of the bench: reads one JSON command a line on stdin and answers each with one JSON line on stdout.

Between commands it waits for input without using the processor, so that the other side can be timed in turn.

    {"command": "hello", "threads": 2}                                     -> {"torch": "1.13.0", "threads": 2}
    {"command": "prepare", "kind": "step", "width": 64, "batch": 128, "warmups": 2}     -> {"way": "eager"}
    {"command": "prepare", "kind": "score", "width": 64, "batch": 32, "warmups": 2}     -> {"way": ..., "seconds": {...}}
    {"command": "run", "times": 3}                                         -> {"seconds": 3.9}   for all three together
    {"command": "peakMemory"}                                              -> {"bytes": 1234}    of this process so far

`step` is one joint training step of ResNet-18 for 32x32 images with the loss prediction module: forward, cross-entropy
and ranking loss, backward, SGD. `score` gives logits, predicted losses and embeddings in evaluation mode, in the fastest
of three ways: eager, traced and frozen and optimised for inference, and eager with channels last.
Every failure is answered with {"error": "..."}.
"""
import copy
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

try:
    import torch
    from torch.nn.functional import cross_entropy
    from torch_networks import LossModule, ResNet18, ranking_loss
except ImportError as error:
    print(json.dumps({"error": f"no PyTorch: {error}"}), flush=True)
    raise SystemExit(0)


def peak_memory():
    """Largest resident set of this process in bytes.

    Linux' VmHWM starts at zero with the program, while ru_maxrss may stem from the process that started this one.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure(work, times=1):
    """Seconds of all `times` calls together."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - start


def random_batch(batch):
    return torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,))


def new_learner(width):
    torch.manual_seed(0)
    network = ResNet18(3, width)
    return network, LossModule(network.tap_channels)


def prepare_step(width, batch, warmups):
    """One joint training step, always on the same random batch."""
    network, module = new_learner(width)
    images, labels = random_batch(batch)
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

    measure(step, warmups)
    return step, {"way": "eager"}


class Scorer(torch.nn.Module):
    """Logits, predicted losses and embeddings of a batch."""

    def __init__(self, network, module):
        super().__init__()
        self.network = network
        self.module = module

    def forward(self, images):
        logits, taps, embedding = self.network(images)
        return logits, self.module(taps, logits), embedding


def prepare_score(width, batch, warmups):
    """Scoring of a batch in whichever way is fastest here, by the median of five turns."""
    images, _ = random_batch(batch)
    scorer = Scorer(*new_learner(width)).eval()
    frozen = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(scorer, images)))
    channels_last = copy.deepcopy(scorer).to(memory_format=torch.channels_last)
    images_last = images.to(memory_format=torch.channels_last)
    ways = {
        "eager": lambda: scorer(images),
        "frozen": lambda: frozen(images),
        "channels last": lambda: channels_last(images_last),
    }
    for work in ways.values():
        measure(work, warmups)
    turns = [{way: measure(work) for way, work in ways.items()} for _ in range(5)]
    seconds = {way: sorted(turn[way] for turn in turns)[2] for way in ways}
    fastest = min(seconds, key=seconds.get)
    return ways[fastest], {"way": fastest, "seconds": seconds}


PREPARATIONS = {"step": prepare_step, "score": prepare_score}


class Server:
    """Answers commands; holds the work that `run` repeats."""

    def __init__(self):
        self.work = None
        self.needs_gradients = False

    def hello(self, threads):
        torch.set_num_threads(threads)
        return {"torch": torch.__version__, "threads": torch.get_num_threads()}

    def prepare(self, kind, width, batch, warmups=2):
        self.work = None  # what was prepared before is freed first
        self.needs_gradients = kind == "step"
        with torch.set_grad_enabled(self.needs_gradients):
            self.work, answer = PREPARATIONS[kind](width, batch, warmups)
        return answer

    def run(self, times=1):
        with torch.set_grad_enabled(self.needs_gradients):
            return {"seconds": measure(self.work, times)}

    def peak_memory(self):
        return {"bytes": peak_memory()}


COMMANDS = {"hello": Server.hello, "prepare": Server.prepare, "run": Server.run, "peakMemory": Server.peak_memory}


def serve():
    server = Server()
    for line in sys.stdin:
        try:
            request = json.loads(line)
            command = request.pop("command")
            if command not in COMMANDS:
                raise ValueError(f"unknown command {command}: expected one of {', '.join(COMMANDS)}")
            answer = COMMANDS[command](server, **request)
        except Exception as error:  # whatever it is, the other side has to hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
