"""Verbs that use a finished run: evaluate and generate; the task that every such verb needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import torch

from mmattn.build import build, build_task, make
from mmattn.cli.draw import draw
from mmattn.cli.quiet import quiet
from mmattn.cli.same_data import check_same_data
from mmattn.cli.trainer import measure
from mmattn.cli.unusual import tell_unusual
from mmattn.composition.user_folder import bring
from mmattn.data.only_sample import only_sample
from mmattn.data.source import Sample, Split
from mmattn.errors import ConfigError
from mmattn.limits import check_seed
from mmattn.run import Run, load_weights
from mmattn.tokenizer import Tokenizer
from mmattn.trust import check_targets


def evaluate(
    folder: str, split: Split = "test", config_dir: str | None = None, other_data: bool = False
) -> dict[str, float]:
    """Metrics of a run's best weights on a split of its own data; `config_dir` is trusted besides mmattn.

    Raises `RunError` where the split holds other samples than at the training, unless `other_data` allows it.
    """
    quiet()
    run = Run.open(folder)
    config = run.config
    check_targets(config, bring(config_dir)[1])
    lightning.seed_everything(config.seed, verbose=False)
    built = build(config, run.state()["tokenizer"])
    load_weights(built.task, run.weights(), folder)
    if split not in built.data.splits:
        raise ConfigError(f"The data of {folder} has no {split} split; it has {', '.join(built.data.splits)}.")
    if not other_data:
        check_same_data(run, built.data, [split])
    return measure(built, config, [split])[split]


def load_task(folder: str, config_dir: str | None = None) -> Any:
    """The task of a run with its best weights, in evaluation mode; its data is not needed."""
    quiet()
    run = Run.open(folder)
    config, state = run.config, run.state()
    check_targets(config, bring(config_dir)[1])
    tokenizer = make(config, "tokenizer")
    tokenizer.restore_state(state["tokenizer"])
    task = build_task(config, tokenizer, state["classes"])
    load_weights(task, run.weights(), folder)
    return task.eval()


def generate(
    folder: str,
    prompt: str | None,
    count: int | None = None,
    seed: int = 0,
    out: str = "out.png",
    config_dir: str | None = None,
    prompt_file: str | None = None,
    **asked: Any,
) -> str:
    """The prompt and `count` (200) more tokens of a language model, or where `count` (1) pictures of it were written.

    The prompt is a text, or what the run's tokenizer reads from `prompt_file`: a sound, a picture, a text.
    `asked`: temperature; for pictures guidance, guided_until, steps and sampler, too; None: as the task has it.
    """
    check_seed("--seed", seed)
    task = load_task(folder, config_dir)
    if hasattr(task, "pictures"):
        given = prompted(task.source, prompt, prompt_file)
        written = draw(task, given, 1 if count is None else count, seed, out, asked)
        tell_unusual(folder, [given.value])
        return f"written: {written}"
    if not hasattr(task, "generate"):
        raise ConfigError(f"{folder} is no language model and makes no pictures: it cannot generate.")
    for name in ("guidance", "guided_until", "steps", "sampler"):
        if asked.get(name) is not None:
            option = "--" + name.replace("_", "-")
            raise ConfigError(f"{option} is for runs that make pictures, and {folder} goes on with texts.")
    temperature = 0.8 if asked.get("temperature") is None else asked["temperature"]
    count = 200 if count is None else count
    ids = task.tokenizer.prepare(prompted(task.tokenizer, prompt, prompt_file))["ids"].tolist()
    return task.tokenizer.restore(torch.tensor(task.generate(ids, count, temperature=temperature, seed=seed)))


def prompted(tokenizer: Tokenizer, prompt: str | None, file: str | None) -> Sample:
    """The prompt, from the words or from a file, of which a tokenizer reads one sample. Raises `BadSample`."""
    return Sample("--prompt", prompt) if file is None else only_sample(Path(file), tokenizer, "--prompt-file")
