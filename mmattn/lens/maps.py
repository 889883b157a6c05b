"""Attention maps of a model that runs as it always does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from torch import Tensor, nn

from mmattn.biases import Bias
from mmattn.errors import ConfigError, nearest
from mmattn.lens.chosen import Which, chosen, chosen_heads
from mmattn.lens.grown import GrownKeys
from mmattn.lens.mean import Mean
from mmattn.lens.record import LIMIT, Record
from mmattn.lens.seam import Layers, attention_layers, matching, replaced
from mmattn.patterns import Visibility


class Maps:
    """What was recorded: for each layer a list with an entry a call (a sampling step, a decoding step, a batch)."""

    def __init__(self, layers: list[str]) -> None:
        self.layers = layers
        self.calls = dict.fromkeys(layers, 0)
        self._kept: dict[str, list[Any]] = {name: [] for name in layers}
        self._grown = {name: GrownKeys() for name in layers}

    def __getitem__(self, layer: str) -> list[Any]:
        """The layer's records, or what `reduce` made of them. Raises ConfigError for a layer that was not captured."""
        if layer not in self._kept:
            raise ConfigError(f"'{layer}' was not captured; {self.layers} were.{nearest(layer, self.layers)}")
        return self._kept[layer]

    def keep(self, layer: str, kept: Any) -> None:
        """Add a call's. Records whose keys go on with those before, as a cache's do, hold them once."""
        self[layer].append(self._grown[layer](kept) if isinstance(kept, Record) else kept)

    def records(self, layers: Layers = None, steps: Which = None) -> Iterator[Record]:
        """Layer after layer in the model's order, its steps in order; layers: as for `capture`.

        Raises ConfigError for a layer that was not captured, and where `reduce` has left no records.
        """
        for name in matching(self.layers, layers, "was not captured"):
            kept = self[name]
            for step in chosen(steps, len(kept), "steps", f"'{name}'").tolist():
                if not isinstance(kept[step], Record):
                    raise ConfigError(f"'{name}' holds what `reduce` made of its records: capture it without `reduce`.")
                yield kept[step]

    def mean(
        self,
        layers: Layers = None,
        heads: Which = None,
        steps: Which = None,
        queries: Which = None,
        keys: Which = None,
        *,
        limit: int = LIMIT,
    ) -> Tensor:
        """(batch, queries, keys): the mean over layers, heads and steps, in memory for one map and one block.

        Raises ConfigError where the maps differ in shape, where one is larger than `limit` and where there are none.
        """
        mean = Mean(heads=heads, queries=queries, keys=keys, limit=limit)
        for record in self.records(layers, steps):
            mean(record)
        return mean.value


@contextmanager
def capture(
    model: nn.Module, layers: Layers = None, heads: Which = None, *, reduce: Callable[[Record], Any] | None = None
) -> Iterator[Maps]:
    """`with capture(model) as maps:` records the layers' calls; the model's outputs stay the same, bit for bit.

    The queries and keys are kept (detached; keys that a cache gives again at each step, once), and probabilities are
    made of them when they are asked for. They are what the formula gives for the pattern, the bias and these queries
    and keys, before dropout, also inside `edited`.

    layers: names (see `attention_layers`) or None for all; heads: those that are recorded, by their numbers.
    reduce: what is kept of a record instead of the record, unless it is None (a `Mean` keeps its own account); it is
        called while the model runs, so that no more than one step's queries and keys are in memory.
    Raises ConfigError for a layer or head that the model does not have.
    """
    found = attention_layers(model, layers)
    taken = {name: chosen_heads(heads, layer.heads, f"'{name}'").unique() for name, layer in found.items()}
    maps = Maps(list(found))

    def recording(name: str, attend: Any) -> Any:
        def recorded(
            query: Tensor, key: Tensor, value: Tensor, visibility: Visibility, scale: float, **told: Any
        ) -> Tensor:
            out = attend(query, key, value, visibility, scale, **told)
            bias = told.get("bias")
            record = _record(name, maps.calls[name], query, key, visibility, scale, bias, taken[name])
            maps.calls[name] += 1
            kept = record if reduce is None else reduce(record)
            if kept is not None:
                maps.keep(name, kept)
            return out

        recorded.before = attend  # type: ignore[attr-defined]
        return recorded

    with replaced(found, recording):
        yield maps


def _record(
    layer: str,
    step: int,
    query: Tensor,
    key: Tensor,
    visibility: Visibility,
    scale: float,
    bias: Bias | None,
    heads: Tensor,
) -> Record:
    query, key, layer_heads = query.detach(), key.detach(), query.shape[1]
    if len(heads) < layer_heads:  # copies, so that the other heads are not kept in memory by a view
        of_key = heads // (layer_heads // key.shape[1])
        query, key = query[:, heads.to(query.device)], key[:, of_key.to(key.device)]
    # A bias that learns is another one after the next optimizer step.
    kept = deepcopy(bias) if bias is not None and any(True for _ in bias.parameters()) else bias
    return Record(layer, step, query, key, visibility, scale, kept, heads, layer_heads)
