"""Memory that does not suffice, as one message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mmattn.errors import TrainingError

SIGNS = ("out of memory", "DefaultCPUAllocator")  # torch raises a plain RuntimeError where there is no CUDA


@contextmanager
def enough_memory(doing: str, remedy: str) -> Iterator[None]:
    """Raises `TrainingError` with the remedy where memory runs out inside, of the device or of the machine."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(sign in str(error) for sign in SIGNS):
            raise
        raise TrainingError(f"Out of memory while {doing}: {remedy}.") from error
