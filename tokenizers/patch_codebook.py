"""Images as discrete tokens: each patch is the entry of a codebook that is most like it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmattn.data.readers import read_image
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.report.pictures import pixels as as_picture
from mmattn.sequence import PADDING, Side, TokenSequence
from mmattn.tokenizer import Batch, Prepared, Tokenizer, pad, token_info
from mmattn.tokenizers.code_embedding import CodeEmbedding
from mmattn.tokenizers.k_means import k_means, nearest_centre
from mmattn.tokenizers.pixels import augmented, pair, pixels_of, unit
from mmattn.tokenizers.standardize import evenly

SPECIALS = ("<bos>", "<mask>")
DIGITS = 4  # of a pixel in [0, 1] in the codebook: finer than the 8 bits that pictures have
POINTS = 50_000  # patches that the codebook is made of, at most


class PatchCodebookTokenizer(Tokenizer):
    """One id a patch, row by row, of pictures of one size: vector quantisation by k-means over pixels (Linde, Buzo and
    Gray 1980), which needs no network. What differs from the codebook is lost.

    Args:
        size: [height, width] in pixels, to which all pictures are brought; multiples of the patch.
        patch: side of a patch in pixels, or [height, width].
        codes: entries of the codebook.
        channels: 1 (grey) or 3 (colour).
        bos: begin every picture with the id `bos_id`.
        fit_samples: training pictures whose patches the codebook is made of.
        transforms: torchvision v2 transforms of training images, applied in order.
        deviation: of the codes' own vectors at first, beside what is made of their pixels.
        token_dropout: as of `DiscreteTokenizer`; what hidden codes would tell of the next one has to be read elsewhere.

    The other arguments are `Tokenizer`'s.
    """

    embedding: CodeEmbedding
    eos, eos_id = False, None  # every picture has as many tokens

    def __init__(
        self,
        dim: int,
        *,
        size: int | Sequence[int],
        patch: int | Sequence[int] = 4,
        codes: int = 512,
        channels: int = 3,
        bos: bool = False,
        fit_samples: int = 2000,
        transforms: Sequence[Callable[[Any], Any]] = (),
        deviation: float = 0.02,
        token_dropout: float = 0.0,
        max_length: int | None = None,
        prefix: int = 0,
    ) -> None:
        super().__init__(dim, max_length=max_length, prefix=prefix)
        self.size, self.patch = pair("size", size), pair("patch", patch)
        self.grid = self.size[0] // self.patch[0], self.size[1] // self.patch[1]
        if any(side % step for side, step in zip(self.size, self.patch, strict=True)):
            raise ConfigError(f"tokenizer.size={size} must be a multiple of tokenizer.patch={patch}.")
        if codes < 2:
            raise ConfigError(f"tokenizer.codes={codes} must be at least 2.")
        self.codes, self.channels, self.bos, self.fit_samples = codes, channels, bos, fit_samples
        self.transforms, self.deviation = list(transforms), deviation
        self.token_dropout = nn.Dropout1d(token_dropout)
        self.codebook: Tensor | None = None  # (codes, values), on the CPU: no buffer, as `prepare` works there

    def fit(self, samples: Sequence[Sample]) -> None:
        found = torch.cat([self._patches(self._pixels(sample)) for sample in evenly(samples, self.fit_samples)])
        points = found[:: -(-len(found) // POINTS)]
        try:
            centres = k_means(points, self.codes, torch.Generator().manual_seed(0))
        except ValueError as error:
            raise ConfigError(f"tokenizer.codes={self.codes}: {error} in the training patches.") from error
        self.restore_state({"codebook": (centres * 10**DIGITS).round().long().tolist()})

    def state(self) -> Mapping[str, Any]:
        """The codebook in whole numbers, 10⁴ being white: json keeps them as they are."""
        return {} if self.codebook is None else {"codebook": (self.codebook * 10**DIGITS).round().long().tolist()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if not state:
            return
        self.codebook = torch.tensor(state["codebook"], dtype=torch.float32) / 10**DIGITS
        vocabulary = (*SPECIALS, *(f"code {i}" for i in range(len(self.codebook))))
        known, self.vocabulary = self.vocabulary, vocabulary
        self.bos_id, self.mask_id = (SPECIALS.index(name) for name in SPECIALS)
        self.special_ids = frozenset(range(len(SPECIALS)))
        if known != vocabulary:  # restoring the same vocabulary keeps what was learned
            self.embedding = CodeEmbedding(len(SPECIALS), self.codebook, self.dim, self.deviation)
        else:
            self.embedding.show(self.codebook)

    @property
    def varies(self) -> bool:
        own = type(self).augment is not PatchCodebookTokenizer.augment  # of a class of a user's
        return own or bool(self.transforms)

    def augment(self, sample: Sample, generator: torch.Generator) -> Sample:
        return augmented(sample, self.transforms, generator)

    def prepare(self, sample: Sample) -> Prepared:
        ids = nearest_centre(self._patches(self._pixels(sample)), self._codebook()) + len(SPECIALS)
        begin = [SPECIALS.index("<bos>")] if self.bos else []
        return {"ids": torch.cat([ids.new_tensor(begin), ids]).int()}

    def count(self, prepared: Prepared) -> int:
        return len(prepared["ids"])

    def stack(self, prepared: Sequence[Prepared], side: Side) -> Batch:
        return {"ids": pad([each["ids"] for each in prepared], side, PADDING).long()}

    def embed(self, batch: Batch) -> TokenSequence:
        self._codebook()
        ids, info = batch["ids"], token_info(batch)
        place = info.order - int(self.bos)
        columns = self.grid[1]
        places = torch.stack([place.div(columns, rounding_mode="floor"), place % columns], -1)
        info = replace(info, coordinates=places.masked_fill((place < 0)[..., None], PADDING))
        embeddings = self.token_dropout(self.embedding(ids.clamp(min=0)))
        return TokenSequence(embeddings, info, ids).zero_padding()

    def restore(self, ids_or_tokens: Tensor) -> Tensor:
        """Ids (length,) to pixels (channels, height, width) in [0, 1]; special ids are left out.

        Raises `ValueError` where they are not those of a whole picture.
        """
        codes = ids_or_tokens[ids_or_tokens >= len(SPECIALS)] - len(SPECIALS)
        if len(codes) != math.prod(self.grid):
            raise ValueError(f"{len(codes)} codes are not the {self.grid[0]} × {self.grid[1]} of a picture")
        blocks = self._codebook()[codes.cpu()].view(*self.grid, self.channels, *self.patch).permute(2, 0, 3, 1, 4)
        return blocks.reshape(self.channels, *self.size)

    def show(self, prepared: Prepared) -> np.ndarray:
        return as_picture(self.restore(prepared["ids"]).numpy())

    def describe(self, prepared: Prepared, index: int) -> str:
        """The patch's rectangle in pixels, counted from 0."""
        place = index - int(self.bos)
        if place < 0:
            return "<bos>"
        first = [at * side for at, side in zip(divmod(place, self.grid[1]), self.patch, strict=True)]
        last = [start + side - 1 for start, side in zip(first, self.patch, strict=True)]
        return f"rows {first[0]}–{last[0]}, columns {first[1]}–{last[1]}"

    def read(self, path: Path) -> Sequence[Sample]:
        return [Sample(str(path), read_image(path))]

    def _pixels(self, sample: Sample) -> Tensor:
        return unit(pixels_of(sample, self.channels, self.size), torch.float32)

    def _patches(self, pixels: Tensor) -> Tensor:
        """(channels, height, width) → (rows × columns, channels × patch height × patch width)."""
        (rows, columns), (height, width) = self.grid, self.patch
        blocks = pixels.view(self.channels, rows, height, columns, width).permute(1, 3, 0, 2, 4)
        return blocks.reshape(rows * columns, -1)

    def _codebook(self) -> Tensor:
        if self.codebook is None:
            raise ConfigError("The tokenizer has no codebook yet: call fit on training pictures or restore_state.")
        return self.codebook
