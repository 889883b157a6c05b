"""Pictures of a prompt, made while the layers that read it are watched, and made again with their maps edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.lens.align import aligned
from mmattn.lens.calls import Calls
from mmattn.lens.edit import Edit, edited
from mmattn.lens.edits import Chain, Replace
from mmattn.lens.heat import heat_map, labels
from mmattn.lens.maps import Maps, capture
from mmattn.lens.page import Row
from mmattn.lens.record import LIMIT
from mmattn.lens.seam import Layers, attention_layers
from mmattn.lens.words import Word
from mmattn.mixers import CrossAttention
from mmattn.sequence import TokenInfo
from mmattn.tokenizer import Prepared

SHOWN = 8
"""Steps or layers of a row at most, evenly spread."""


@dataclass(frozen=True)
class Drawn:
    """picture: uint8; calls: the maps that were used; maps: records for `Replace`, where they were kept."""

    picture: np.ndarray
    calls: Calls
    maps: Maps | None = None


def readers(task: Any, layers: Layers = None) -> list[str]:
    """Names of the backbone's layers that read the prompt, those that `layers` names; None: all.

    Raises ConfigError where there is none.
    """
    every = attention_layers(task.backbone)
    reads = {f"backbone.{name}" for name, layer in every.items() if isinstance(layer, CrossAttention)}
    if not reads:
        raise ConfigError("No layer of this run's backbone reads a prompt by cross-attention: there is nothing to see.")
    asked = list(attention_layers(task, layers))
    found = [name for name in asked if name in reads]
    if not found:
        raise ConfigError(f"layers={layers}: {', '.join(asked)} read no prompt; {', '.join(sorted(reads))} do.")
    return found


def draw(
    task: Any,
    prepared: Prepared,
    layers: Sequence[str],
    asked: Mapping[str, Any],
    *,
    edit: Edit | None = None,
    keep: bool = False,
    limit: int = LIMIT,
) -> Drawn:
    """One picture and the maps by which it was made.

    task: has `pictures`, as TextToImage; prepared: the prompt; layers: as `readers` names them; asked: steps, seed and
    what else `pictures` takes; edit: of the weights; keep: leave records, for edits that follow.
    Raises ConfigError where the maps are larger than `limit` bytes.
    """
    calls = Calls(len(layers) * asked["steps"], keep=keep, limit=limit)
    maps = None
    with ExitStack() as stack:
        if edit is None:
            maps = stack.enter_context(capture(task, layers, reduce=calls))
        else:
            stack.enter_context(edited(task, Chain(edit, calls.used), layers, limit=limit))
        (picture,) = task.pictures([prepared], count=1, **asked)
    return Drawn(picture, calls, maps if keep else None)


def injected(task: Any, maps: Maps, before: Prepared, after: Prepared, share: float = 1.0) -> Replace:
    """The maps of one prompt for another, token by token, in a share of the steps (prompt-to-prompt).

    Raises ConfigError for prompts that have no token in common and differ in length.
    """
    words, other_words = (labels(task.source, each) for each in (before, after))
    ids = after["ids"].tolist() if "ids" in after else []
    special = {word for word, each in zip(other_words, ids, strict=False) if each in task.source.special_ids}
    return Replace(maps, aligned(words, other_words, special), share)


def info_of(task: Any) -> TokenInfo:
    """Facts of a picture's tokens, one row."""
    places: Tensor = task.coordinates
    return TokenInfo.from_lengths([len(places)], coordinates=places[None])


def word_row(title: str, drawn: Drawn, words: Sequence[Word], info: TokenInfo) -> Row:
    """The picture, and where each word was read: the mean over layers, heads and steps."""
    mean = drawn.calls.mean().cpu()
    return Row(title, drawn.picture, [(word.text, heat_map(mean, info, word.keys).numpy()) for word in words])


def step_row(word: Word, drawn: Drawn, info: TokenInfo) -> Row:
    """Where a word was read as the picture came to be: the mean over layers and heads."""
    steps = spread(drawn.calls.steps)
    maps = [heat_map(drawn.calls.mean(step=step).cpu(), info, word.keys).numpy() for step in steps]
    named = [f"step {step + 1}" for step in steps]
    return Row(f"{word.text}, step by step", drawn.picture, list(zip(named, maps, strict=True)))


def layer_row(word: Word, drawn: Drawn, info: TokenInfo) -> Row:
    """Where a word was read by each layer: the mean over steps and heads."""
    layers = spread(drawn.calls.layers)
    maps = [heat_map(drawn.calls.mean(layer).cpu(), info, word.keys).numpy() for layer in layers]
    named = [layer.removeprefix("backbone.") for layer in layers]
    return Row(f"{word.text}, layer by layer", drawn.picture, list(zip(named, maps, strict=True)))


def spread(every: Sequence[Any]) -> list[Any]:
    """At most SHOWN, the first and the last among them."""
    places = np.linspace(0, len(every) - 1, min(SHOWN, len(every))).round().astype(int)
    return [every[place] for place in places]
