#!/usr/bin/python3
"""The PyTorch side of the bench: reads one JSON command a line on stdin and answers each with one JSON line on stdout.

Between commands it waits for input without using the processor, so that the other side can be timed in turn.

    {"command": "hello", "threads": 2}                    -> {"torch": "1.13.0", "threads": 2}
    {"command": "prepare", "kind": "step", "network": "resnet18", "width": 64, "batch": 128, "image": [3, 32, 32],
     "folder": DIR or null, "warmups": 2}                 -> {"way": "eager", "check": 2.9}
    {"command": "prepare", "kind": "score", ...}          -> {"way": "frozen", "seconds": {...}, "check": 0.3}
    {"command": "prepare", "kind": "gemm", "size": 2048, "products": 4}    -> {"way": "mm"}
    {"command": "prepare", "kind": "cycle", "config": {...}}               -> {"way": ..., "seconds": {...}, "check": 0.8}
    {"command": "run", "times": 3}                        -> {"seconds": 3.9}   for all three together
    {"command": "limit", "times": 1}                      -> {"seconds": 0.3}   for the products of the last "gemm"
    {"command": "parts"}                                  -> {"parts": {"train": 9, ...}}   seconds of the last cycle
    {"command": "peakMemory"}                             -> {"bytes": 1234}    of this process so far

`step` is one joint training step of a network with the loss prediction module: forward, cross-entropy and ranking loss,
backward, SGD. `score` gives logits, predicted losses and embeddings in evaluation mode, in the fastest of three ways:
eager, traced and frozen and optimised for inference, and eager with channels last. `cycle` is described in peer_cycle.py.
`check` is the first step's loss, the mean magnitude of the logits, or the accuracy of a cycle. A folder is given weights,
batch and ONNX file. Every failure is answered with {"error": "..."}.
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

try:
    import torch
    from peer_cycle import prepare_cycle
    from peer_work import measure, prepare_gemm, prepare_score, prepare_step
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


PREPARATIONS = {"step": prepare_step, "score": prepare_score, "gemm": prepare_gemm, "cycle": prepare_cycle}


class Server:
    """Answers commands; holds the work that `run` repeats."""

    def __init__(self):
        self.work = None
        self.products = None
        self.needs_gradients = False

    def hello(self, threads):
        torch.set_num_threads(threads)
        return {"torch": torch.__version__, "threads": torch.get_num_threads()}

    def prepare(self, kind, **settings):
        self.work = None  # what was prepared before is freed first
        self.needs_gradients = kind == "step"
        with torch.set_grad_enabled(self.needs_gradients):
            self.work, answer = PREPARATIONS[kind](**settings)
        if kind == "gemm":
            self.products = self.work
        return answer

    def run(self, times=1):
        with torch.set_grad_enabled(self.needs_gradients):
            return {"seconds": measure(self.work, times)}

    def limit(self, times=1):
        return {"seconds": measure(self.products, times)}

    def parts(self):
        return {"parts": getattr(self.work, "parts", None)}

    def peak_memory(self):
        return {"bytes": peak_memory()}


COMMANDS = {
    "hello": Server.hello,
    "prepare": Server.prepare,
    "run": Server.run,
    "limit": Server.limit,
    "parts": Server.parts,
    "peakMemory": Server.peak_memory,
}


def serve():
    server = Server()
    for line in sys.stdin:
        try:
            request = json.loads(line)
            command = request.pop("command")
            if command not in COMMANDS:
                raise ValueError(f"unknown command {command}: expected one of {', '.join(COMMANDS)}")
            answer = COMMANDS[command](server, **request)
        except (Exception, SystemExit) as error:  # whatever it is, the other side has to hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
