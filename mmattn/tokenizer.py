"""The tokenizer adapter contract: raw data of one modality in, a TokenSequence out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.prefix import PrefixTokens
from mmattn.sequence import Layout, Side, TokenInfo, TokenSequence

Prepared = dict[str, Any]
Batch = dict[str, Any]


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with its tensors there."""
    # Lightning's own transfer rebuilds dataclasses field by field, which a frozen one refuses.
    return tree_map(lambda leaf: leaf.to(device) if isinstance(leaf, Tensor) else leaf, batch)


class Tokenizer(nn.Module, ABC):
    """Turns raw samples of one modality into tokens: `augment → prepare → collate` on the CPU, `embed` on the device.

    Args:
        dim: width of the token embeddings.
        max_length: the most tokens a sample may make; a longer one is an error, or is cut where `stride` is given.
        stride: tokens from one piece of a long sample to the next (at most `max_length - prefix`); None never cuts.
        prefix: learned tokens in front of every document (CLS, registers).
    """

    vocabulary: Sequence[str] | None = None
    """Names of the discrete tokens in the order of their ids; None where tokens are continuous."""

    written: bool = False
    """Whether a sample is a string: a text, a sequence of residues."""

    bos_id: int | None = None
    eos_id: int | None = None
    mask_id: int | None = None
    """Ids that begin a text, end it, and stand for a hidden token; None where there is no such id."""

    special_ids: frozenset[int] = frozenset()
    """Ids with nothing to guess: begin, end, mask, unknown. Masked modelling never hides them."""

    content_size: int | None = None
    """Values of `content` a token; None where tokens are discrete."""

    local: bool = True
    """Whether a token is made from its own content alone, so that hiding its embedding hides the content."""

    @property
    def modelled(self) -> Tokenizer:
        """The tokenizer whose tokens heads predict: itself, or a part of one that reads several kinds of data."""
        return self

    def __init__(self, dim: int, *, max_length: int | None = None, stride: int | None = None, prefix: int = 0) -> None:
        super().__init__()
        if stride is not None and max_length is None:
            raise ConfigError(f"tokenizer.stride={stride} needs tokenizer.max_length, the length of a piece.")
        if stride is not None and max_length is not None and not 0 < stride <= max_length - prefix:
            raise ConfigError(
                f"tokenizer.stride={stride} must be at least 1 and at most {max_length - prefix}, which is "
                f"tokenizer.max_length={max_length} without the {prefix} tokens of tokenizer.prefix."
            )
        self.dim, self.max_length, self.stride = dim, max_length, stride
        self.prefix = PrefixTokens(dim, prefix)

    # -- what a modality writes -------------------------------------------------------------------------------------

    @abstractmethod
    def prepare(self, sample: Sample) -> Prepared:
        """A raw sample as small CPU tensors: pure, cacheable, without parameters.

        Raises `BadSample(sample.name, fault)` for input that cannot be used.
        """

    @abstractmethod
    def count(self, prepared: Prepared) -> int:
        """Tokens that `embed` makes of it, prefix tokens not included."""

    @abstractmethod
    def stack(self, prepared: Sequence[Prepared], side: Side) -> Batch:
        """The tensors of a batch, padded on `side`; `lengths`, `layout` and other counts are added by `collate`."""

    @abstractmethod
    def embed(self, batch: Batch) -> TokenSequence:
        """Learned embeddings of a batch (batch, length, dim) with their facts; zeros at padding."""

    @abstractmethod
    def read(self, path: Path) -> Sequence[Sample]:
        """The unlabelled samples of a file, for `mmattn predict`. Raises `BadSample` where it cannot be read."""

    # -- what a modality may write ----------------------------------------------------------------------------------

    def fit(self, samples: Sequence[Sample]) -> None:
        """Learn from training samples what tokens need (merges, mean and deviation); called once, before training."""

    def state(self) -> Mapping[str, Any]:
        """What `fit` learned, as json-like values; goes into the run folder."""
        return {}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""

    @property
    def varies(self) -> bool:
        """Whether `augment` may make something else of a sample; where not, samples are read and prepared once."""
        return type(self).augment is not Tokenizer.augment

    def augment(self, sample: Sample, generator: torch.Generator) -> Sample:
        """A random variation of a training sample; `generator` is seeded by (seed, epoch, index)."""
        return sample

    def cut(self, prepared: Prepared, start: int, stop: int) -> Prepared:
        """Tokens `start` to `stop` of a sample too long for the model, where it can be cut."""
        raise ConfigError(f"{type(self).__name__} cannot cut long samples: leave tokenizer.stride unset.")

    def units(self, prepared: Prepared) -> Tensor:
        """Which unit of the raw value (a character of a text, a residue) each token shows: int (count,), -1 for none.

        `task=token_classification` labels a token by it. Raises `ConfigError` where tokens do not stand for units.
        """
        raise ConfigError(
            f"{type(self).__name__} does not say which part of a sample each token shows, so tokens cannot be "
            "labelled: task=token_classification needs a tokenizer with `units`, such as those of text and proteins."
        )

    def content(self, batch: Batch) -> Tensor | None:
        """What each token shows, as numbers (batch, length, values), zeros at padding: the targets of masked modelling.

        None where tokens are discrete; prefix tokens are not counted.
        """
        return None

    def restore(self, ids_or_tokens: Tensor) -> Any:
        """Predictions back to raw data: ids to text, patches to pixels."""
        raise TypeError(f"{type(self).__name__} does not turn predictions back into raw data")

    def picture(self, content: Tensor, prepared: Prepared) -> np.ndarray | None:
        """`content` (length, values) of one sample as a picture, uint8 (height, width[, 3]); None where it has none."""
        return None

    def show(self, prepared: Prepared) -> np.ndarray | str | None:
        """A sample as a report shows it: a picture, a text, or None."""
        mine = next(chain(self.parameters(), self.buffers()), torch.empty(0)).device
        with torch.no_grad():
            content = self.content(to_device(self.collate([prepared]), mine))
        return None if content is None else self.picture(content[0], prepared)

    def describe(self, prepared: Prepared, index: int) -> str:
        """What token `index` (prefix tokens not counted) is, for viewers: a word piece, a rectangle, a time span."""
        return f"token {index}"

    # -- the same for all -------------------------------------------------------------------------------------------

    def length(self, prepared: Prepared) -> int:
        """Tokens that the sample makes, prefix tokens included."""
        return self.prefix.count + self.count(prepared)

    @property
    def overlap(self) -> int:
        """Tokens that one piece of a long sample shares with the next."""
        if self.stride is None or self.max_length is None:
            return 0
        return self.max_length - self.prefix.count - self.stride

    def check_length(self, name: str, prepared: Prepared) -> None:
        """Raise `BadSample` for a sample of more than `max_length` tokens."""
        length = self.length(prepared)
        if self.max_length is not None and length > self.max_length:
            raise BadSample(
                name,
                f"makes {length} tokens, and the model takes {self.max_length}; "
                "raise tokenizer.max_length, or set tokenizer.stride to cut long samples (text, proteins) into pieces",
            )

    def collate(self, prepared: Sequence[Prepared], side: Side = "right") -> Batch:
        """A batch (a plain dict) from prepared samples.

        `lengths` (batch,) counts tokens without the prefix; `length`, the longest, and `tokens`, all, stay on the host.
        """
        lengths = torch.tensor([self.count(each) for each in prepared], dtype=torch.long)
        layout = Layout(True, bool((lengths != lengths.max()).any()), side)
        batch = self.stack(prepared, side)
        counts = {"lengths": lengths, "length": int(lengths.max()), "tokens": int(lengths.sum())}
        return {**batch, **counts, "layout": layout}

    def forward(self, batch: Batch) -> TokenSequence:
        """Tokens of a batch, prefix tokens first in every document."""
        return self.prefix(self.embed(batch))

    def own(self, info: TokenInfo) -> Tensor:
        """bool (batch, length): the tokens that `embed` made, which are neither padding nor prefix."""
        return info.real & (info.order >= self.prefix.count)


def token_info(batch: Batch, *, coordinates: Tensor | None = None, modality: int = 0) -> TokenInfo:
    """Facts for a collated batch, one document a row, without synchronising.

    `coordinates` (batch, length, axes) defaults to the index; its length is the batch's longest row.
    """
    lengths, layout = batch["lengths"], batch["layout"]
    length = batch["length"] if coordinates is None else coordinates.shape[1]
    place = torch.arange(length, device=lengths.device)[None, :]
    order = place - (length - lengths[:, None] if layout.side == "left" else 0)
    real = (order >= 0) & (order < lengths[:, None])
    order = torch.where(real, order, 0)
    rows = torch.arange(len(lengths), device=lengths.device)[:, None]
    return TokenInfo(
        order=order,
        coordinates=order[..., None] if coordinates is None else coordinates,
        document=torch.where(real, rows, -1),
        modality=torch.full_like(order, modality),
        is_global=torch.zeros_like(real),
        known_layout=layout,
    )


def pad(rows: Sequence[Tensor], side: Side, value: float = 0) -> Tensor:
    """(batch, longest, …) from tensors (length, …), `value` at padding."""
    longest = max(len(row) for row in rows)
    if all(len(row) == longest for row in rows):
        return torch.stack(list(rows))
    out = rows[0].new_full((len(rows), longest, *rows[0].shape[1:]), value)
    for i, row in enumerate(rows):
        start = longest - len(row) if side == "left" else 0
        out[i, start : start + len(row)] = row
    return out
