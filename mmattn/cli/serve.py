"""Runs commands one after another, each in a copy of this process, which has imported torch and Lightning.

The imports take as long as a short training. Each line of standard input is a JSON list: the words behind `mmattn`, the
environment and the folder they are run with. Each line of standard output is an exit status, below 0 for a signal. What
a command prints is left out, its standard error is this process's. Needs Linux: Windows cannot copy a process, and what
macOS computes with does not survive it.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from threading import Thread


def serve() -> None:
    import mmattn.cli.launch
    import mmattn.cli.train  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever writes the commands ends this by ending its input
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(words: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
    Thread(target=_end_with, args=(os.dup(0),), daemon=True).start()
    with open(os.devnull, "r+b", buffering=0) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["mmattn", *words]
    runpy.run_module("mmattn", run_name="__main__", alter_sys=True)  # which exits


def _end_with(commands: int) -> None:
    """Nothing comes there while a command runs, until whoever writes them has ended."""
    os.read(commands, 1)
    os.kill(os.getpid(), signal.SIGKILL)
