"""`python -m mmattn.cli.serve` runs commands one after another, each in a copy of itself, which has imported all.

The imports take as long as a short training. Each line of standard input is a JSON list: the words
behind `mmattn`, the environment and the folder they are run with. Each line of standard output is an exit status, below
0 for a signal. What a command prints is left out, its standard error is this program's.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from threading import Thread


def serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever wrote the commands ends this by ending its input
    import mmattn.cli.launch
    import mmattn.cli.train  # noqa: F401

    for line in sys.stdin:
        print(_status(*json.loads(line)), flush=True)


def _status(words: Sequence[str], environment: Mapping[str, str], folder: str) -> int:
    if sys.platform != "linux":  # Windows cannot copy a process, and what macOS computes with does not survive it
        command = [sys.executable, "-m", "mmattn", *words]
        return subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, cwd=folder).returncode
    child = os.fork()
    if not child:
        _run(words, environment, folder)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run(words: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
    Thread(target=_end_with_input, daemon=True).start()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["mmattn", *words]
    runpy.run_module("mmattn", run_name="__main__", alter_sys=True)  # which exits


def _end_with_input() -> None:
    """Nothing more comes while a command runs, unless whoever wrote it has ended."""
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    serve()
