"""Self-attention of a sample: which of its tokens read which, layer by layer and head by head."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.lens.chosen import Which, chosen_heads
from mmattn.lens.heat import heat_map, labels
from mmattn.lens.maps import capture
from mmattn.lens.matrix import Matrices
from mmattn.lens.page import Row
from mmattn.lens.record import LIMIT, Record
from mmattn.lens.seam import Layers, attention_layers
from mmattn.mixers import CrossAttention
from mmattn.sequence import TokenInfo
from mmattn.tokenizer import Prepared

HEADS, TOKENS = 8, 40
"""Heads of a layer that are shown where none is named, and tokens of a matrix: the first."""


@torch.no_grad()
def own_maps(
    task: Any, prepared: Prepared, layers: Layers = None, heads: Which = None, *, limit: int = LIMIT
) -> list[Row] | list[Matrices]:
    """For each layer the mean of its heads, and each head: over the picture, or between the tokens, by their names.

    task: reads one kind of data, on the CPU. A picture's map shows how much each place is read by all tokens, on
    average.
    Raises ConfigError for a run without self-attention, and for a map larger than `limit` bytes.
    """
    names = own_layers(task, layers)
    batch = task.tokenizer.collate([prepared])
    info = task.tokenizer(batch).info
    with capture(task, names) as maps:
        try:
            task(batch)
        except NotImplementedError:  # some tasks hide tokens first, and have no way of their own
            task.backbone(task.tokenizer(batch))
    records = [(name.removeprefix("backbone."), next(maps.records(name))) for name in names]
    picture = task.tokenizer.show(prepared)
    if isinstance(picture, np.ndarray) and hasattr(task.tokenizer, "channels") and info.coordinates.shape[-1] > 1:
        return [Row(name, picture, _heats(record, heads, info, limit)) for name, record in records]
    tokens = labels(task.tokenizer, prepared)[:TOKENS]
    return [Matrices(name, tokens, _squares(record, heads, limit)) for name, record in records]


def own_layers(task: Any, layers: Layers = None) -> list[str]:
    """Names of the backbone's layers in which tokens read each other, those that `layers` names; None: all.

    Raises ConfigError where there is none, and for a run that reads several kinds of data.
    """
    if hasattr(task.tokenizer, "parts"):
        raise ConfigError(
            "This run reads several kinds of data and draws no picture in steps from noise; mmattn look shows "
            "runs that do, and runs that read one kind."
        )
    attention_layers(task.backbone)  # raises where there is none
    found = attention_layers(task, layers)
    inside = {name: layer for name, layer in found.items() if name.startswith("backbone.")}
    own = [name for name, layer in inside.items() if not isinstance(layer, CrossAttention)]
    if not own:
        raise ConfigError(f"{', '.join(found)}: no layer of the backbone in which tokens read each other.")
    return own


def _heats(record: Record, heads: Which, info: TokenInfo, limit: int) -> list[tuple[str, np.ndarray]]:
    everyone = torch.arange(record.query.shape[2])
    return [(title, heat_map(map.mT, info, everyone).numpy()) for title, map in _heads(record, heads, limit)]


def _squares(record: Record, heads: Which, limit: int) -> list[tuple[str, np.ndarray]]:
    return [(title, map[0, :TOKENS, :TOKENS].numpy()) for title, map in _heads(record, heads, limit)]


def _heads(record: Record, heads: Which, limit: int) -> list[tuple[str, Tensor]]:
    """(1, queries, keys) of the mean over the heads chosen, and of each."""
    numbers = chosen_heads(heads, record.layer_heads, record.where).tolist()
    weights = record.weights(numbers, limit=limit).cpu()
    each = [(f"head {number}", weights[:, place]) for place, number in enumerate(numbers)]
    title = "all heads" if heads is None else f"mean of heads {', '.join(map(str, numbers))}"
    return [(title, weights.mean(1)), *(each if heads is not None else each[:HEADS])]
