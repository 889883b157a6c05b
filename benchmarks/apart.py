"""One side alone in a process of its own: the memory that it takes, and its times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mmattn.benchmarks.peers import PEERS, Peer
from mmattn.benchmarks.problem import Problem, forward_backward, make_inputs
from mmattn.benchmarks.timing import no_garbage_collection, pinned, seconds
from mmattn.errors import MmattnError

LEAST = 64  # tokens that every case takes


class Alone(NamedTuple):
    """peak_bytes: memory over that of the process with its inputs, for masks and plans, too; seconds of each turn."""

    peak_bytes: int
    seconds: list[float]


def apart(case: str, length: int, side: str, threads: int, turns: int = 0) -> Alone:
    """Measure in a new process. Raises MmattnError with its last words where it fails."""
    words = [case, str(length), side, str(threads), str(turns)]
    return elsewhere("mmattn.benchmarks.apart", words, threads, f"{side} on {case} at {length:,}")


def elsewhere(module: str, words: Sequence[str], threads: int, what: str) -> Alone:
    """What a module prints last, run in a new process. Raises MmattnError with its last words where it fails."""
    child = subprocess.run(
        [sys.executable, "-m", module, *words],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
    )
    if child.returncode:
        raise MmattnError(f"{what} ended with status {child.returncode} in its own process:\n{child.stderr}")
    return Alone(**json.loads(child.stdout.splitlines()[-1]))


def alone(case: str, length: int, side: str, turns: int) -> Alone:
    """Measure in this process, in which nothing large was done before."""
    peer, problem = PEERS[side], Problem.of(case, length)
    _warm_up(case, peer)
    inputs = make_inputs(length, peer.tokens_first)
    before = fresh_peak()
    attend = peer.make(problem)
    forward_backward(attend, inputs)
    peak = peak_bytes() - before
    with no_garbage_collection():
        return Alone(peak, [seconds(lambda: forward_backward(attend, inputs)) for _ in range(turns)])


def _warm_up(case: str, peer: Peer) -> None:
    """A small one first: libraries load much of themselves when they are used, which is not the memory in question."""
    length = max(LEAST, peer.multiple)
    forward_backward(peer.make(Problem.of(case, length)), make_inputs(length, peer.tokens_first))


def fresh_peak() -> int:
    """The peak so far; where Linux lets us, it is first put back to what the process holds now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, getrusage of a child begins at the peak of the process that started it
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    case, length, side, threads, turns = sys.argv[1:]
    with pinned(int(threads)):
        print(json.dumps(alone(case, int(length), side, int(turns))._asdict()))
