"""How a training shows itself: a bar on a terminal, a line an epoch elsewhere. Time left is that of all epochs."""

from __future__ import annotations

import time
from typing import Any

import lightning
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from mmattn.cli.tables import duration


def display() -> lightning.Callback:
    """The one that suits standard output."""
    return Bar() if Console().is_terminal else Lines()


class Progress(lightning.Callback):
    """Counts steps, tokens and time; a subclass shows them."""

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.began, self.aside, self.first_step = time.monotonic(), 0.0, trainer.global_step
        self.first_token = pl_module.tokens_seen
        steps = trainer.estimated_stepping_batches
        self.steps = int(steps) if steps != float("inf") else None

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        self.paused = time.monotonic()

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.sanity_checking:
            self.aside += time.monotonic() - self.paused

    def speed(self, task: Any) -> str:
        """Tokens a second while training (validation is not counted)."""
        seconds = time.monotonic() - self.began - self.aside
        return f"{(task.tokens_seen - self.first_token) / max(seconds, 1e-9):,.0f} tokens/s"

    def left(self, trainer: Any) -> str:
        """Time to the end of the last epoch, at the pace so far (validation is counted)."""
        done = trainer.global_step - self.first_step
        if self.steps is None or done == 0 or trainer.global_step >= self.steps:
            return ""
        return f"{duration((time.monotonic() - self.began) / done * (self.steps - trainer.global_step))} left"


def epoch(trainer: Any) -> str:
    """`3/40`, as people count."""
    last = trainer.max_epochs
    return f"{trainer.current_epoch + 1}" + (f"/{last}" if last and last > 0 else "")


def metrics(trainer: Any) -> str:
    """The metrics of the last validation."""
    known = {k.split("/")[1]: v for k, v in trainer.callback_metrics.items() if k.startswith("validation/")}
    return "validation " + ", ".join(f"{name} {float(value):.4f}" for name, value in known.items()) if known else ""


class Lines(Progress):
    """One line an epoch."""

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        loss = trainer.callback_metrics.get("train/loss")
        parts = [
            f"epoch {epoch(trainer)}",
            "" if loss is None else f"loss {float(loss):.4f}",
            metrics(trainer),
            self.speed(pl_module),
            self.left(trainer),
        ]
        print("   ".join(part for part in parts if part), flush=True)


class Bar(Progress):
    """A bar over the whole training."""

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        super().on_train_start(trainer, pl_module)
        columns = (
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[said]}"),
        )
        self.bar = RichProgress(*columns, transient=True, expand=True)
        self.row = self.bar.add_task("", total=self.steps, completed=trainer.global_step, epoch=epoch(trainer), said="")
        self.bar.start()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        known = trainer.callback_metrics.get(pl_module.monitor)
        said = [
            f"loss {float(outputs['loss']):.3f}",
            "" if known is None else f"{pl_module.monitor.replace('/', ' ')} {float(known):.4f}",
            self.speed(pl_module),
            self.left(trainer),
        ]
        self.bar.update(
            self.row, completed=trainer.global_step, epoch=epoch(trainer), said="  ".join(part for part in said if part)
        )

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.bar.stop()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if hasattr(self, "bar"):
            self.bar.stop()
