"""Whether pictures that one run makes of texts lead another run, of two towers, back to those texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from mmattn.data.prompts import known
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.tokenizer import Batch, Prepared, Tokenizer

AT_ONCE = 64
WITHIN = (1, 5)
"""A text counts as found where it is among so many nearest ones."""


@dataclass(frozen=True)
class Found:
    """`made`, `real`: of the pictures made and those of the data, the shares `recall@1`, … whose own text is among the
    nearest of all `texts`; `pictures`: their number."""

    pictures: int
    texts: int
    made: Mapping[str, float]
    real: Mapping[str, float]

    def lines(self) -> list[str]:
        """For a terminal."""
        chance = ", ".join(f"recall@{k} {k / self.texts:.1%}" for k in WITHIN)
        return [
            f"{self.pictures} pictures among {self.texts} texts; at random {chance}",
            *(
                f"{name}: " + ", ".join(f"{what} {share:.1%}" for what, share in shares.items())
                for name, shares in (("made of the texts", self.made), ("of the data", self.real))
            ),
        ]


def retrieval(painter: Any, towers: Any, samples: Sequence[Sample], count: int, asked: Mapping[str, Any]) -> Found:
    """Make a picture of each of `count` texts, spread over all, and look for the text that it is nearest to.

    painter: a task with `pictures`; towers: a `Contrastive` task of the same kinds of data; samples: of both, of texts
    that come twice the first is taken; asked: guidance, steps, seed of `pictures`.
    Raises ConfigError for samples without texts, and for texts with words that one of the tasks does not know.
    """
    first: dict[str, int] = {}  # pictures are read again when they are needed: all at once may not fit
    for place in range(len(samples)):
        text = samples[place].value[painter.context]
        if not isinstance(text, str):
            raise ConfigError(f"{samples[place].name}: what pictures are made of here is no text, but {type(text)}.")
        first.setdefault(text, place)
    texts = list(first)
    chosen = torch.linspace(0, len(texts) - 1, min(count, len(texts))).round().long()
    said = [texts[place] for place in chosen]
    made: list[Any] = []
    for start in range(0, len(said), AT_ONCE):
        some = [known(painter.source, Sample(f"the text '{text}'", text)) for text in said[start : start + AT_ONCE]]
        told = {**asked, "seed": asked["seed"] + start}
        made += [Image.fromarray(each) for each in painter.pictures(some, count=len(some), **told)]
    read = [known(towers.source, Sample(f"the text '{text}'", text)) for text in texts]
    written = _directions(towers, towers.source, read, towers.context_directions)
    shares = []
    real = (samples[first[text]].value[painter.tokenizer.target] for text in said)
    for pictures in made, real:
        seen = [towers.reads.prepare(Sample("a picture", each)) for each in pictures]
        shares.append(_recall(_directions(towers, towers.reads, seen, towers.directions) @ written.T, chosen))
    return Found(len(said), len(texts), *shares)


@torch.no_grad()
def _directions(
    towers: Any, tokenizer: Tokenizer, prepared: Sequence[Prepared], tower: Callable[[Batch], Tensor]
) -> Tensor:
    """(samples, size)"""
    found = []
    for start in range(0, len(prepared), AT_ONCE):
        batch = tokenizer.collate(prepared[start : start + AT_ONCE])
        found.append(tower(towers.transfer_batch_to_device(batch, towers.device, 0)))
    return torch.cat(found)


def _recall(scores: Tensor, own: Tensor) -> dict[str, float]:
    """Of rows (pictures, texts), the shares whose own text is among the nearest."""
    better = (scores > scores.gather(1, own[:, None])).sum(1)
    return {f"recall@{k}": float((better < k).float().mean()) for k in WITHIN}
