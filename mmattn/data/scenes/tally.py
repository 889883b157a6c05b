"""What many pictures get right of their captions, as shares."""

from __future__ import annotations

from collections.abc import Sequence

from mmattn.data.scenes.checker import Verdict
from mmattn.data.scenes.parse import parse

POINTS = ("count", "colour", "shape", "size", "relation", "all")
APART = ("colour", "shape", "relation", "all")
"""The points that are told of scenes of one, two and three things apart: the mixture hides what fails."""
NUMBERS = ("one", "two", "three")


def shares(verdicts: Sequence[tuple[str, Verdict]]) -> dict[str, float]:
    """Name → share of the pictures that get a point right, of captions with what `check` says of their pictures.

    `colour`, `one_colour`, `two_colour`, …: see `POINTS` and `APART`. A point counts where a caption asks for it, and
    is left out where none does. Raises `ConfigError` for a caption outside the language.
    """
    found = _shares([verdict for _, verdict in verdicts], POINTS)
    for count, number in enumerate(NUMBERS, start=1):
        some = [verdict for caption, verdict in verdicts if len(parse(caption).nouns) == count]
        found |= {f"{number}_{point}": share for point, share in _shares(some, APART).items()}
    return found


def _shares(verdicts: Sequence[Verdict], points: Sequence[str]) -> dict[str, float]:
    told = {point: [getattr(each, point) for each in verdicts if getattr(each, point) is not None] for point in points}
    return {point: sum(right) / len(right) for point, right in told.items() if right}
