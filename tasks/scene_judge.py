"""Figures of the pictures that a task makes of scenes' captions."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hydra.utils import get_class, instantiate
from rich.console import Console
from rich.progress import track

from mmattn.data.part import whole_of
from mmattn.data.scenes import Scenes, Verdict, check, shares
from mmattn.data.source import Sample, Source
from mmattn.limits import whole, within
from mmattn.tasks.grounding import Pointed, figures, pointed, reading, reading_layers
from mmattn.tokenizer import Prepared


class SceneJudge:
    """Has pictures made of captions, of pairs of a colour and a shape that training has and of pairs that it has not
    (figures of these begin with `heldout_`), and looks at them with `mmattn.data.scenes.check`, which knows no model.

    Of the first `grounded` pictures it also tells whether words are read where their things are drawn, where the task
    samples in steps and has layers that read the context. The captions are the same at each call. There are no figures
    where the data are no `Scenes`.

    Args:
        source: of the captions, or its config, from which it is made when it is needed: a finished run makes pictures
            where its data are not.
        prompts: captions of either kind.
        grounded: how many of them are looked at for grounding; 0: none.
        batch: pictures that are made at a time.
        guidance, guided_until, steps, temperature: of tasks that take them (`task.asks`), as in their `pictures`.
        seed: picture i is made with seed + i.

    Raises `ConfigError` for numbers that mean nothing.
    """

    def __init__(
        self,
        source: Source | Mapping[str, Any],
        *,
        prompts: int = 512,
        grounded: int = 128,
        batch: int = 64,
        guidance: float = 3.0,
        guided_until: float = 0.5,
        steps: int = 20,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> None:
        for name, value in (("prompts", prompts), ("batch", batch), ("steps", steps)):
            whole(f"task.judge.{name}", value, 1)
        for name, value in (("grounded", grounded), ("seed", seed)):
            whole(f"task.judge.{name}", value, 0)
        within("task.judge.guidance", guidance, least=0, below=math.inf)
        within("task.judge.guided_until", guided_until, least=0, most=1)
        within("task.judge.temperature", temperature, least=0, below=math.inf)
        self.source = whole_of(source)
        self.prompts, self.grounded, self.batch, self.seed = prompts, grounded, batch, seed
        self.asked = {
            "guidance": guidance,
            "guided_until": guided_until,
            "steps": steps,
            "temperature": temperature,
        }

    def __call__(self, task: Any) -> dict[str, float]:
        """Name → figure, named as `mmattn.data.scenes.shares` and `mmattn.tasks.grounding.figures` do."""
        if not self._of_scenes():
            return {}
        print(f"judging: pictures of 2 × {self.prompts:,} captions are drawn and looked at.", file=sys.stderr)
        source: Any = self.source if isinstance(self.source, Source) else instantiate(self.source)
        seen = self.figures(task, source.tests(self.prompts), "pairs that training has")
        heldout = self.figures(task, source.held_out(self.prompts), "pairs that it has not")
        return seen | {f"heldout_{name}": value for name, value in heldout.items()}

    def _of_scenes(self) -> bool:
        """Told before a source is made: others may have many files to read."""
        kind = type(self.source) if isinstance(self.source, Source) else get_class(self.source["_target_"])
        return issubclass(kind, Scenes)

    def figures(self, task: Any, samples: Sequence[Sample], kind: str = "captions") -> dict[str, float]:
        """Those of one kind of captions; a bar on a terminal tells how many of them have been drawn."""
        looks = self.grounded if "steps" in task.asks and reading_layers(task) else 0
        verdicts: list[tuple[str, Verdict]] = []
        words: list[Pointed] = []
        console = Console(stderr=True)
        starts = range(0, len(samples), self.batch)
        for start in track(starts, kind, console=console, transient=True, disable=not console.is_terminal):
            some = samples[start : start + self.batch]
            captions = [str(each.value["text"]) for each in some]
            read = [Sample(each.name, each.value.get(task.context, each.value)) for each in some]
            prepared = [task.source.prepare(each) for each in read]
            if start < looks:
                with reading(task, int(self.asked["steps"])) as mean:
                    pictures = self._made(task, prepared, start)
                first = slice(looks - start)
                words += pointed(task, mean.value, prepared[first], captions[first], pictures[first])
            else:
                pictures = self._made(task, prepared, start)
            verdicts += [(text, check(picture, text)) for text, picture in zip(captions, pictures, strict=True)]
        return shares(verdicts) | (figures(words) if looks else {})

    def _made(self, task: Any, prepared: Sequence[Prepared], start: int) -> list[np.ndarray]:
        asked = {name: value for name, value in self.asked.items() if name in task.asks}
        made: list[np.ndarray] = task.pictures(prepared, count=len(prepared), seed=self.seed + start, **asked)
        return made
