"""What the program can be told: its verbs and their options. Every other word is a Hydra override."""

from __future__ import annotations

import argparse
from typing import Any

from mmattn.cli.bench import add_bench
from mmattn.cli.compare import add_compare
from mmattn.cli.look import add_look

EXAMPLES = """examples:
  mmattn train image
  mmattn train text backbone.depth=8 trainer.max_epochs=3
  mmattn train my_experiment --config-dir ~/my_conf
  mmattn train image -m seed=0,1,2
  mmattn train --resume RUN
  mmattn evaluate RUN --split test
  mmattn predict RUN FILE --json
  mmattn generate RUN --prompt "The "
  mmattn look RUN --prompt "a red circle"
  mmattn check tokenizer=protein
  mmattn check mixer=mamba2
  mmattn kernels text
  mmattn bench attention --pattern window
  mmattn compare why/recall
"""
OTHER_DATA = "go on although the data are not those of the training"
GROUPS = (
    "experiment", "data", "tokenizer", "backbone", "mixer", "pattern", "position", "head", "task",
    "optimizer", "schedule", "trainer", "callbacks", "loggers",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Of the whole program."""
    about = "One attention backbone for every kind of data."
    raw = argparse.RawDescriptionHelpFormatter
    program = argparse.ArgumentParser("mmattn", description=about, epilog=EXAMPLES, formatter_class=raw)
    verbs = program.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (_train, _evaluate, _predict, _generate, add_look, _check, _kernels, add_compare):
        add(verbs).add_argument(
            "--config-dir", metavar="DIR", help="your own yaml files and modules; what it holds is trusted"
        )
    add_bench(verbs)
    return program


def _train(verbs: Any) -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    train: argparse.ArgumentParser = verbs.add_parser(
        "train", help="train an experiment", epilog=_groups(), formatter_class=raw
    )
    train.add_argument("words", nargs="*", metavar="EXPERIMENT key=value …")
    train.add_argument("--resume", metavar="RUN", help="go on with a run from its last whole epoch")
    train.add_argument("--other-data", action="store_true", help=f"with --resume: {OTHER_DATA}")
    train.add_argument("-m", "--multirun", action="store_true", help="a run for each of key=value,value,…")
    train.add_argument("--cfg", "-c", choices=("job", "hydra", "all"), help="print the config and do nothing")
    train.add_argument("--package", "-p", metavar="KEY", help="with --cfg: this part alone")
    train.add_argument("--resolve", action="store_true", help="with --cfg: fill in ${…}")
    train.add_argument("--info", "-i", nargs="?", const="all", metavar="WHAT", help="what Hydra found and where")
    train.add_argument("--hydra-help", action="store_true", help="Hydra's own help")
    return train


def _evaluate(verbs: Any) -> argparse.ArgumentParser:
    evaluate: argparse.ArgumentParser = verbs.add_parser("evaluate", help="measure a run")
    evaluate.add_argument("run")
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test"))
    evaluate.add_argument("--other-data", action="store_true", help=OTHER_DATA)
    return evaluate


def _predict(verbs: Any) -> argparse.ArgumentParser:
    predict: argparse.ArgumentParser = verbs.add_parser("predict", help="labels of new files")
    predict.add_argument("run")
    predict.add_argument("files", nargs="+")
    predict.add_argument("--json", action="store_true")
    return predict


def _generate(verbs: Any) -> argparse.ArgumentParser:
    generate: argparse.ArgumentParser = verbs.add_parser("generate", help="go on with a prompt, or draw it")
    generate.add_argument("run")
    prompt = generate.add_mutually_exclusive_group(required=True)
    prompt.add_argument("--prompt", help="a text")
    prompt.add_argument("--prompt-file", metavar="FILE", help="or a file of what the run reads: a sound, a picture")
    generate.add_argument("--count", type=int, help="tokens to add (200), or pictures (1)")
    generate.add_argument("--temperature", type=float, help="of tokens: 0 takes the likeliest")
    generate.add_argument("--seed", type=int, default=0)
    generate.add_argument("--out", default="out.png", help="where pictures go (out.png)")
    generate.add_argument("--guidance", type=float, help="how much a picture follows the prompt (3; one of codes 1.5)")
    generate.add_argument("--guided-until", type=float, help="the time from which it follows it as it is, 0 to 1 (0.5)")
    generate.add_argument("--steps", type=int, help="from noise to picture (20)")
    generate.add_argument("--sampler", help="euler or heun")
    return generate


def _check(verbs: Any) -> argparse.ArgumentParser:
    check: argparse.ArgumentParser = verbs.add_parser("check", help="the contract of a tokenizer, or of a mixer")
    check.add_argument("words", nargs="+", metavar="tokenizer=NAME | mixer=NAME | key=value")
    return check


def _kernels(verbs: Any) -> argparse.ArgumentParser:
    kernels: argparse.ArgumentParser = verbs.add_parser("kernels", help="how attention is computed here, and why so")
    kernels.add_argument("words", nargs="*", metavar="EXPERIMENT key=value …")
    kernels.add_argument("--measure", action="store_true", help="measure when skipping pays on this machine")
    return kernels


def _groups() -> str:
    from importlib import resources

    lines = ["groups and their choices:"]
    for group in GROUPS:
        folder = resources.files("mmattn.conf") / group
        names = sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))
        lines.append(f"  {group}: {', '.join(names)}")
    return "\n".join(lines)
