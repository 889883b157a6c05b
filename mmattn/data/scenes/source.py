"""Pictures of a few coloured shapes, and captions that say what they show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy

from mmattn.data.scenes.compose import compose, room_for, some_pairs, some_sizes
from mmattn.data.scenes.draw import draw
from mmattn.data.scenes.grammar import caption
from mmattn.data.scenes.parse import parse
from mmattn.data.scenes.scene import MOST, Scene
from mmattn.data.scenes.swap import swapped
from mmattn.data.source import Lazy, Sample, Source, Split
from mmattn.data.split import split_sizes
from mmattn.errors import ConfigError

HELD_OUT_SPLIT = "held_out"
STREAMS = ("train", "validation", "test", HELD_OUT_SPLIT)
LEAST_PIXELS = 24  # below, shapes cannot be told apart
PROMPTS = (
    "a red circle",
    "a large blue square",
    "a green star left of a yellow triangle",
    "a yellow triangle left of a green star",
    "a purple cross above a black circle",
    "a blue circle below a red square",
    "a red star",  # this pair and those of the next are held out
    "a blue triangle right of a yellow cross",
    "a black square above a green cross left of a purple circle",
)
"""Words without an order would not tell the third from the fourth."""


class Scenes(Source):
    """Pairs `{"image": a PIL image of mode "RGB", "text": its caption}` without labels, drawn as they are read, with a
    caption "swapped" that is nearly right and wrong.

    Sample i of a split depends on (seed, split, i) alone, and on the arguments after `seed`. Six pairs of a colour and
    a shape are in no split; `held_out` asks for them, to see whether a model combines what it knows.

    Args:
        train, validation, test: how many samples.
        pixels: width and height.
        most: things in a scene at most; each but the last has a relation to the next.
        alone: the share of scenes of one thing; the others have 2 to `most`, each number as often.
        sized: scenes of up to so many things have small, medium and large ones, as they find room, the others medium
            ones alone.

    Raises `ConfigError` for numbers outside their range.
    """

    def __init__(
        self,
        train: int = 20000,
        validation: int = 500,
        test: int = 500,
        seed: int = 0,
        pixels: int = 32,
        most: int = 2,
        alone: float = 0.4,
        sized: int = 1,
    ) -> None:
        self.sizes = split_sizes(train, validation, test)
        if not 1 <= most <= MOST:
            raise ConfigError(f"data.most={most} must be between 1 and {MOST} things.")
        if pixels < LEAST_PIXELS:
            raise ConfigError(f"data.pixels={pixels} must be at least {LEAST_PIXELS}: shapes would look the same.")
        if not 0 <= alone <= 1:
            raise ConfigError(f"data.alone={alone} must be a share between 0 and 1.")
        if not 0 <= sized <= MOST:
            raise ConfigError(f"data.sized={sized} must be between 0 and {MOST} things.")
        self.seed, self.pixels, self.most, self.alone, self.sized = seed, pixels, most, alone, sized

    @property
    def prompts(self) -> tuple[str, ...]:
        return tuple(prompt for prompt in PROMPTS if len(parse(prompt).nouns) <= self.most)

    def unusual(self, prompt: str) -> str:
        try:
            nouns = parse(prompt).nouns
        except ConfigError as error:
            return f"The {error}"
        if len(nouns) > self.most:
            return f"It names {len(nouns)} things, and scenes have {self.most} at most."
        if self.alone == 1 and len(nouns) > 1:
            return "Scenes have one thing each."
        if self.alone == 0 and len(nouns) == 1 < self.most:
            return "Scenes have two things or more."
        if len({(noun.colour, noun.shape) for noun in nouns}) < len(nouns):
            return "Two of its things have one colour and one shape, and things of a scene differ."
        sizes = [noun.size for noun in nouns]
        if any(sizes) and len(nouns) > self.sized:
            said = f"only of scenes of up to {self.sized}" if self.sized else "never"
            return f"It tells sizes of {len(nouns)} things, and captions tell sizes {said}."
        if not room_for(size or "medium" for size in sizes):
            return "Things so large find no room in one scene."
        return ""

    def samples(self, split: Split) -> Sequence[Sample] | None:
        return self._lazy(split, self.sizes[split]) if self.sizes[split] else None

    def held_out(self, count: int = 512) -> Sequence[Sample]:
        """Samples that each show at least one pair which no split has."""
        return self._lazy(HELD_OUT_SPLIT, count)

    def tests(self, count: int = 512) -> Sequence[Sample]:
        """As many test samples: the first ones, and more of their kind where the split has fewer."""
        return self._lazy("test", count)

    def scene(self, split: str, index: int) -> Scene:
        """What the picture of a sample shows; `split` may be `held_out`."""
        return self._make(split, index)[0]

    def _lazy(self, split: str, size: int) -> Lazy:
        return Lazy(size, partial(self._read, split), [None] * size)

    def _read(self, split: str, index: int) -> Sample:
        scene, text, wrong = self._make(split, index)
        value = {"image": draw(scene, self.pixels), "text": text, "swapped": wrong}
        return Sample(f"scenes.{split}[{index}]", value)

    def _make(self, split: str, index: int) -> tuple[Scene, str, str]:
        random = numpy.random.default_rng((self.seed, STREAMS.index(split), index))
        alone = self.most == 1 or random.random() < self.alone
        count = 1 if alone else int(random.integers(2, self.most + 1))
        pairs = some_pairs(count, split == HELD_OUT_SPLIT, random)
        sizes = some_sizes(count, random) if count <= self.sized else ["medium"] * count
        scene = compose(pairs, sizes, random)
        text = caption(scene, random)
        return scene, text, swapped(text, random)
