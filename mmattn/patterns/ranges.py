"""Facts over blocks of tokens as ranges: what a predicate says of them holds of every pair of tokens in the blocks.

A `Range` bounds a fact over a block, a `Truth` bounds a yes-or-no. Arithmetic on them is interval arithmetic
(R. E. Moore, Interval Analysis, 1966), on many pairs of blocks at once. It errs on one side only: `some` may be true
without need, `every` may be false without need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from mmattn.errors import ConfigError

MIXED = -1  # the remainder of values that do not share one


class _Opaque:
    """Refuses what cannot be read off ranges."""

    def _refuse(self, *_: Any) -> NoReturn:
        raise ConfigError(
            "A pattern is read on ranges of tokens, too: it may use comparisons, ==, !=, +, -, // by a constant, "
            "divisible, axis, boolean facts, &, | and ~. Write these instead of if, and, or, not, *, % or abs: "
            "(a >= -2) & (a <= 2) for abs(a) <= 2, divisible(a, 3) for a % 3 == 0."
        )

    __bool__ = __mul__ = __rmul__ = __mod__ = __truediv__ = __pow__ = __abs__ = __int__ = __float__ = _refuse
    __getitem__ = __iter__ = __len__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class Truth(_Opaque):
    """`some`: it may hold for a pair of tokens of the two blocks; `every`: it holds for each pair. Boolean arrays."""

    def __init__(self, some: NDArray, every: NDArray) -> None:
        self.some, self.every = some, every

    def __and__(self, other: Any) -> Truth:
        other = _truth(other)
        return Truth(self.some & other.some, self.every & other.every)

    def __or__(self, other: Any) -> Truth:
        other = _truth(other)
        return Truth(self.some | other.some, self.every | other.every)

    def __invert__(self) -> Truth:
        return Truth(~self.every, ~self.some)

    def __xor__(self, other: Any) -> Truth:
        return (self & ~_truth(other)) | (~self & other)

    def __eq__(self, other: Any) -> Truth:  # type: ignore[override]
        return ~(self ^ other)

    def __ne__(self, other: Any) -> Truth:  # type: ignore[override]
        return self ^ other

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__


class Range(_Opaque):
    """Values from `low` to `high`, both included (integer arrays).

    `remainder(divisor)` is what all values of an element leave when divided, or MIXED: so that a block of every fourth
    token knows that the distances within it are multiples of four.
    """

    def __init__(self, low: NDArray, high: NDArray, remainder: Callable[[int], NDArray] | None = None) -> None:
        self.low, self.high, self._remainder = low, high, remainder

    def remainder(self, divisor: int) -> NDArray:
        known = MIXED if self._remainder is None else self._remainder(divisor)
        return np.where(self.low == self.high, self.low % divisor, known)

    def __add__(self, other: Any) -> Range:
        other = _range(other)
        return Range(self.low + other.low, self.high + other.high, _sum(self, other, 1))

    def __sub__(self, other: Any) -> Range:
        other = _range(other)
        return Range(self.low - other.high, self.high - other.low, _sum(self, other, -1))

    def __rsub__(self, other: Any) -> Range:
        return _range(other) - self

    def __neg__(self) -> Range:
        return 0 - self

    def __floordiv__(self, divisor: Any) -> Range:
        if not isinstance(divisor, int) or divisor < 1:
            self._refuse()
        return Range(self.low // divisor, self.high // divisor)

    def divisible(self, divisor: int) -> Truth:
        remainder = self.remainder(divisor)
        holds_multiple = self.high // divisor * divisor >= self.low
        return Truth(np.where(remainder == MIXED, holds_multiple, remainder == 0), remainder == 0)

    def __le__(self, other: Any) -> Truth:
        other = _range(other)
        return Truth(self.low <= other.high, self.high <= other.low)

    def __ge__(self, other: Any) -> Truth:
        return _range(other) <= self

    def __lt__(self, other: Any) -> Truth:
        return ~(self >= other)

    def __gt__(self, other: Any) -> Truth:
        return ~(self <= other)

    def __eq__(self, other: Any) -> Truth:  # type: ignore[override]
        other = _range(other)
        return (self <= other) & (self >= other)

    def __ne__(self, other: Any) -> Truth:  # type: ignore[override]
        return ~(self == other)

    __radd__ = __add__


def _sum(one: Range, other: Range, sign: int) -> Callable[[int], NDArray]:
    def remainder(divisor: int) -> NDArray:
        left, right = one.remainder(divisor), other.remainder(divisor)
        return np.where((left == MIXED) | (right == MIXED), MIXED, (left + sign * right) % divisor)

    return remainder


def _truth(value: Any) -> Truth:
    return value if isinstance(value, Truth) else Truth(np.asarray(value, bool), np.asarray(value, bool))


def _range(value: Any) -> Range:
    return value if isinstance(value, Range) else Range(np.asarray(value), np.asarray(value))
