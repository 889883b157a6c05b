"""The program `mmattn`. Imports of torch and Lightning wait until a verb needs them: help answers at once."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from mmattn.cli.bench import add_bench
from mmattn.cli.look import add_look
from mmattn.errors import ConfigError, MmattnError

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
"""
OTHER_DATA = "go on although the data are not those of the training"
GROUPS = (
    "experiment", "data", "tokenizer", "backbone", "mixer", "pattern", "position", "head", "task",
    "optimizer", "schedule", "trainer", "callbacks", "loggers",
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
    train.add_argument("--resume", metavar="RUN", help="go on with a run from its last whole epoch")
    train.add_argument("--other-data", action="store_true", help=f"with --resume: {OTHER_DATA}")
    train.add_argument("-m", "--multirun", action="store_true", help="a run for each of key=value,value,…")
    train.add_argument("--cfg", "-c", choices=("job", "hydra", "all"), help="print the config and do nothing")
    train.add_argument("--package", "-p", metavar="KEY", help="with --cfg: this part alone")
    train.add_argument("--resolve", action="store_true", help="with --cfg: fill in ${…}")
    train.add_argument("--info", "-i", nargs="?", const="all", metavar="WHAT", help="what Hydra found and where")
    train.add_argument("--hydra-help", action="store_true", help="Hydra's own help")
    evaluate = verbs.add_parser("evaluate", help="measure a run")
    evaluate.add_argument("run")
    evaluate.add_argument("--split", default="test", choices=("train", "validation", "test"))
    evaluate.add_argument("--other-data", action="store_true", help=OTHER_DATA)
    predict = verbs.add_parser("predict", help="labels of new files")
    predict.add_argument("run")
    predict.add_argument("files", nargs="+")
    predict.add_argument("--json", action="store_true")
    generate = verbs.add_parser("generate", help="go on with a prompt, or draw it")
    generate.add_argument("run")
    prompt = generate.add_mutually_exclusive_group(required=True)
    prompt.add_argument("--prompt", help="a text")
    prompt.add_argument("--prompt-file", metavar="FILE", help="or a file of what the run reads: a sound, a picture")
    generate.add_argument("--count", type=int, help="tokens to add (200), or pictures (1)")
    generate.add_argument("--temperature", type=float, help="of tokens: 0 takes the likeliest")
    generate.add_argument("--seed", type=int, default=0)
    generate.add_argument("--out", default="out.png", help="where pictures go (out.png)")
    generate.add_argument("--guidance", type=float, help="how much a picture follows the prompt (3)")
    generate.add_argument("--steps", type=int, help="from noise to picture (20)")
    generate.add_argument("--sampler", help="euler or heun")
    check = verbs.add_parser("check", help="the contract of a tokenizer, or of a mixer")
    check.add_argument("words", nargs="+", metavar="tokenizer=NAME | mixer=NAME | key=value")
    kernels = verbs.add_parser("kernels", help="how attention is computed here, and why so")
    kernels.add_argument("words", nargs="*", metavar="EXPERIMENT key=value …")
    kernels.add_argument("--measure", action="store_true", help="measure when skipping pays on this machine")
    for verb in (train, evaluate, predict, generate, add_look(verbs), check, kernels):
        verb.add_argument(
            "--config-dir", metavar="DIR", help="your own yaml files and modules; what it holds is trusted"
        )
    add_bench(verbs)
    return program


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors that a user can mend are one message on standard error."""
    program = parser()
    arguments, rest = program.parse_known_args(argv)
    if arguments.verb in ("train", "check", "kernels"):
        arguments.words += [word for word in rest if not word.startswith("-")]  # words may follow options
        rest = [word for word in rest if word.startswith("-")]
    if rest:
        program.error(f"unrecognized arguments: {' '.join(rest)}")
    before = signal.getsignal(signal.SIGINT)
    try:
        _run(arguments)
    except MmattnError as error:
        if os.environ.get("MMATTN_TRACEBACK") or os.environ.get("HYDRA_FULL_ERROR"):
            raise
        print(f"mmattn: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        # A process of its own ends now, however often the key is pressed; Lightning leaves the signal ignored.
        signal.signal(signal.SIGINT, signal.SIG_IGN if argv is None else before)
        print(f"\nmmattn: {str(stopped) or 'Stopped.'}", file=sys.stderr)
        return 130
    return 0


def _run(arguments: argparse.Namespace) -> None:
    if arguments.verb == "bench":
        from mmattn.cli.bench import bench

        bench(arguments)
        return
    if arguments.verb == "look":
        from mmattn.cli.look import look

        look(arguments)
        return
    given = arguments.config_dir
    if arguments.verb == "train":
        _train(arguments)
    elif arguments.verb == "check":
        from mmattn.cli.check import check

        for rule in check(arguments.words, given):
            print(f"holds: {rule}")
    elif arguments.verb == "kernels":
        from mmattn.cli import kernels

        if arguments.measure and arguments.words:
            raise ConfigError(f"--measure takes no experiment, and got {' '.join(arguments.words)}.")
        asked = kernels.kernels_of(arguments.words, given) if arguments.words else kernels.all_kernels()
        print(kernels.measure() if arguments.measure else asked)
    else:
        from mmattn.cli import use

        if arguments.verb == "evaluate":
            found = use.evaluate(arguments.run, arguments.split, given, arguments.other_data)
            for name, value in found.items():
                print(f"{arguments.split} {name}: {value:.4f}")
        elif arguments.verb == "predict":
            from mmattn.cli.predict import predict, show_predictions

            show_predictions(predict(arguments.run, arguments.files, given), arguments.json)
        else:
            a = arguments
            names = ("temperature", "guidance", "steps", "sampler")
            asked_for = {name: getattr(a, name) for name in names}
            print(use.generate(a.run, a.prompt, a.count, a.seed, a.out, given, a.prompt_file, **asked_for))


def _train(arguments: argparse.Namespace) -> None:
    if arguments.resume:
        from mmattn.cli.train import resume

        if arguments.words:
            raise ConfigError(
                f"--resume goes on with the run's own config; it does not take {' '.join(arguments.words)}."
            )
        resume(arguments.resume, arguments.config_dir, arguments.other_data)
        return
    if arguments.other_data:
        raise ConfigError("--other-data belongs to --resume RUN; a new run takes whatever data there are.")
    from mmattn.cli.launch import launch

    values = {"cfg": arguments.cfg, "package": arguments.package, "info": arguments.info}
    switches = {"multirun": arguments.multirun, "resolve": arguments.resolve, "hydra-help": arguments.hydra_help}
    flags = [f"--{name}={value}" for name, value in values.items() if value is not None]
    launch(arguments.words, flags + [f"--{name}" for name, on in switches.items() if on], arguments.config_dir)


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
