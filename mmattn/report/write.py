"""Puts a run's report together."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mmattn.build import Built
from mmattn.data.part import called
from mmattn.report.confusion import drawn, matrix, worst
from mmattn.report.course import course
from mmattn.report.curves import curves
from mmattn.report.page import code, folded, gallery, page, section, table, tiles
from mmattn.report.predictions import Predictions, mistakes, spread
from mmattn.run import Run

SAMPLES, MISTAKES = 18, 12
TILES = 8
"""Metrics that stand at the top; all of them are in the table."""


def write_report(
    run: Run, config: DictConfig, built: Built, results: dict[str, Any], found: Mapping[str, Predictions]
) -> None:
    """`report.html` of a trained run, from its books, the best weights, which the task holds, and what these have
    predicted of splits."""
    origin = run.read("versions.json")
    split = "test" if "test" in results else "validation"
    command, claim = origin.pop("command", ""), origin.pop("claim", "")
    measured = {f"{name} {key}": f"{results[name][key]:.4f}" for name in ("test", "validation") if name in results
                for key in sorted(results[name])}  # fmt: skip
    rest = {key: f"{value:,}" for key, value in results.items() if not isinstance(value, dict)}
    described = f"{type(built.task).__name__} · {called(built.data.source)} · {type(built.tokenizer).__name__}"
    header = f'<h1>{escape(config.name)}</h1><p class="quiet">{described}</p>'
    sections = [
        f'{header}{_claim(claim)}{_headline(built, results, split)}',
        section("Curves", _charts(curves(run.folder / "metrics.csv"))),
        course(run.folder),
        *_samples(built, split, found.get(split)),
        section("All figures", table(measured | rest)),
        section("Do it again", code(command or "(started from Python)"), f"Run folder: {run.folder}"),
        folded("Config", code(OmegaConf.to_yaml(config))),
        folded("Versions", table(origin)),
    ]  # fmt: skip
    run.put("report.html", page(f"{config.name}: mmattn", sections))


def _claim(claim: str) -> str:
    return f'<p class="claim">{escape(claim)}</p>' if claim else ""


def _headline(built: Built, results: dict[str, Any], split: str) -> str:
    metrics = results[split]
    name = built.task.monitor.split("/")[1]
    order = [name, *sorted(set(metrics) - {name}, key=lambda key: (key.count("_"), key))]  # what is whole before parts
    shown = [(f"{split} {key}", f"{metrics[key]:.4f}") for key in order if key in metrics][:TILES]
    seconds = results["train_seconds"]
    time = f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
    spent = [("parameters", f"{results['parameters']:,}"), ("steps", f"{results['steps']:,}"), ("training", time)]
    return tiles(shown + spent)


def _charts(drawings: str) -> str:
    return f'<div class="charts">{drawings}</div>' if drawings else ""


def _samples(built: Built, split: Any, found: Predictions | None) -> list[str]:
    """Confusion matrix, surest mistakes, and an even selection of samples, of a split."""
    task, dataset = built.task.cpu().eval(), built.data.dataset(split)
    out = []
    if found is not None:
        counts = matrix(found.truth, found.guess, len(task.classes))
        said = "".join(f"<li>{escape(sentence)}</li>" for sentence in worst(counts, task.classes))
        beside = f"<div><p>Most frequent</p><ul>{said}</ul></div>" if said else "<div><p>No mistake.</p></div>"
        content = f'<div class="split"><figure>{drawn(counts, task.classes)}</figure>{beside}</div>'
        out.append(section("Confusion", content, f"{len(found.truth):,} predictions of the {split} split."))
        if len(found.truth) == len(dataset):
            chosen = mistakes(found, MISTAKES)
            out.append(section("Surest mistakes", gallery(task.cards(dataset, chosen))))
    chosen = spread(len(dataset), SAMPLES)
    out.append(section("Samples", gallery(task.cards(dataset, chosen)), f"Taken evenly from the {split} split."))
    return out
