"""Whether the words of captions are read where the things are drawn that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from torch import Tensor

from mmattn.data.scenes import Box, Named, find, parse
from mmattn.data.scenes.scene import COLOURS, SHAPES
from mmattn.lens import Mean, Record, capture, heat_map, inside, pointing
from mmattn.lens.words import tokens_of
from mmattn.mixers import CrossAttention
from mmattn.sequence import TokenInfo
from mmattn.tokenizer import Prepared


@dataclass(frozen=True)
class Pointed:
    """What a word's map says.

    hit: at its maximum the picture shows some of the box of the thing that the word names; chance: at a place taken at
        random. middle, middle_chance: the same of a place whose middle is in the box.
    right: of two things' boxes that of the named one holds more of the map; None unless the scene has two things.
    """

    word: str
    hit: bool
    chance: float
    middle: bool
    middle_chance: float
    right: bool | None


def reading_layers(task: Any) -> list[str]:
    """Names in `task.backbone` of the layers that read the context."""
    return [name for name, layer in task.backbone.named_modules() if isinstance(layer, CrossAttention)]


@contextmanager
def reading(task: Any, steps: int) -> Iterator[Mean]:
    """The mean map (rows of the batch, places, words' tokens) of all heads and reading layers in the second half of the
    sampling steps, while a task makes pictures in `steps` steps: before, things are not yet where they will be.

    With guidance the rows without a context follow those with it.
    """
    mean = Mean()

    def late(record: Record) -> None:
        if record.step >= steps // 2:
            mean(record)

    with capture(task.backbone, reading_layers(task), reduce=late):
        yield mean


def pointed(
    task: Any, weights: Tensor, prepared: Sequence[Prepared], captions: Sequence[str], pictures: Sequence[Any]
) -> list[Pointed]:
    """Of each size, colour and shape in captions of which the picture shows the thing.

    weights: what `reading` gave, a row for each caption at least; prepared: the captions as the task read them.
    """
    places = task.coordinates.cpu()
    info = TokenInfo.from_lengths([len(places)] * len(captions), coordinates=places.expand(len(captions), -1, -1))
    weights = weights[: len(captions)].cpu()
    found: list[Pointed] = []
    for row, (caption, picture) in enumerate(zip(captions, pictures, strict=True)):
        named = find(picture, caption)
        heats = [
            heat_map(weights, info, tokens_of(task.source, prepared[row], each.start, each.stop), row=row)
            for each in named
        ]
        found += _judged(caption, named, heats)
    return found


def figures(words: Sequence[Pointed]) -> dict[str, float]:
    """`grounding`, the share of words whose maximum lies where some of their thing's box is, and of colours and shapes
    alone; `grounding_middle`, where the place's middle is in the box, also split so; `grounding_right`, see `Pointed`;
    `grounding_chance` and `grounding_middle_chance`, the mean share of such places; `grounding_words`, their number.
    Shares of no words are left out.
    """
    kinds: Mapping[str, list[bool]] = {
        "grounding": [each.hit for each in words],
        "grounding_colour": [each.hit for each in words if each.word in COLOURS],
        "grounding_shape": [each.hit for each in words if each.word in SHAPES],
        "grounding_middle": [each.middle for each in words],
        "grounding_middle_colour": [each.middle for each in words if each.word in COLOURS],
        "grounding_middle_shape": [each.middle for each in words if each.word in SHAPES],
        "grounding_right": [each.right for each in words if each.right is not None],
    }
    found = {name: sum(hits) / len(hits) for name, hits in kinds.items() if hits}
    if words:
        found["grounding_chance"] = sum(each.chance for each in words) / len(words)
        found["grounding_middle_chance"] = sum(each.middle_chance for each in words) / len(words)
    return {**found, "grounding_words": float(len(words))}


def _judged(caption: str, named: Sequence[Named], heats: Sequence[Tensor]) -> Iterator[Pointed]:
    boxes = list(dict.fromkeys(each.box for each in named))
    two = len(boxes) == len(parse(caption).nouns) == 2
    for each, heat in zip(named, heats, strict=True):
        box = _on_grid(each.box, heat)
        hit, middle = pointing(heat, [_touched(box)]), pointing(heat, [box])
        mass = {box: float(heat[inside(heat, [_on_grid(box, heat)])].nansum()) for box in boxes}
        right = all(mass[each.box] > mass[box] for box in boxes if box != each.box) if two else None
        yield Pointed(caption[each.start : each.stop].lower(), *hit, *middle, right)


def _on_grid(box: Box, heat: Tensor) -> tuple[float, float, float, float]:
    """(top, left, bottom, right) in rows and columns."""
    rows, columns = heat.shape
    return box.top * rows, box.left * columns, box.bottom * rows, box.right * columns


def _touched(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The box of whole places: a thing's edge, where its shape shows, is often in the outer half of one."""
    top, left, bottom, right = box
    return floor(top), floor(left), ceil(bottom), ceil(right)
