"""On what something was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mmattn

PACKAGES = ("torch", "numpy", "local-attention", "mambapy", "transformers")


def machine() -> dict[str, Any]:
    """Processor, its cores that may be used, memory in bytes, operating system."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {"processor": _processor(), "cores": usable, "memory_bytes": memory, "system": platform.system()}


def versions() -> dict[str, str | None]:
    """Of Python, mmattn and what is compared; None where it is not installed."""
    return {"python": platform.python_version(), "mmattn": mmattn.__version__} | {
        name: _version(name) for name in PACKAGES
    }


def missing(package: str) -> str:
    """That a package of what is compared is not installed, with the remedy; empty where it is."""
    found = find_spec(package.replace("-", "_"))
    return "" if found else f"{package} is not installed: pip install 'mmattn[bench]'"


def commit() -> str | None:
    """The commit of the checkout, marked where files differ from it; None outside of a checkout."""
    root = Path(mmattn.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    words = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
