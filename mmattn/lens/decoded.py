"""What a decoder read of its source for each token that it made: words over the picture that they ask for, or say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmattn.lens.calls import Calls
from mmattn.lens.drawn import spread
from mmattn.lens.heat import heat_map
from mmattn.lens.maps import capture
from mmattn.lens.page import Row
from mmattn.lens.record import LIMIT
from mmattn.lens.words import Word
from mmattn.tokenizer import Prepared


def picture_made(
    task: Any,
    title: str,
    prepared: Prepared,
    words: Sequence[Word],
    layers: Sequence[str],
    asked: Mapping[str, Any],
    *,
    limit: int = LIMIT,
) -> list[Row]:
    """Where in a picture that is made of a prompt each of its words was read: the mean over layers, and each layer.

    task: makes one token after the other, as SequenceToSequence; layers: as `readers` names them; asked: seed and what
    else `pictures` takes. Raises ConfigError where the maps are larger than `limit` bytes.
    """
    calls = _calls(task, layers, limit)
    with capture(task, layers, reduce=calls):
        (picture,) = task.pictures([prepared], count=1, **asked)
    steps = len(calls.steps)
    ids = torch.full((1 + steps,), task.target.bos_id)  # where a token stands is the same whatever it shows
    info = task.target(task.target.collate([{"ids": ids}])).info
    made = info.pick(torch.arange(-steps, 0)[None] + info.order.shape[1])  # without what begins each picture
    shown = [(word.text, word.keys) for word in words]
    return _rows(title, picture, calls, shown, lambda map, keys: heat_map(map, made, keys))


def text_made(task: Any, name: str, prepared: Prepared, layers: Sequence[str], *, limit: int = LIMIT) -> list[Row]:
    """Where in a picture a decoder looked for each token of the text that it makes of it; else as `picture_made`."""
    calls, batch = _calls(task, layers, limit), task.source.collate([prepared])
    with capture(task, layers, reduce=calls):
        (ids,) = task.said(batch)
    info = task.source(batch).info
    words = [
        (task.target.describe({"ids": ids}, place), [place])
        for place, token in enumerate(ids.tolist())
        if token not in task.target.special_ids
    ]
    title = f"{name}: {task.target.restore(ids)}"
    return _rows(title, task.source.show(prepared), calls, words, lambda map, made: heat_map(map.mT, info, made))


def _calls(task: Any, layers: Sequence[str], limit: int) -> Calls:
    return Calls(len(layers) * int(task.longest), limit=limit)


def _rows(
    title: str,
    picture: np.ndarray,
    calls: Calls,
    words: Sequence[tuple[str, Sequence[int]]],
    heat: Callable[[Tensor, Sequence[int]], Tensor],
) -> list[Row]:
    """`heat` of (1, tokens made, tokens read) and a word's places: of all layers together, and of some of several."""
    shown: list[tuple[str, str | None]] = [(title, None)]
    if len(calls.layers) > 1:
        shown += [(layer.removeprefix("backbone."), layer) for layer in spread(calls.layers)]
    found = []
    for said, layer in shown:
        # The last query of a step is the token from which the next one was guessed.
        map = torch.cat([calls.mean(layer, step)[:, -1:] for step in calls.steps], 1)
        found.append(Row(said, picture, [(word, heat(map, places).numpy()) for word, places in words]))
    return found
