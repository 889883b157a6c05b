"""Some of the heads, queries, keys or steps, as a user names them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmattn.errors import ConfigError

Which = int | Sequence[int] | slice | Tensor | None
WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def chosen(which: Which, count: int, what: str, where: str) -> Tensor:
    """The numbers (n,) of those chosen among `count`, in the order given; None: all, and −1 is the last.

    which: a number, several, a slice, or a bool tensor (count,).
    Raises ConfigError for what is no whole number and for a number that does not exist; `what` (heads, …) and `where`
    (a layer) are for its message.
    """
    if which is None or isinstance(which, slice):
        return torch.arange(count)[which or slice(None)]
    not_whole = ConfigError(f"{what}={which!r} must be whole numbers, counted from 0.")
    try:
        given = torch.as_tensor(which).cpu()
    except (TypeError, ValueError) as error:
        raise not_whole from error
    if given.dtype == torch.bool:
        if given.shape != (count,):
            raise ConfigError(f"{what} is a mask {tuple(given.shape)}, and {where} has {count} {what}.")
        return given.nonzero()[:, 0]
    if given.numel() and given.dtype not in WHOLE:
        raise not_whole
    numbers = given.long().flatten()
    wrong = numbers[(numbers < -count) | (numbers >= count)].tolist()
    if wrong:
        raise ConfigError(f"{what}={wrong[0]} does not exist: {where} has {count} {what}, counted from 0.")
    return numbers % max(1, count)


def chosen_heads(which: Which, count: int, where: str) -> Tensor:
    """As `chosen`. Raises ConfigError where there is no head among them, too: nothing has no mean."""
    numbers = chosen(which, count, "heads", where)
    if not len(numbers):
        raise ConfigError(
            f"heads={which!r}: {where} has {count} heads, and none of them is named; leave heads out for all."
        )
    return numbers
