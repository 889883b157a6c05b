"""What a training says before its first step and after its last."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import lightning
from omegaconf import DictConfig

from mmattn.build import Built
from mmattn.cli.estimate import Estimate
from mmattn.cli.tables import aligned, duration, figure_lines, size
from mmattn.data.part import called
from mmattn.run import Run


def announce(built: Built, run: Run, config: DictConfig, trainer: lightning.Trainer, cost: Estimate) -> None:
    """Size, data and cost of what is about to be trained; what the data has to say of itself."""
    splits = [_counted(built, split) for split in built.data.splits]
    steps = "without end" if cost.steps is None else f"{cost.steps:,}"
    if trainer.max_epochs is not None and trainer.max_epochs > 0:
        steps += f" in {trainer.max_epochs - built.data.first_epoch} epochs"
    time = "" if cost.seconds is None else f"about {duration(cost.seconds)}, "
    memory = f"{size(cost.memory)}, " if cost.memory else ""
    rows = [
        ("parameters", f"{sum(p.numel() for p in built.task.parameters()):,}"),
        ("samples", ", ".join(splits)),
        ("batch", f"{config.loader.batch_size} samples, about {cost.tokens:,.0f} tokens"),
        ("steps", steps),
        ("device", f"{trainer.strategy.root_device}, {config.trainer.get('precision', '32-true')}"),
        ("estimate", f"{time}{memory}measured: {cost.step_seconds * 1000:.0f} ms a step"),
        ("run folder", str(run.folder)),
    ]
    print(f"{config.name}: {type(built.task).__name__} of {called(built.data.source)}")
    print(aligned(rows))
    for note in built.data.source.notes:
        print(f"note: {note}")
    for split in built.data.splits:
        for fault in built.data.dataset(split).skipped:
            print(f"skipped: {fault}")


def _counted(built: Built, split: Any) -> str:
    """Samples that are used, and pieces where long ones were cut."""
    dataset = built.data.dataset(split)
    samples, pieces = len(dataset.names), len(dataset)
    return f"{samples:,} {split}" + (f" (cut into {pieces:,} pieces)" if pieces > samples else "")


def conclude(built: Built, run: Run, results: dict[str, Any], validated: bool) -> None:
    """The metrics, what was spent, and what to do next; `validated`: whether validation chose the weights."""
    rows: list[tuple[str, str]] = []
    for split in ("test", "validation"):
        rows += zip_longest([split], figure_lines(results[split]), fillvalue="") if split in results else []
    if not validated:
        rows.append(("weights", "those of the last step: nothing was validated while training"))
    rows += [
        ("spent", f"{results['steps']:,} steps, {results['tokens']:,} tokens, {duration(results['seconds'])}"),
        ("report", str(run.folder / "report.html")),
        ("next", following(built.task, run)),
    ]
    print(aligned(rows))


def following(task: Any, run: Run) -> str:
    """The command that uses what was trained."""
    if hasattr(task, "generate"):
        return f"mmattn generate {run.folder} --prompt 'The '"
    if getattr(task, "draws", False):
        prompt = "--prompt-file FILE" if task.source.vocabulary is None else "--prompt …"
        return f"mmattn generate {run.folder} {prompt} --out out.png"
    if hasattr(task, "predicted"):
        return f"mmattn predict {run.folder} FILE"
    return f"mmattn train EXPERIMENT init_from={run.folder} 'init_parts=[backbone]'"
