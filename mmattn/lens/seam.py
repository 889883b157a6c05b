"""The one way from an attention layer to its kernel: which layers a model has, and something else in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from mmattn.errors import ConfigError
from mmattn.mixers import Headed

Layers = str | Sequence[str] | None


def attention_layers(model: nn.Module, layers: Layers = None) -> dict[str, Headed]:
    """The model's attention layers by their names in `named_modules`, in its order; None: all.

    `layers`: a name or several; `*` and `?` stand for what they do in a shell ("backbone.blocks.*.mixer").
    Raises ConfigError for a model without attention, a name that is no attention layer of it, and an empty list.
    """
    found = {name: module for name, module in model.named_modules() if isinstance(module, Headed)}
    if not found:
        raise ConfigError(f"{type(model).__name__} has no attention layer, so there is nothing to look at or to edit.")
    if layers is None:
        return found
    patterns = [layers] if isinstance(layers, str) else list(layers)
    if not patterns:
        raise ConfigError(f"layers names none of {', '.join(found)}; leave it out for all of them.")
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in found):
            near = ", ".join(f"'{name}'" for name in get_close_matches(pattern, found, n=3, cutoff=0.0))
            raise ConfigError(
                f"layers='{pattern}' is no attention layer of {type(model).__name__}; the nearest: {near}."
            )
    return {name: layer for name, layer in found.items() if any(fnmatchcase(name, pattern) for pattern in patterns)}


@contextmanager
def replaced(layers: Mapping[str, Headed], make: Callable[[str, Any], Any]) -> Iterator[None]:
    """Each layer's `attend` becomes `make(name, attend)`, and is put back afterwards, whatever happens."""
    before = {name: layer.attend for name, layer in layers.items()}
    after = {name: make(name, attend) for name, attend in before.items()}
    try:
        for name, layer in layers.items():
            layer.attend = after[name]
        yield
    finally:
        for name, layer in layers.items():
            layer.attend = before[name]
