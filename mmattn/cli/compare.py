"""`mmattn compare`: one comparison, whose parts are kept as they are measured."""

from __future__ import annotations

import argparse
import shlex
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from mmattn.errors import ConfigError, RunError, nearest

EPILOG = """Each comparison states what is expected, measures it, and says whether it held. What was measured is kept:
one that was stopped goes on with --resume.

examples:
  mmattn compare why/recall
  mmattn compare why/recall seeds=3 comparison.steps=500
  mmattn compare --resume runs/compare/why/recall/2030-01-01_12-00-00-000000
"""


def add_compare(verbs: Any) -> argparse.ArgumentParser:
    """The verb and its options."""
    raw = argparse.RawDescriptionHelpFormatter
    about = "ways to do the same, at the same budget"
    epilog = f"{EPILOG}\ncomparisons: {', '.join(names())}"
    compare: argparse.ArgumentParser = verbs.add_parser("compare", help=about, epilog=epilog, formatter_class=raw)
    compare.add_argument("words", nargs="*", metavar="NAME key=value …")
    compare.add_argument("--resume", metavar="FOLDER", help="go on with a comparison that was stopped")
    return compare


def names(config_dir: str | None = None) -> list[str]:
    """Names of all comparisons, ours and those of `--config-dir`."""
    folders = [Path(str(resources.files("mmattn.conf")))] + ([Path(config_dir)] if config_dir else [])
    found = [path.relative_to(each / "compare") for each in folders for path in (each / "compare").rglob("*.yaml")]
    return sorted({str(path.with_suffix("")) for path in found})


def compare(arguments: argparse.Namespace) -> None:
    """Measure, show and save. Raises `ConfigError` before anything is measured, and `RunError` for the folder."""
    from omegaconf import OmegaConf

    from mmattn.build import make
    from mmattn.cli.quiet import quiet
    from mmattn.compare import Kept
    from mmattn.compare.write import write

    quiet()
    began = _resumed(arguments) if arguments.resume else _begun(arguments)
    folder, name, config = began
    comparison = make(config, "comparison")
    print(f"{name}\n  folder       {folder}", flush=True)
    found = comparison.measure(Kept(folder / "parts", lambda line: print(line, flush=True)))
    write(folder, name, found, _about(folder, OmegaConf.to_yaml(config.comparison)))
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


def _begun(arguments: argparse.Namespace) -> tuple[Path, str, Any]:
    """A new folder with the config and the command that made it."""
    from omegaconf import OmegaConf

    from mmattn.cli.compose import claim, composed_comparison

    name, words = _name(arguments.words, arguments.config_dir)
    config = composed_comparison(name, words, arguments.config_dir)
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
    folder = Path(config.run.dir).expanduser() if config.run.dir else Path("runs/compare") / name / stamp
    if (folder / "config.yaml").exists():
        raise RunError(f"{folder} holds a comparison already: go on with --resume {folder}, or choose another run.dir.")
    resolved = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
    given = ["--config-dir", arguments.config_dir] if arguments.config_dir else []
    dirs = [arguments.config_dir] if arguments.config_dir else []
    command = shlex.join(["mmattn", "compare", *[word for word in arguments.words if "run.dir=" not in word], *given])
    about = {"name": name, "command": command, "claim": claim(name, dirs, "compare")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "about.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(about)), encoding="utf-8")
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(resolved), encoding="utf-8")
    except OSError as error:
        raise RunError(f"{folder} cannot be written ({error}); choose another run.dir.") from error
    return folder, name, resolved


def _resumed(arguments: argparse.Namespace) -> tuple[Path, str, Any]:
    from omegaconf import OmegaConf

    from mmattn.cli.user_folder import bring
    from mmattn.trust import check_targets

    if arguments.words:
        raise ConfigError(f"--resume goes on with what was begun; it does not take {' '.join(arguments.words)}.")
    folder = Path(arguments.resume).expanduser()
    if not (folder / "config.yaml").is_file() or not (folder / "about.yaml").is_file():
        raise RunError(f"{folder} holds no comparison: it has no config.yaml and about.yaml.")
    config: Any = OmegaConf.load(folder / "config.yaml")
    check_targets(config, bring(arguments.config_dir)[1])
    return folder, str(OmegaConf.load(folder / "about.yaml").name), config


def _name(words: list[str], config_dir: str | None) -> tuple[str, list[str]]:
    """The comparison's name and the other words. Raises `ConfigError` where there is none of that name."""
    known = names(config_dir)
    chosen = [word for word in words if "=" not in word]
    if len(chosen) != 1:
        said = "needs one" if not chosen else f"takes one, and got {' '.join(chosen)}"
        raise ConfigError(f"compare {said}: {', '.join(known)}.")
    if chosen[0] not in known:
        raise ConfigError(
            f"There is no comparison '{chosen[0]}'.{nearest(chosen[0], known)} Choices: {', '.join(known)}."
        )
    return chosen[0], [word for word in words if word not in chosen]


def _about(folder: Path, config: str) -> dict[str, Any]:
    from omegaconf import OmegaConf

    from mmattn.benchmarks.machine import machine

    kept = OmegaConf.load(folder / "about.yaml")
    return {"claim": str(kept.claim), "command": str(kept.command), "config": config, "machine": machine()}
