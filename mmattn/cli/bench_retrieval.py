"""`mmattn bench retrieval`: a run's pictures, and whether another run finds the texts that they were made of."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from mmattn.benchmarks.record import about, save_json
from mmattn.benchmarks.retrieval import retrieval
from mmattn.benchmarks.timing import pinned
from mmattn.build import make
from mmattn.cli.use import load_task
from mmattn.errors import ConfigError
from mmattn.limits import check_seed
from mmattn.run import Run


def of_texts(arguments: argparse.Namespace) -> None:
    """Draw, look, print, save. Raises ConfigError for runs of other tasks, and for a split that is not there."""
    a = arguments
    check_seed("--seed", a.seed)
    painter, towers = (load_task(run, a.config_dir) for run in (a.run, a.by))
    if "steps" not in getattr(painter, "asks", ()):
        raise ConfigError(f"{a.run} draws nothing by steps from noise: give a run of text_to_image.")
    if not hasattr(towers, "context_directions"):
        raise ConfigError(f"--by={a.by} has no two towers: give a run of contrastive.")
    data = make(Run.open(a.run).config, "data")
    samples = data.samples(a.split)
    if samples is None:
        raise ConfigError(f"The data of {a.run} have no {a.split} split; choose another one by --split.")
    asked = {"guidance": a.guidance, "steps": a.steps, "seed": a.seed}
    with pinned(a.threads) as threads:
        found = retrieval(painter, towers, samples, a.pictures, asked)
    print("\n".join(found.lines()))
    known = {**about(threads), "run": a.run, "by": a.by, "split": a.split, **asked}
    save_json(a.json, known, retrieval=[asdict(found)])
