"""The one way from an attention layer to its kernel: which layers a model has, and something else in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from mmattn.errors import ConfigError
from mmattn.mixers import AdditiveAttention, Headed

Layers = str | Sequence[str] | None


def attention_layers(model: nn.Module, layers: Layers = None) -> dict[str, Headed]:
    """The model's attention layers by their names in `named_modules`, in its order; None: all.

    `layers`: see `matching`. Additive attention is none of them: it scores its own state at each token, so no kernel is
    told its queries; `AdditiveAttention.alignment` gives its weights.
    Raises ConfigError for a model without attention, a name that is no attention layer of it, and an empty list.
    """
    found = {name: module for name, module in model.named_modules() if isinstance(module, Headed)}
    additive = ", ".join(name for name, module in model.named_modules() if isinstance(module, AdditiveAttention))
    apart = additive and f" Maps of additive attention ({additive}) are not captured: its `alignment` gives them."
    model_name = type(model).__name__
    if not found:
        raise ConfigError(f"{model_name} has no attention layer to look at or to edit by queries and keys.{apart}")
    names = matching(list(found), layers, f"is no attention layer of {model_name}", apart)
    return {name: found[name] for name in names}


def matching(names: Sequence[str], layers: Layers, wrong: str, hint: str = "") -> list[str]:
    """Those of `names` that `layers` names, in the order of `names`; None: all.

    `layers`: a name or several; `*` and `?` stand for what they do in a shell ("backbone.blocks.*.mixer").
    Raises ConfigError for an empty list, and for a name that is none of them, which the message says with `wrong`.
    """
    if layers is None:
        return list(names)
    patterns = [layers] if isinstance(layers, str) else list(layers)
    if not patterns:
        raise ConfigError(f"layers names none of {', '.join(names)}; leave it out for all of them.")
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            near = ", ".join(f"'{name}'" for name in get_close_matches(pattern, names, n=3, cutoff=0.0))
            raise ConfigError(f"layers='{pattern}' {wrong}; the nearest: {near}.{hint}")
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


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
