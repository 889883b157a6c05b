"""What every training objective shares: optimizer, schedule, steps, logging."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics import MetricCollection

from mmattn.backbone import Backbone
from mmattn.data.dataset import PreparedDataset
from mmattn.data.labels import Labels
from mmattn.errors import ConfigError, Diverged
from mmattn.report.cards import Card
from mmattn.tokenizer import Batch, Prepared, Tokenizer, to_device


@dataclass(frozen=True)
class Scores:
    """A batch's mean `loss` over `count` targets; what the metrics compare, where there are any."""

    loss: Tensor
    count: int
    prediction: Tensor | None = None
    target: Tensor | None = None


class Task(lightning.LightningModule, ABC):
    """tokenizer → backbone → head → loss.

    Args:
        tokenizer, backbone, head: the parts; they are trained together.
        optimizer: `module -> Optimizer`.
        schedule: fraction of the steps done → factor of the learning rate.
        classes: names of the labels, where the data has any.
    """

    monitor = "validation/loss"
    mode = "min"
    heads: tuple[str, ...] = ()
    """Kinds of heads (`head.kind`, the names of their configs) that this task can use; any where there is none."""

    labels: Labels | None = None
    """What it makes of the labels of samples; None where its targets are the tokens themselves."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        backbone: Backbone,
        head: nn.Module,
        *,
        optimizer: Callable[[nn.Module], Optimizer],
        schedule: Callable[[float], float],
        classes: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        for name, part in (("optimizer", optimizer), ("schedule", schedule)):
            if not callable(part):
                raise ConfigError(f"task.{name}={part} makes none: leave it as it is, and choose by {name}=NAME.")
        kind = getattr(head, "kind", None)
        if self.heads and kind not in (None, *self.heads):
            raise ConfigError(f"{type(self).__name__} cannot use head={kind}; set head={' or head='.join(self.heads)}.")
        self.tokenizer, self.backbone, self.head = tokenizer, backbone, head
        self.make_optimizer, self.schedule = optimizer, schedule
        self.classes = tuple(classes) if classes is not None else None
        self.metrics = nn.ModuleDict({split: self.measures() for split in ("validation", "test")})
        self.tokens_seen = 0

    @property
    def reads(self) -> Tokenizer:
        """What `mmattn predict` reads files with."""
        return self.tokenizer

    @abstractmethod
    def evaluate(self, batch: Batch) -> Scores:
        """The loss of a batch, with what the metrics compare."""

    def check(self, batch: Batch) -> None:
        """Raise `BadSample` for what the task cannot use of a batch that lies on the CPU; nothing by default."""

    def measures(self) -> MetricCollection:
        """Metrics of predictions against targets; none by default."""
        return MetricCollection({})

    def compared(self, scores: Scores, batch: Batch) -> tuple[Any, ...]:
        """What the metrics are updated with."""
        return scores.prediction, scores.target

    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """What a report shows of these items of a dataset; nothing by default."""
        return []

    @property
    def measured(self) -> frozenset[str]:
        """Names of what it logs while it trains, which callbacks may monitor; a task that logs more adds it here."""
        names: Any = self.metrics["validation"]
        return frozenset({"train/loss", "validation/loss", *(f"validation/{name}" for name in names)})

    def training_step(self, batch: Batch, index: int) -> Tensor:
        scores = self.evaluate(batch)
        if not bool(torch.isfinite(scores.loss)):  # waits for the device, before such a loss can spoil the weights
            names = ", ".join(batch["names"][:4])
            raise Diverged(
                f"The loss is {scores.loss.item()} at step {self.global_step}, in the batch of {names}, …; lower "
                "optimizer.learning_rate, or look at these samples."
            )
        self.tokens_seen += batch["tokens"]
        self.log("train/loss", scores.loss, prog_bar=True, batch_size=scores.count, on_step=False, on_epoch=True)
        return scores.loss

    def validation_step(self, batch: Batch, index: int) -> Any:
        return self._measure("validation", batch)

    def test_step(self, batch: Batch, index: int) -> Any:
        return self._measure("test", batch)

    def _measure(self, split: str, batch: Batch) -> Scores:
        """The scores, which callbacks get as what a step returns."""
        scores = self.evaluate(batch)
        self.log(f"{split}/loss", scores.loss, prog_bar=True, batch_size=scores.count)
        metrics: Any = self.metrics[split]
        if scores.prediction is not None and scores.count and len(metrics):
            metrics.update(*self.compared(scores, batch))
            self.log_dict({f"{split}/{name}": metric for name, metric in metrics.items()}, prog_bar=True)
        return scores

    def configure_optimizers(self) -> Any:
        optimizer = self.make_optimizer(self)
        steps = self.trainer.estimated_stepping_batches
        if math.isinf(steps):
            raise ConfigError("The schedule must know its end: set trainer.max_epochs or trainer.max_steps.")
        total = max(int(steps), 1)
        # The first step must move something, so the schedule is read at the end of each step.
        factor = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self.schedule(min(step + 1, total) / total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": factor, "interval": "step"}}

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        self.check(batch)  # a look at it on the device would wait
        return to_device(batch, device)

    def collated(self, tokenizer: Tokenizer, prepared: Sequence[Prepared]) -> Batch:
        """A batch of what one of this task's tokenizers prepared, on the task's device."""
        return self.transfer_batch_to_device(tokenizer.collate(prepared), self.device, 0)
