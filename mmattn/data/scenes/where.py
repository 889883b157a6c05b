"""Where in a picture the things are that the words of its caption name: the answers of a pointing game."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmattn.data.scenes.checker import assign
from mmattn.data.scenes.look import look
from mmattn.data.scenes.parse import mentions, parse
from mmattn.data.scenes.scene import Box, Scene, Thing


@dataclass(frozen=True)
class Named:
    """Characters `start` to `stop` of a caption (one word) and the box of the thing that they say something of."""

    start: int
    stop: int
    box: Box


def where(scene: Scene, caption: str) -> list[Named]:
    """The boxes of a drawn scene for each size, colour and shape in its caption."""
    return _named(scene.things, caption)


def find(picture: Any, caption: str) -> list[Named]:
    """The same in any picture, such as a generated one: boxes of what is there and has the right colour and shape."""
    return _named(look(picture), caption)


def _named(things: Sequence[Thing], caption: str) -> list[Named]:
    request = parse(caption)
    found = assign(things, request)
    return [
        Named(each.start, each.stop, thing.box)
        for each in mentions(caption)
        if (thing := found[each.thing]) is not None
        and (thing.colour, thing.shape) == (request.nouns[each.thing].colour, request.nouns[each.thing].shape)
    ]
