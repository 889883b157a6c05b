"""Samples of several kinds of data at once: an image and its caption, a sound and its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mmattn.data.source import Lazy, Sample
from mmattn.errors import BadSample, ConfigError, nearest
from mmattn.sequence import Side, TokenSequence, join
from mmattn.tokenizer import Batch, Prepared, Tokenizer
from mmattn.tokenizers.sample_file import read_sample


class SeveralTokenizer(Tokenizer):
    """A tokenizer a kind of data; a sample's value is a dict with a value for each.

    A batch holds a batch of each part under its name, so that a task may read them apart (`parts[name](batch[name])`);
    called as a whole it gives their tokens joined, in the order of the parts, each with a modality number of its own.

    A part may be one of several kinds itself, and reads the same dict: a context of a caption and a sound.

    Args:
        parts: name → tokenizer, all of width `dim`; None leaves out one that a config builds on.
        target: the part that is modelled, where a task models one: its vocabulary or content is what heads predict.
        also: name → part: further values, which the tokenizer of that part reads: `{swapped: text}`.
        max_length, prefix: as in `Tokenizer`, of the joined tokens.
    """

    def __init__(
        self,
        dim: int,
        parts: Mapping[str, Tokenizer | None],
        *,
        target: str | None = None,
        also: Mapping[str, str] | None = None,
        max_length: int | None = None,
        prefix: int = 0,
    ) -> None:
        super().__init__(dim, max_length=max_length, prefix=prefix)
        used = {name: part for name, part in parts.items() if part is not None}
        for name in [*([target] if target else []), *(also or {}).values()]:
            if name not in used:
                raise ConfigError(f"tokenizer.parts has no '{name}'; it has {', '.join(used)}.{nearest(name, used)}")
        for name, part in used.items():
            if isinstance(part, SeveralTokenizer) and (part.also or name in (also or {}).values()):
                raise ConfigError(
                    f"tokenizer.also names values for one kind of data, and tokenizer.parts.{name} has several."
                )
            if part.dim != dim:
                raise ConfigError(f"tokenizer.parts.{name}.dim={part.dim} must be tokenizer.dim={dim}.")
            if part.stride is not None:
                raise ConfigError(
                    f"tokenizer.parts.{name}.stride: a sample of several kinds cannot be cut; leave it null."
                )
        self.parts = nn.ModuleDict(used)
        self.target: str | None = target
        self.also: dict[str, str] = dict(also or {})
        self.local = all(part.local for part in used.values())

    @property
    def modelled(self) -> Tokenizer:
        """The part that a task models. Raises `ConfigError` where none is named."""
        if self.target is None:
            raise ConfigError(
                f"This task models one kind of data: set tokenizer.target to one of {', '.join(self.parts)}."
            )
        return self.part(self.target)

    def part(self, name: str) -> Tokenizer:
        """The tokenizer of that name. Raises `ConfigError` where there is none."""
        if name not in self.parts:
            raise ConfigError(
                f"tokenizer.parts has no '{name}'; it has {', '.join(self.parts)}.{nearest(name, self.parts)}"
            )
        found: Any = self.parts[name]
        return found

    def fit(self, samples: Sequence[Sample]) -> None:
        for name in self.parts:
            self.part(name).fit(Lazy(len(samples), partial(self._read, samples, name)))

    def state(self) -> Mapping[str, Any]:
        return {name: dict(self.part(name).state()) for name in self.parts}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        for name in self.parts:
            self.part(name).restore_state(state[name])

    @property
    def varies(self) -> bool:
        return any(self.part(name).varies for name in self.parts)

    def augment(self, sample: Sample, generator: torch.Generator) -> Sample:
        values = dict(sample.value)
        for name in self.parts:
            varied = self.part(name).augment(self.value_of(sample, name), generator).value
            if self._nested(name):  # what a part of its own varies stays as that left it
                values |= {kind: varied[kind] for kind in self._kinds_of(name) if kind not in self.parts}
            else:
                values[name] = varied
        return replace(sample, value=values)

    def prepare(self, sample: Sample) -> Prepared:
        whole = {name: self.part(name).prepare(self.value_of(sample, name)) for name in self.parts}
        further = {name: self.part(part).prepare(one(sample, name)) for name, part in self.also.items()}
        for name, prepared in whole.items():
            self.part(name).check_length(sample.name, prepared)
        return {**whole, **further}

    def _nested(self, name: str) -> bool:
        return isinstance(self.parts[name], SeveralTokenizer)

    def value_of(self, sample: Sample, name: str) -> Sample:
        """What the part of that name reads of a sample."""
        return sample if self._nested(name) else one(sample, name)

    def _read(self, samples: Sequence[Sample], name: str, index: int) -> Sample:
        return self.value_of(samples[index], name)

    def count(self, prepared: Prepared) -> int:
        return sum(self.part(name).length(prepared[name]) for name in self.parts)

    def stack(self, prepared: Sequence[Prepared], side: Side) -> Batch:
        names = {**{name: name for name in self.parts}, **self.also}
        return {name: self.part(part).collate([each[name] for each in prepared], side) for name, part in names.items()}

    def embed(self, batch: Batch) -> TokenSequence:
        tokens, number = [], 0
        for name in self.parts:
            made = self.part(name)(batch[name])
            modality = made.info.modality if self._nested(name) else torch.zeros_like(made.info.modality)
            tokens.append(replace(made, info=replace(made.info, modality=modality + number)))
            number += len(self._kinds_of(name))
        # Ids of several vocabularies say nothing together.
        return replace(join(tokens, batch["layout"].side, same_documents=True), ids=None)

    @property
    def kinds(self) -> dict[str, Tokenizer]:
        """The tokenizer of each value of a sample, those of parts of several kinds among them."""
        found: dict[str, Tokenizer] = {}
        for name in self.parts:
            found |= self._kinds_of(name)
        return found

    def _kinds_of(self, name: str) -> dict[str, Tokenizer]:
        part = self.part(name)
        return part.kinds if isinstance(part, SeveralTokenizer) else {name: part}

    def read(self, path: Path) -> Sequence[Sample]:
        return [read_sample(path, self.kinds)]

    def describe(self, prepared: Prepared, index: int) -> str:
        for name in self.parts:
            length = self.part(name).length(prepared[name])
            if index < length:
                inside = index - self.part(name).prefix.count
                return f"{name}: " + (self.part(name).describe(prepared[name], inside) if inside >= 0 else "prefix")
            index -= length
        return super().describe(prepared, index)

    def show(self, prepared: Prepared) -> Any:
        name = self.target or next(iter(self.parts))
        return self.part(name).show(prepared[name])


def one(sample: Sample, name: str) -> Sample:
    """The value of that name, alone. Raises `BadSample` where there is none."""
    if not isinstance(sample.value, Mapping) or name not in sample.value:
        has = ", ".join(sample.value) if isinstance(sample.value, Mapping) else type(sample.value).__name__
        raise BadSample(sample.name, f"has no '{name}', which tokenizer.parts reads; it has {has}")
    return replace(sample, value=sample.value[name])
