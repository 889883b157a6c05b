"""`mmattn compare`: one comparison, whose parts are kept as they are measured."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from mmattn.errors import ConfigError, RunError, TrainingError, nearest

NOT_LASTING = ("seeds", "config_dir")
"""Settings that parts of one comparison may differ in: more seeds add parts, and a user's folder may move."""
MEASURED_BY = ("versions", "code", "threads", "config_dir")
"""What all parts of a comparison share besides; `code` is a digest of the package, whatever the commit."""
OF_SEEDS = "± is the standard deviation of the seeds; bands go from the least to the most."
EPILOG = """Each comparison states what is expected, measures it, and says whether it held. What was measured is kept:
the same command with run.dir=FOLDER goes on with one that was stopped.

examples:
  mmattn compare why/recall
  mmattn compare why/recall seeds=3 comparison.pairs_training.steps=500
  mmattn compare why/recall run.dir=runs/recall
"""


def add_compare(verbs: Any) -> argparse.ArgumentParser:
    """The verb and its options."""
    raw = argparse.RawDescriptionHelpFormatter
    about = "ways to do the same, at the same budget"
    epilog = f"{EPILOG}\ncomparisons: {', '.join(names())}"
    compare: argparse.ArgumentParser = verbs.add_parser("compare", help=about, epilog=epilog, formatter_class=raw)
    compare.add_argument("words", nargs="*", metavar="NAME key=value …")
    return compare


def names(config_dir: str | None = None) -> list[str]:
    """Names of all comparisons, ours and those of `--config-dir`."""
    folders = [Path(str(resources.files("mmattn.conf")))] + ([Path(config_dir)] if config_dir else [])
    found = [path.relative_to(each / "compare") for each in folders for path in (each / "compare").rglob("*.yaml")]
    return sorted({str(path.with_suffix("")) for path in found})


def compare(arguments: argparse.Namespace) -> None:
    """Measure, show and save. Raises `ConfigError` before anything is measured, and `RunError` for the folder."""
    import torch
    from omegaconf import OmegaConf

    import mmattn
    from mmattn.benchmarks.record import about as measured_on
    from mmattn.build import make
    from mmattn.cli.quiet import quiet
    from mmattn.compare import Kept
    from mmattn.compare.write import write
    from mmattn.composition.compose import claim, composed_comparison
    from mmattn.composition.user_folder import digest

    quiet()
    name, words = _name(arguments.words, arguments.config_dir)
    config = composed_comparison(name, words, arguments.config_dir)
    comparison = make(config, "comparison")
    if "seeds" not in config.comparison and config.seeds != 1:
        raise ConfigError(f"seeds={config.seeds}: {name} trains nothing that has a seed; leave it out.")
    folder = _folder(name, config.run.get("dir"), _lasting(config.comparison, getattr(comparison, "may_change", ())))
    dirs = [arguments.config_dir] if arguments.config_dir else []
    here = measured_on(torch.get_num_threads())
    own = [word for word in words if not word.startswith("run.dir=")]
    about = {
        "claim": claim(name, dirs, "compare"),
        "command": _command([name, *own], dirs),
        "config": OmegaConf.to_yaml(config.comparison, resolve=True),
        **here,
    }
    own_files = digest(Path(arguments.config_dir)) if arguments.config_dir else None
    _same_code(folder, {**here, "code": digest(Path(mmattn.__file__).parent), "config_dir": own_files})
    print(f"{name}\n  folder       {folder}", flush=True)
    try:
        found = comparison.measure(Kept(folder / "parts", lambda line: print(line, flush=True)))
    except (KeyboardInterrupt, TrainingError) as stopped:
        why = str(stopped) if isinstance(stopped, TrainingError) else "Stopped."
        way_on = _command([name, *own, f"run.dir={folder}"], dirs)
        mended = ", and with this mended" if isinstance(stopped, TrainingError) else ""
        raise type(stopped)(f"{why}\nWhat was measured is kept{mended}: go on with {way_on}") from stopped
    if config.comparison.get("seeds", 1) > 1:
        found = replace(found, notes=(*found.notes, OF_SEEDS))
    write(folder, name, found, about)
    print(shown(found))
    print(f"\n  report       {folder / 'report.html'}")


def shown(found: Any) -> str:
    """Tables, claims and notes as lines."""
    from mmattn.cli.tables import aligned

    parts = [
        f"\n{title}\n{aligned([list(each.columns), *map(list, each.rows)])}" for title, each in found.tables.items()
    ]
    parts.append("")
    for each in found.claims:
        parts.append(
            f"  {'holds' if each.holds else 'FAILS'}   {each.claim}: {each.measured} (expected {each.expected})"
        )
    return "\n".join([*parts, *(f"  {note}" for note in found.notes)])


def _lasting(comparison: Any, others: Sequence[str]) -> str:
    """The settings that all parts of a comparison share: not `others`, for which each part stands itself."""
    from omegaconf import OmegaConf

    settings: Any = OmegaConf.to_container(comparison, resolve=True)
    return OmegaConf.to_yaml(
        OmegaConf.create({key: value for key, value in settings.items() if key not in (*NOT_LASTING, *others)})
    )


def _folder(name: str, chosen: str | None, settings: str) -> Path:
    """A new folder, or one that holds parts of a comparison with the same settings. Raises `RunError` for any other."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
    folder = Path(chosen).expanduser() if chosen else Path("runs/compare") / name / stamp
    config = folder / "comparison.yaml"
    try:
        if config.exists() and config.read_text(encoding="utf-8") != settings:
            raise RunError(f"{folder} holds a comparison with other settings; choose another run.dir.")
        if not config.exists() and folder.is_dir() and any(folder.iterdir()):
            raise RunError(f"{folder} is not empty and holds no comparison; choose another run.dir.")
        folder.mkdir(parents=True, exist_ok=True)
        config.write_text(settings, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{folder} cannot be written ({error}); choose another run.dir.") from error
    return folder


def _same_code(folder: Path, here: Mapping[str, Any]) -> None:
    """Note the code and versions by which parts are measured. Raises `RunError` where others measured some."""
    path, now = folder / "measured_by.json", {key: here[key] for key in (*MEASURED_BY, "commit")}
    try:
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else now
        if any(before.get(key) != now[key] for key in MEASURED_BY):
            raise RunError(
                f"{folder} holds parts that were measured by other code of mmattn, other versions, other threads or "
                f"other files of --config-dir ({path.name} says which): go on with those, or choose another run.dir."
            )
        path.write_text(json.dumps(before, indent=1) + "\n", encoding="utf-8")
    except (OSError, json.JSONDecodeError) as error:
        raise RunError(f"{path} cannot be read or written ({error}); choose another run.dir.") from error


def _command(words: Sequence[str], config_dirs: Sequence[str]) -> str:
    flags = [word for path in config_dirs for word in ("--config-dir", path)]
    return shlex.join(["mmattn", "compare", *words, *flags])


def _name(words: list[str], config_dir: str | None) -> tuple[str, list[str]]:
    """The comparison's name and the other words. Raises `ConfigError` where there is none of that name."""
    known = names(config_dir)
    chosen = [word for word in words if "=" not in word and not word.startswith("~")]
    if any(word.lstrip("+").startswith("compare=") for word in words):
        raise ConfigError("compare: name the comparison as a word of its own, without compare=.")
    if len(chosen) != 1:
        said = "needs one" if not chosen else f"takes one, and got {' '.join(chosen)}"
        raise ConfigError(f"compare {said}: {', '.join(known)}.")
    if chosen[0] not in known:
        raise ConfigError(
            f"There is no comparison '{chosen[0]}'.{nearest(chosen[0], known)} Choices: {', '.join(known)}."
        )
    return chosen[0], [word for word in words if word not in chosen]
