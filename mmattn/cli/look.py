"""`mmattn look`: what reads what inside a run, as a page and a PNG."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mmattn.errors import ConfigError
from mmattn.limits import check_seed

EPILOG = """Where each word of a prompt is read, for runs that make pictures. --edit makes the edited prompt's picture
of the same noise, with the first one's maps and without. For runs that say what a picture shows, where each word that
they say was looked at. Of other runs: which tokens of a sample read which.

examples:
  mmattn look RUN --prompt "a red circle left of a blue square"
  mmattn look RUN --prompt "a red circle" --edit "a blue circle" --out look/
  mmattn look RUN --prompt "a red circle" --weight circle=2
  mmattn look RUN picture.png
  mmattn look RUN FILE --layers "backbone.blocks.0.*" --heads 0 2
"""


def add_look(verbs: Any) -> argparse.ArgumentParser:
    """The verb and its options."""
    raw = argparse.RawDescriptionHelpFormatter
    look = verbs.add_parser("look", help="attention maps of a run", epilog=EPILOG, formatter_class=raw)
    look.add_argument("run")
    look.add_argument("file", nargs="?", help="a picture or another sample, for runs that draw nothing")
    look.add_argument("--prompt", help="what to draw, or a text to read")
    look.add_argument("--edit", metavar="PROMPT", help="another prompt, of the same noise and with the first's maps")
    look.add_argument("--share", type=float, help="of the steps that take the first prompt's maps (1)")
    look.add_argument("--begin", type=float, help="share of the steps that read the first prompt (0.5)")
    look.add_argument("--weight", action="append", default=[], metavar="WORD=FACTOR", help="read a word more, or less")
    look.add_argument("--layers", nargs="+", metavar="NAME", help='these, such as "backbone.blocks.1.*"; all')
    look.add_argument("--heads", nargs="+", type=int, metavar="N", help="these, of runs that draw nothing; all")
    look.add_argument("--limit", type=_memory, default=1.0, metavar="GIB", help="memory that maps may take (1)")
    look.add_argument("--guidance", type=float, help="how much a picture follows the prompt (3)")
    look.add_argument("--steps", type=int, help="from noise to picture (20)")
    look.add_argument("--seed", type=int, help="of the noise (0)")
    look.add_argument("--out", default="look.html", metavar="FILE", help="a page and a PNG of this name, or a folder")
    return look


def look(arguments: argparse.Namespace) -> None:
    """Look and write. Raises ConfigError for a run, a prompt or an option that nothing can be seen of."""
    from mmattn.cli.look_decoded import of_decoded
    from mmattn.cli.look_prompt import of_prompt
    from mmattn.cli.look_sample import of_sample
    from mmattn.cli.unusual import tell_unusual
    from mmattn.cli.use import load_task

    html, png = _files(arguments.out)
    if arguments.seed is not None:
        check_seed("--seed", arguments.seed)
    task = load_task(arguments.run, arguments.config_dir)
    if "steps" in getattr(task, "asks", ()):
        seen = of_prompt(task, arguments)
    else:
        seen = (of_decoded if hasattr(task, "ids_for") else of_sample)(task, arguments)
    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(seen.page, encoding="utf-8")
        seen.strip.save(png)
    except OSError as error:
        raise ConfigError(f"--out={arguments.out} cannot be written: {error}") from error
    if hasattr(task, "pictures"):
        tell_unusual(arguments.run, [arguments.prompt, arguments.edit])
    print(f"written: {html}, {png}")


def _memory(word: str) -> float:
    """GiB, more than none."""
    number = float(word)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return number


def _files(out: str) -> tuple[Path, Path]:
    """The page's and the PNG's."""
    path = Path(out)
    if path.is_dir() or not path.suffix:
        path = path / "look.html"
    if path.suffix.lower() not in (".html", ".png"):
        raise ConfigError(f"--out={out}: a page and a PNG are written; name one of them, or a folder.")
    return path.with_suffix(".html"), path.with_suffix(".png")
