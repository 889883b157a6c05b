"""Continuous tokens from a context: pictures from captions, from classes, from sounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmattn.adaptive import TimeEmbedding
from mmattn.data.dataset import PreparedDataset
from mmattn.errors import ConfigError
from mmattn.limits import whole, within
from mmattn.memory import Memory
from mmattn.report.cards import Card, item, title
from mmattn.report.pictures import pixels
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.tasks.base import Scores
from mmattn.tasks.conditional import ConditionalTask
from mmattn.tasks.flow import PREDICTIONS, SAMPLERS, between, random_times, time_grid, velocity_weight
from mmattn.tasks.guidance import guided, twice
from mmattn.tokenizer import Batch, Prepared, Tokenizer, token_info

SHOWN = 16  # pictures of a report
GUIDANCE = 3.0


class TextToImage(ConditionalTask):
    """Flow matching on the content of the target's tokens, with cross-attention to the encoded context.

    The backbone guesses the data from a noisy version; the loss is the squared error of the velocity that this means.

    Args (context, encoder, drop_context, judge: see `ConditionalTask`):
        prediction: what the backbone puts out, `data` or `velocity`; see `mmattn.tasks.flow.PREDICTIONS`.
        preview: makes what guesses the target from the context alone, `tokenizer -> module`, as `mmattn.heads.Preview`:
            in training its squared error, `preview_weight` times, is added to the loss, for the encoder to learn from.
        mean, deviation, early: of the times, see `random_times`.
    """

    keeps = "coordinates"
    heads = ("codec",)

    def __init__(
        self,
        *args: Any,
        context: str = "text",
        drop_context: float = 0.1,
        prediction: str = "data",
        preview: Callable[[Tokenizer], nn.Module] | None = None,
        preview_weight: float = 1.0,
        mean: float = -0.8,
        deviation: float = 1.0,
        early: float = 0.15,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, context=context, drop_context=drop_context, **kwargs)
        within("task.early", early, least=0, below=1)
        within("task.preview_weight", preview_weight, least=0)
        if prediction not in PREDICTIONS:
            raise ConfigError(f"task.prediction={prediction}: there are {' and '.join(PREDICTIONS)}.")
        self.prediction = PREDICTIONS[prediction]
        self.preview = None if preview is None else preview(self.tokenizer.modelled)
        self.preview_weight = preview_weight
        self.times = {"mean": mean, "deviation": deviation, "early": early}
        self.time = TimeEmbedding(self.backbone.dim)
        # Where the first sample's tokens lie: what is made later lies there, unless asked otherwise.
        self.coordinates = torch.zeros(0, 0, dtype=torch.long)

    @property
    def asks(self) -> tuple[str, ...]:
        """What `mmattn generate` may ask for."""
        return (*(("guidance", "guided_until") if self.drop_context else ()), "steps", "sampler")

    # -- training ---------------------------------------------------------------------------------------------------

    def evaluate(self, batch: Batch) -> Scores:
        mine = batch[str(self.tokenizer.target)]
        info = token_info(mine, coordinates=mine.get("coordinates"))
        data = self.tokenizer.modelled.content(mine)
        assert data is not None  # heads=("codec",) need tokens with content
        self._remember(info)
        generator = None if self.training else torch.Generator(data.device).manual_seed(0)  # the same for every epoch
        time = random_times(len(data), **self.times, generator=generator, device=data.device)
        noise = torch.randn(data.shape, generator=generator, device=data.device, dtype=data.dtype)
        memory = self.encode(batch[self.context])
        aside = self.foreseen(memory, data, info) if self.training and self.preview is not None else 0.0
        guess = self.guess(between(data, noise, time), time, Memory(self.dropped(memory)), info)
        error = (guess - data).square().mean(-1) * velocity_weight(time)[:, None]
        return Scores(mean_of(error, info) + aside, int(mine["tokens"]))

    def foreseen(self, memory: TokenSequence, data: Tensor, info: TokenInfo) -> Tensor:
        """The weighted squared error of what the context alone lets expect."""
        assert self.preview is not None
        error = mean_of((self.preview(Memory(memory), info) - data).square().mean(-1), info)
        self.log("train/preview", error, batch_size=len(data), on_step=False, on_epoch=True)
        return self.preview_weight * error

    def guess(self, x: Tensor, time: Tensor, memory: Memory, info: TokenInfo) -> Tensor:
        """The data (batch, length, values) behind the noisy x at time (batch,)."""
        head: Any = self.head
        embeddings, kept = head.enter(x, info)
        out = self.backbone(TokenSequence(embeddings, info), memory, self.time(time))
        return self.prediction(head.leave(out.embeddings, kept), x, time)

    def _remember(self, info: TokenInfo) -> None:
        if self.coordinates.numel() == 0:
            self.coordinates = info.coordinates[0][info.real[0]].cpu()

    # -- making -----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def make(
        self,
        prepared: Sequence[Prepared] | TokenSequence,
        *,
        guidance: float | None = None,
        guided_until: float = 0.5,
        steps: int = 20,
        seed: int = 0,
        sampler: str = "euler",
        shift: float = 2.0,
        coordinates: Tensor | None = None,
        before: Sequence[Prepared] | TokenSequence | None = None,
        begin: float = 0.5,
    ) -> Tensor:
        """Content (samples, length, values) for contexts, as the context's tokenizer prepared them or encoded.

        `guidance` 1 follows the context as it is, more exaggerates it, 0 ignores it; None is `GUIDANCE`, or 1 where no
        context was hidden in training. From the time `guided_until` on nothing is exaggerated: early that settles what
        is drawn where, later it would bend outlines (https://arxiv.org/abs/2404.07724). Sample i has noise of its own,
        drawn with seed + i. The first `begin` of the steps read the contexts `before`, if there are any: what they have
        laid out by then is finished by the others.
        """
        guidance = self.strength(guidance, GUIDANCE)
        whole("steps", steps, 1)
        if sampler not in SAMPLERS:
            raise ConfigError(f"There is no sampler '{sampler}'; choose one of {', '.join(SAMPLERS)}.")
        within("guided_until", guided_until, least=0, most=1)
        within("begin", begin, least=0, most=1)
        contexts = [self._encoded(each) for each in (prepared, before) if each is not None]
        counts = [len(each.embeddings) for each in contexts]
        if counts[-1] != counts[0]:
            raise ConfigError(f"before holds {counts[-1]} contexts, and {counts[0]} are drawn: give as many.")
        embeddings, places = contexts[0].embeddings, self.coordinates if coordinates is None else coordinates
        x = self._noise(len(embeddings), len(places), seed).to(embeddings)
        times = time_grid(steps, shift).to(x)
        # Keys and values that are made of a memory serve all steps.
        memories = [Memory(twice(each) if guidance != 1 else each) for each in contexts]
        turn = float(times[math.ceil(begin * steps)])
        rows = len(memories[0].tokens.embeddings)
        places = places.to(self.device).expand(rows, -1, -1)
        info = TokenInfo.from_lengths([places.shape[1]] * rows, coordinates=places, device=self.device)

        def guess(x: Tensor, time: Tensor) -> Tensor:
            memory = memories[-1] if float(time[0]) < turn else memories[0]
            if guidance == 1:
                return self.guess(x, time, memory, info)
            # Late steps make both halves, too: captures and edits see one batch throughout.
            strength = guidance if guidance < 1 or float(time[0]) < guided_until else 1.0
            return guided(self.guess(x.repeat(2, 1, 1), time.repeat(2), memory, info), strength)

        return SAMPLERS[sampler](guess, x, times)

    def _noise(self, count: int, length: int, seed: int) -> Tensor:
        """(count, length, values): the first sample's is drawn with `seed`, the next one's with seed + 1."""
        generators = [torch.Generator().manual_seed(seed + place) for place in range(count)]
        size = self.tokenizer.modelled.content_size or 0
        return torch.stack([torch.randn(length, size, generator=generator) for generator in generators])

    def _encoded(self, contexts: Sequence[Prepared] | TokenSequence) -> TokenSequence:
        if isinstance(contexts, TokenSequence):
            return contexts
        return self.encode(self.collated(self.source, contexts))

    @torch.no_grad()
    def pictures(self, prepared: Sequence[Prepared] | None, *, count: int, **asked: Any) -> list[np.ndarray]:
        """uint8 pictures (height, width[, 3]) of contexts, or of `count` samples without any; `asked` as in `make`."""
        content = self.make(self.no_context(count) if prepared is None else prepared, **asked)
        places: Tensor = self.coordinates if asked.get("coordinates") is None else asked["coordinates"]
        grid = tuple(int(each) + 1 for each in places.amax(0)[:2])
        restore: Any = self.tokenizer.modelled.restore
        # Restored where the tokenizer's own numbers are; numpy knows no bfloat16.
        return [pixels(restore(each.float(), grid).cpu().numpy()) for each in content]

    # -- showing ----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """What is made of the contexts of some items, beside what was there."""
        chosen = indices[:SHOWN]
        items = [item(dataset, index) for index in chosen]
        made = self.make([each[self.context] for each in items])
        found = []
        for index, each, content in zip(chosen, items, made, strict=True):
            target = each[str(self.tokenizer.target)]
            picture = self.tokenizer.modelled.picture(content, target)
            shown = ("", self.source.show(each[self.context])), ("data", self.tokenizer.modelled.show(target))
            parts = [(name, value) for name, value in (*shown, ("made", picture)) if value is not None]
            found.append(Card(title(dataset, index), parts))
        return found


def mean_of(values: Tensor, info: TokenInfo) -> Tensor:
    """The mean of values (batch, length) over tokens that are no padding; 0 where there is none."""
    return (values * info.real).sum() / info.real.sum().clamp(min=1)
