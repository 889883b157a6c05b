"""The same prompts, drawn after each epoch: the course of a training that makes pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning

from mmattn.data.prompts import known
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.limits import whole, within
from mmattn.report.cards import item, title
from mmattn.report.course import FOLDER, save
from mmattn.tokenizer import Prepared


class FixedPrompts(lightning.Callback):
    """Writes `pictures/epoch_001.png` and so on into the run folder, each time that the training is validated.

    The weights are those that are validated: averaged ones where a callback averages them. The noise is the same each
    time, and no random state is touched: training goes on as it would without.

    Args:
        prompts: what is drawn; None: the source's own prompts, or else the contexts of the first validation samples.
        most: of the samples that are taken so.
        guidance, steps: of tasks that take them (`task.asks`), as in their `pictures`.
        seed: of the noise.

    Raises `ConfigError` for numbers that mean nothing; before the first step for a task that makes no pictures and for
    prompts with words that training never shows.
    """

    def __init__(
        self,
        prompts: Sequence[str] | None = None,
        *,
        most: int = 8,
        guidance: float = 3.0,
        steps: int = 20,
        seed: int = 0,
    ) -> None:
        for name, value, least in (("most", most, 1), ("steps", steps, 1), ("seed", seed, 0)):
            whole(f"callbacks.pictures.{name}", value, least)
        within("callbacks.pictures.guidance", guidance, least=0, below=math.inf)
        if isinstance(prompts, str) or (prompts is not None and not prompts):
            raise ConfigError("callbacks.pictures.prompts must be a list of prompts, or null for those of the data.")
        self.prompts, self.most, self.seed = prompts, most, seed
        self.asked = {"guidance": guidance, "steps": steps}
        self.drawn: list[tuple[str, Prepared]] = []

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        if not hasattr(pl_module, "pictures"):
            raise ConfigError(f"callbacks.pictures: {type(pl_module).__name__} makes no pictures; leave it out.")
        dataset, tokenizer = trainer.datamodule.dataset("validation"), pl_module.tokenizer  # type: ignore[attr-defined]
        if isinstance(tokenizer.modelled.show(item(dataset, 0)[tokenizer.target]), str):
            raise ConfigError(f"callbacks.pictures: tokenizer.target={tokenizer.target} is no picture; leave it out.")
        self.drawn = list(self._read(trainer, pl_module))

    def on_validation_batch_start(
        self, trainer: lightning.Trainer, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        # Averaged weights are in place between the beginning and the end of the epoch of validation, for all callbacks.
        if batch_idx or not self.drawn or trainer.sanity_checking or not trainer.is_global_zero:
            return
        asked = {name: value for name, value in self.asked.items() if name in pl_module.asks}
        contexts = [prepared for _, prepared in self.drawn]
        pictures = pl_module.pictures(contexts, count=len(contexts), seed=self.seed, **asked)
        folder = Path(trainer.default_root_dir) / FOLDER
        save(folder, trainer.current_epoch + 1, pictures, [prompt for prompt, _ in self.drawn])

    def _read(self, trainer: lightning.Trainer, task: Any) -> list[tuple[str, Prepared]]:
        if self.prompts is not None:
            return [
                (prompt, known(task.source, Sample("callbacks.pictures.prompts", prompt))) for prompt in self.prompts
            ]
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if data.source.prompts and task.source.vocabulary is not None:  # a context that is no text has no prompts
            return [(prompt, task.source.prepare(Sample(prompt, prompt))) for prompt in data.source.prompts]
        dataset = data.dataset("validation")
        found = []
        for index in range(min(self.most, len(dataset))):
            value = task.tokenizer.value_of(dataset.samples[dataset.items[index].sample], task.context).value
            said = value if isinstance(value, str) else title(dataset, index)
            found.append((said, item(dataset, index)[task.context]))
        return found
