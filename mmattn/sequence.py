"""What flows through a model: token embeddings, and facts about the tokens that stay constant through depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

Side = Literal["left", "right"]
# The document number of padding, the id of a token that is not discrete, the coordinate of one without a place.
PADDING = -1


@dataclass(frozen=True)
class Layout:
    """What kernels must know on the host; recorded at collate, on the CPU, so that nothing synchronises on CUDA.

    `one_document`: every row holds at most one document. `padded`: some row holds padding. `side`: where it stands.
    """

    one_document: bool = True
    padded: bool = True
    side: Side = "right"

    @staticmethod
    def of(document: Tensor) -> Layout:
        """Read the layout off `document` (batch, length); this synchronises where it lies on a device."""
        if document.numel() == 0:
            return Layout(padded=False)
        real = document >= 0
        last = document.amax(1, keepdim=True)  # -1 in a row of padding alone
        left = bool((~real[:, 0] & real.any(1)).any())
        return Layout(bool(((document == last) | ~real).all()), not bool(real.all()), "left" if left else "right")


@dataclass(frozen=True, eq=False)
class TokenInfo:
    """Facts about tokens.

    order: int (batch, length), the place in its document: from 0, unique, ascending in the row.
    coordinates: int (batch, length, axes), the place in the token's own grid (index | row, column | frame, band);
        -1 on every axis for a token that has no place, such as CLS.
    document: int (batch, length), which sample; -1 is padding.
    modality: int (batch, length).
    is_global: bool (batch, length), read by the global-tokens pattern only.
    extra: facts that some patterns need, each (batch, length), e.g. `prefix`.
    """

    order: Tensor
    coordinates: Tensor
    document: Tensor
    modality: Tensor
    is_global: Tensor
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    known_layout: Layout | None = None

    @property
    def layout(self) -> Layout:
        """The layout recorded at collate, else read off `document`."""
        return self.known_layout or Layout.of(self.document)

    @property
    def real(self) -> Tensor:
        """bool (batch, length): True where there is a token and not padding."""
        return self.document >= 0

    @staticmethod
    def from_lengths(
        lengths: Sequence[int] | Tensor,
        *,
        length: int | None = None,
        side: Side = "right",
        modality: int = 0,
        coordinates: Tensor | None = None,
        device: torch.device | str | None = None,
    ) -> TokenInfo:
        """One document a row, of `lengths[i]` tokens, padded on one side to `length` (default: the longest).

        `coordinates` (batch, length, axes) defaults to the index, one axis.
        """
        counts = torch.as_tensor(lengths, dtype=torch.long, device="cpu")
        longest = int(counts.max()) if counts.numel() else 0
        length = longest if length is None else length
        if length < longest:
            raise ValueError(f"length {length} is less than the longest row, {longest}")
        start = length - counts[:, None] if side == "left" else torch.zeros_like(counts)[:, None]
        order = torch.arange(length)[None, :] - start
        real = (order >= 0) & (order < counts[:, None])
        order = torch.where(real, order, 0)
        rows = torch.arange(len(counts))[:, None]
        document = torch.where(real, rows, PADDING)
        info = TokenInfo(
            order=order.to(device),
            coordinates=order[..., None].to(device) if coordinates is None else coordinates,
            document=document.to(device),
            modality=torch.full_like(order, modality).to(device),
            is_global=torch.zeros_like(real).to(device),
            known_layout=Layout(True, not bool(real.all()), side),
        )
        return info

    def map(self, change: Callable[[Tensor], Tensor]) -> TokenInfo:
        """Every fact changed in the same way; the layout is not known any more."""
        return TokenInfo(
            order=change(self.order),
            coordinates=change(self.coordinates),
            document=change(self.document),
            modality=change(self.modality),
            is_global=change(self.is_global),
            extra={name: change(fact) for name, fact in self.extra.items()},
        )

    def to(self, device: torch.device | str) -> TokenInfo:
        """The same facts on a device; themselves where they are there already."""
        if self.order.device == torch.device(device):
            return self
        return replace(self.map(lambda fact: fact.to(device)), known_layout=self.known_layout)

    def split(self, rows: int, size: int) -> list[list[TokenInfo]]:
        """The facts of so many rows each, and of so many of their tokens each, one after the other; where some hold
        padding or several documents, each part's layout is read anew."""
        known = self.known_layout
        plain = known if known is not None and known.one_document and not known.padded else None
        batch, length = self.document.shape

        def piece(row: int, start: int) -> TokenInfo:
            part = self.map(lambda fact: fact[row : row + rows, start : start + size])
            return replace(part, known_layout=plain or Layout.of(part.document))

        return [
            [piece(row, start) for start in range(0, max(1, length), size)] for row in range(0, max(1, batch), rows)
        ]

    def pick(self, index: Tensor, layout: Layout | None = None) -> TokenInfo:
        """The facts at `index` (batch, new length) along the length."""
        return TokenInfo(
            order=self.order.gather(1, index),
            coordinates=self.coordinates.gather(1, index[..., None].expand(-1, -1, self.coordinates.shape[-1])),
            document=self.document.gather(1, index),
            modality=self.modality.gather(1, index),
            is_global=self.is_global.gather(1, index),
            extra={name: fact.gather(1, index) for name, fact in self.extra.items()},
            known_layout=layout,
        )

    @staticmethod
    def concatenate(parts: Sequence[TokenInfo]) -> TokenInfo:
        """Parts one after the other along the length, as they are; missing axes and extra facts are zeros."""
        axes = max(part.coordinates.shape[-1] for part in parts)
        names = {name: fact for part in parts for name, fact in part.extra.items()}

        def widened(coordinates: Tensor) -> Tensor:
            missing = coordinates[..., :1].clamp(max=0)  # a token without a place has none on the new axes either
            return torch.cat([coordinates, *[missing] * (axes - coordinates.shape[-1])], dim=-1)

        def extra(part: TokenInfo, name: str) -> Tensor:
            return part.extra[name] if name in part.extra else torch.zeros_like(part.order, dtype=names[name].dtype)

        return TokenInfo(
            order=torch.cat([part.order for part in parts], 1),
            coordinates=torch.cat([widened(part.coordinates) for part in parts], 1),
            document=torch.cat([part.document for part in parts], 1),
            modality=torch.cat([part.modality for part in parts], 1),
            is_global=torch.cat([part.is_global for part in parts], 1),
            extra={name: torch.cat([extra(part, name) for part in parts], 1) for name in names},
        )


@dataclass(frozen=True, eq=False)
class TokenSequence:
    """embeddings (batch, length, dim), their facts, and ids (batch, length): -1 where a token is not discrete."""

    embeddings: Tensor
    info: TokenInfo
    ids: Tensor | None = None

    def with_embeddings(self, embeddings: Tensor) -> TokenSequence:
        return replace(self, embeddings=embeddings)

    def zero_padding(self) -> TokenSequence:
        """Zeros at padding, whatever stood there."""
        if not self.info.layout.padded:
            return self
        return self.with_embeddings(self.embeddings.masked_fill(~self.info.real[..., None], 0.0))


def join(parts: Sequence[TokenSequence], side: Side = "right", *, same_documents: bool = False) -> TokenSequence:
    """One sequence from several of the same samples: each document's tokens part after part, padding at one end.

    `order` continues through a document's parts; every other fact stays as it was. `same_documents` is a caller's word
    that no row holds one document in one part and another in the next. Without it the documents are compared on the
    CPU only, as a comparison would synchronise on a device: there a row counts as holding several documents, which is
    right and slower.
    """
    info = TokenInfo.concatenate([part.info for part in parts])
    number = torch.cat([torch.full_like(part.info.order, n) for n, part in enumerate(parts)], 1)
    last = torch.iinfo(info.document.dtype).max
    rank = info.document if side == "left" else torch.where(info.real, info.document, last)
    index = rank.argsort(dim=1, stable=True)
    layouts = [part.info.layout for part in parts]
    one_document = all(layout.one_document for layout in layouts)
    if one_document and not same_documents:  # a row may hold one document in each part, and not the same one
        one_document = info.document.is_cpu and Layout.of(info.document).one_document
    # The sorted rows have padding wherever a part had it.
    info = info.pick(index, Layout(one_document, any(layout.padded for layout in layouts), side))
    info = replace(info, order=_continued(info, number.gather(1, index)))
    embeddings = torch.cat([part.embeddings for part in parts], 1)
    embeddings = embeddings.gather(1, index[..., None].expand(-1, -1, embeddings.shape[-1]))
    ids = None
    if any(part.ids is not None for part in parts):
        missing = [torch.full_like(part.info.order, PADDING) if part.ids is None else part.ids for part in parts]
        ids = torch.cat(missing, 1).gather(1, index)
    return TokenSequence(embeddings, info, ids)


def _continued(info: TokenInfo, part: Tensor) -> Tensor:
    """`order` of sorted tokens, made to run on where a document passes from one part to the next."""
    if info.order.shape[1] == 0:
        return info.order
    new_document = torch.ones_like(info.real)
    new_document[:, 1:] = info.document[:, 1:] != info.document[:, :-1]
    new_part = torch.zeros_like(info.real)
    new_part[:, 1:] = part[:, 1:] != part[:, :-1]
    step = info.order - info.order.roll(1, dims=1)
    step = torch.where(new_part, info.order + 1, step)
    total = torch.where(new_document, 0, step).cumsum(1)
    start = torch.where(new_document, torch.arange(total.shape[1], device=total.device), 0).cummax(1).values
    order = total - total.gather(1, start) + info.order.gather(1, start)
    return torch.where(info.real, order, 0)


def _register(cls: type, fields: tuple[str, ...], static: tuple[str, ...] = ()) -> None:
    def flatten(value: Any) -> tuple[list[Any], Any]:
        return [getattr(value, name) for name in fields], tuple(getattr(value, name) for name in static)

    def unflatten(children: Any, context: Any) -> Any:
        return cls(**dict(zip(fields, children, strict=True)), **dict(zip(static, context, strict=True)))

    pytree.register_pytree_node(cls, flatten, unflatten, serialized_type_name=f"mmattn.{cls.__name__}")


_register(TokenInfo, ("order", "coordinates", "document", "modality", "is_global", "extra"), static=("known_layout",))
_register(TokenSequence, ("embeddings", "info", "ids"))
