"""Figures of the pictures that a task makes of scenes' captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hydra.utils import instantiate

from mmattn.data.scenes import Scenes, Verdict, check, shares
from mmattn.data.source import Sample, Source
from mmattn.limits import whole, within


class SceneJudge:
    """Has pictures made of captions, of pairs of a colour and a shape that training has and of pairs that it has not
    (figures of these begin with `heldout_`), and looks at them with `mmattn.data.scenes.check`, which knows no model.

    The captions are the same at each call. There are no figures where the data are no `Scenes`.

    Args:
        source: of the captions, or its config, from which it is made when it is needed: a finished run makes pictures
            where its data are not.
        prompts: captions of either kind.
        batch: pictures that are made at a time.
        guidance, steps: of tasks that take them (`task.asks`), as in their `pictures`.
        seed: picture i is made with seed + i.

    Raises `ConfigError` for numbers that mean nothing.
    """

    def __init__(
        self,
        source: Source | Mapping[str, Any],
        *,
        prompts: int = 512,
        batch: int = 64,
        guidance: float = 3.0,
        steps: int = 20,
        seed: int = 0,
    ) -> None:
        for name, value, least in (
            ("prompts", prompts, 1),
            ("batch", batch, 1),
            ("steps", steps, 1),
            ("seed", seed, 0),
        ):
            whole(f"task.judge.{name}", value, least)
        within("task.judge.guidance", guidance, least=0)
        self.source, self.prompts, self.batch, self.seed = source, prompts, batch, seed
        self.asked = {"guidance": guidance, "steps": steps}

    def __call__(self, task: Any) -> dict[str, float]:
        """Name → figure, as `mmattn.data.scenes.shares` names them."""
        source = self.source if isinstance(self.source, Source) else instantiate(self.source)
        if not isinstance(source, Scenes):
            return {}
        seen = self.figures(task, source.tests(self.prompts))
        heldout = self.figures(task, source.held_out(self.prompts))
        return seen | {f"heldout_{name}": value for name, value in heldout.items()}

    def figures(self, task: Any, samples: Sequence[Sample]) -> dict[str, float]:
        """Those of one kind of captions."""
        verdicts: list[tuple[str, Verdict]] = []
        for start in range(0, len(samples), self.batch):
            some = samples[start : start + self.batch]
            captions = [str(each.value[task.context]) for each in some]
            verdicts += [
                (each, check(made, each)) for each, made in zip(captions, self._make(task, some, start), strict=True)
            ]
        return shares(verdicts)

    def _make(self, task: Any, samples: Sequence[Sample], start: int) -> list[np.ndarray]:
        prepared = [task.source.prepare(Sample(each.name, each.value[task.context])) for each in samples]
        asked = {name: value for name, value in self.asked.items() if name in task.asks}
        made: list[np.ndarray] = task.pictures(prepared, count=len(prepared), seed=self.seed + start, **asked)
        return made
