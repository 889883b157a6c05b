"""The program `mmattn`. Imports of torch and Lightning wait until a verb needs them: help answers at once."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from mmattn.cli.verbs import parser
from mmattn.errors import ConfigError, MmattnError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors that a user can mend are one message on standard error."""
    program = parser()
    arguments, rest = program.parse_known_args(argv)
    if arguments.verb in ("train", "check", "kernels", "compare"):
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
        return error.status
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
    elif arguments.verb == "look":
        from mmattn.cli.look import look

        look(arguments)
    elif arguments.verb == "compare":
        from mmattn.cli.compare import compare

        compare(arguments)
    else:
        {"train": _train, "check": _check, "kernels": _kernels}.get(arguments.verb, _use)(arguments)


def _check(arguments: argparse.Namespace) -> None:
    from mmattn.cli.check import check

    for rule in check(arguments.words, arguments.config_dir):
        print(f"holds: {rule}")


def _kernels(arguments: argparse.Namespace) -> None:
    from mmattn.cli import kernels

    words = arguments.words
    if arguments.measure and words:
        raise ConfigError(f"--measure takes no experiment, and got {' '.join(words)}.")
    asked = kernels.kernels_of(words, arguments.config_dir) if words else kernels.all_kernels()
    print(kernels.measure() if arguments.measure else asked)


def _use(a: argparse.Namespace) -> None:
    """`evaluate`, `predict` or `generate`: a trained run."""
    from mmattn.cli import use

    if a.verb == "evaluate":
        for name, value in use.evaluate(a.run, a.split, a.config_dir, a.other_data).items():
            print(f"{a.split} {name}: {value:.4f}")
    elif a.verb == "predict":
        from mmattn.cli.predict import predict, show_predictions

        show_predictions(predict(a.run, a.files, a.config_dir), a.json)
    else:
        asked_for = {name: getattr(a, name) for name in ("temperature", "guidance", "guided_until", "steps", "sampler")}
        print(use.generate(a.run, a.prompt, a.count, a.seed, a.out, a.config_dir, a.prompt_file, **asked_for))


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


if __name__ == "__main__":
    sys.exit(main())
