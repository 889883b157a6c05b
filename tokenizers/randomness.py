"""Random transforms that draw from torch's global generator, made to depend on a given one alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def drawn_from(generator: torch.Generator) -> Iterator[None]:
    """Inside, torch's global CPU generator is seeded by a draw from `generator`; afterwards it is as it was.

    Only the CPU's: `torch.manual_seed` would also reseed the accelerator, and so repeat the model's dropout.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)
