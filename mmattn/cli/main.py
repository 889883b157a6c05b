"""The program `mmattn`. Imports of torch and Lightning wait until a verb needs them: help answers at once."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mmattn.errors import MmattnError

EXAMPLES = """examples:
  mmattn train image
  mmattn train text backbone.depth=8 trainer.max_epochs=3
  mmattn train my_experiment --config-dir ~/my_conf
  mmattn train --resume RUN
  mmattn evaluate RUN --split test
  mmattn predict RUN FILE --json
  mmattn generate RUN --prompt "The "
  mmattn check tokenizer=protein
"""
GROUPS = (
    "experiment", "data", "tokenizer", "backbone", "mixer", "pattern", "position", "head", "task",
    "optimizer", "schedule", "trainer",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """The verbs and their options; every other word is a Hydra override."""
    raw = argparse.RawDescriptionHelpFormatter
    program = argparse.ArgumentParser(
        "mmattn", description="One attention backbone for every kind of data.", epilog=EXAMPLES, formatter_class=raw
    )
    verbs = program.add_subparsers(dest="verb", required=True, metavar="VERB")
    train = verbs.add_parser("train", help="train an experiment", epilog=_groups(), formatter_class=raw)
    train.add_argument("words", nargs="*", metavar="EXPERIMENT key=value …")
    train.add_argument("--config-dir", help="your own yaml files and package")
    train.add_argument("--resume", metavar="RUN", help="go on with a run from its last whole epoch")
    evaluate = verbs.add_parser("evaluate", help="measure a run")
    evaluate.add_argument("run")
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test"))
    predict = verbs.add_parser("predict", help="labels of new files")
    predict.add_argument("run")
    predict.add_argument("files", nargs="+")
    predict.add_argument("--json", action="store_true")
    generate = verbs.add_parser("generate", help="go on with a prompt")
    generate.add_argument("run")
    generate.add_argument("--prompt", required=True)
    generate.add_argument("--count", type=int, default=200, help="tokens to add")
    generate.add_argument("--temperature", type=float, default=0.8)
    generate.add_argument("--seed", type=int, default=0)
    check = verbs.add_parser("check", help="the contract of a tokenizer")
    check.add_argument("words", nargs="+", metavar="tokenizer=NAME key=value …")
    check.add_argument("--config-dir")
    return program


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors that a user can mend are one message on standard error."""
    arguments = parser().parse_args(argv)
    try:
        _run(arguments)
    except MmattnError as error:
        if os.environ.get("MMATTN_TRACEBACK") or os.environ.get("HYDRA_FULL_ERROR"):
            raise
        print(f"mmattn: {error}", file=sys.stderr)
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> None:
    if arguments.verb == "train":
        from mmattn.cli.train import train

        train(arguments.words, arguments.config_dir, arguments.resume)
    elif arguments.verb == "check":
        from mmattn.cli.check import check

        for rule in check(arguments.words, arguments.config_dir):
            print(f"holds: {rule}")
    else:
        from mmattn.cli import use

        if arguments.verb == "evaluate":
            for name, value in use.evaluate(arguments.run, arguments.split).items():
                print(f"{arguments.split} {name}: {value:.4f}")
        elif arguments.verb == "predict":
            use.show_predictions(use.predict(arguments.run, arguments.files), arguments.json)
        else:
            a = arguments
            print(use.generate(a.run, a.prompt, a.count, a.temperature, a.seed))


def _groups() -> str:
    from importlib import resources

    lines = ["groups and their choices:"]
    for group in GROUPS:
        folder = resources.files("mmattn.conf") / group
        names = sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))
        lines.append(f"  {group}: {', '.join(names)}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
