"""`mmattn bench`: what is measured, each by a command of its own."""

from __future__ import annotations

import argparse
from typing import Any

ATTENTION = """Batch 1, 4 heads of 64, float32, forward and backward. Both sides compute the same, which is tested
first; then they take turns. ratio: our time ÷ the other's, below 1 ours is faster; masks and plans are made before,
and in every turn for "plan anew". Memory, over that of the inputs, is measured in processes of their own.

examples:
  mmattn bench attention
  mmattn bench attention --pattern window --length 4096 --json results.json
  mmattn bench attention --case causal --against sdpa --turns 9 --threads 1
  mmattn bench attention --scale
"""


EDITING = """Prompts of scenes as the training had them, with a colour or a shape swapped, drawn from the same noise:
how often the asked change happened and nothing else changed, with the first prompt's maps injected (prompt-to-prompt),
with the first prompt itself read in the first steps, and with neither.

example:
  mmattn bench editing --run RUN --prompts 200 --json editing.json
"""
RETRIEVAL = """Pictures of texts that the data of a run have, made by that run, looked at by a run of contrastive that
was trained on the same pairs: how often their own text is the nearest of all, beside the same of the data's pictures.

example:
  mmattn bench retrieval --run RUN --by CONTRASTIVE_RUN --split train --pictures 200
"""
MIXERS = """Layers of width 256, forward and backward, in turns. linear: linear attention and Mamba-2 against fused
attention, by length. scaling: exponents of time and memory up to 65,536 tokens. decoding: a token behind 16,384 others
against one behind 16. recurrent: LSTM and GRU against torch's. mamba2: against that of transformers. mambapy: Mamba-2
against the first Mamba of mambapy. The last two need pip install 'mmattn[bench]'.

examples:
  mmattn bench mixers
  mmattn bench mixers --part mamba2 linear --turns 9 --threads 1 --json mixers.json
"""
CAPTURE = """Sampling with a model of width 512, 64 picture tokens and 77 words, with the mean map of one layer taken on
the way, against sampling alone, in turns. Outputs must be the same bit for bit.
"""
SAMPLING = """20 sampling steps with a model of width 512, 64 picture tokens and 77 words: the text encoder and every
layer's keys and values computed once, against anew in each step, in turns. Results must be equal.
"""


def add_bench(verbs: Any) -> None:
    """The verb and what it measures."""
    bench = verbs.add_parser("bench", help="measure attention, other mixers, sampling, editing and retrieval")
    kinds = bench.add_subparsers(dest="what", required=True, metavar="WHAT")
    _attention(_kind(kinds, "attention", "attention beside other libraries", ATTENTION))
    editing = _kind(kinds, "editing", "how well a run's pictures are edited by their prompts", EDITING)
    editing.add_argument("--run", required=True, help="a run of text_to_image on scenes")
    editing.add_argument("--prompts", type=positive, default=200, metavar="N", help="pairs of prompts (200)")
    editing.add_argument("--share", type=float, default=1.0, help="of the steps in which maps are injected (1)")
    editing.add_argument(
        "--begin", type=float, default=0.5, help="share of the steps that read the first prompt itself"
    )
    _drawn(editing)
    retrieval = _kind(kinds, "retrieval", "whether a run's pictures lead back to their texts", RETRIEVAL)
    retrieval.add_argument("--run", required=True, help="a run of text_to_image")
    retrieval.add_argument("--by", required=True, metavar="RUN", help="a run of contrastive, which looks")
    retrieval.add_argument("--split", choices=("train", "validation", "test"), default="validation", help="validation")
    retrieval.add_argument("--pictures", type=positive, default=200, metavar="N", help="texts drawn (200), of all")
    _drawn(retrieval)
    mixers = _kind(kinds, "mixers", "states of fixed size beside attention and other libraries", MIXERS)
    parts = ("linear", "scaling", "decoding", "recurrent", "mamba2", "mambapy")
    mixers.add_argument("--part", nargs="+", choices=parts, metavar="PART", help=f"{', '.join(parts)}; all")
    _timed(mixers, 5)
    for name, said, epilog, turns in (
        ("capture", "what it costs to watch a layer", CAPTURE, 15),
        ("sampling", "what it saves to read a prompt once", SAMPLING, 5),
    ):
        _timed(_kind(kinds, name, said, epilog), turns)


def _timed(kind: argparse.ArgumentParser, turns: int) -> None:
    """Options of what takes turns."""
    kind.add_argument("--turns", type=positive, default=turns, metavar="T", help=f"pairs of runs ({turns})")
    kind.add_argument("--threads", type=positive, metavar="N", help="all cores, or OMP_NUM_THREADS")
    kind.add_argument("--json", metavar="FILE", help="write all figures")


def _drawn(kind: argparse.ArgumentParser) -> None:
    """Options of what draws with a run."""
    kind.add_argument("--guidance", type=float, default=3.0, help="how much a picture follows the prompt (3)")
    kind.add_argument("--steps", type=positive, default=20, help="from noise to picture (20)")
    kind.add_argument("--seed", type=int, default=0)
    kind.add_argument("--threads", type=positive, metavar="N", help="all cores, or OMP_NUM_THREADS")
    kind.add_argument("--json", metavar="FILE", help="write all figures")
    kind.add_argument("--config-dir", metavar="DIR", help="your own yaml files and modules, which are trusted")


def _attention(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--length", nargs="+", type=positive, metavar="N", help="tokens (4096 16384)")
    bench.add_argument("--case", nargs="+", default=[], metavar="NAME", help="these cases, such as window_256; all")
    bench.add_argument("--pattern", nargs="+", default=[], metavar="NAME", help="cases that begin so, such as window")
    bench.add_argument(
        "--against", nargs="+", default=[], metavar="NAME", help="sdpa, local_attention, longformer; what each case has"
    )
    bench.add_argument("--turns", type=positive, default=5, metavar="T", help="pairs of runs (5)")
    bench.add_argument("--threads", type=positive, metavar="N", help="all cores, or OMP_NUM_THREADS")
    bench.add_argument("--scale", action="store_true", help="ours alone from 2,048 to 131,072 tokens")
    bench.add_argument("--json", metavar="FILE", help="write all figures")
    bench.add_argument(
        "--out", default="runs/bench", metavar="DIR", help="where the page with pictures goes (runs/bench)"
    )


def bench(arguments: argparse.Namespace) -> None:
    """Measure, show and save. Raises ConfigError for what is not known, MmattnError at the end where a row is wrong."""
    if arguments.what == "attention":
        from mmattn.cli.bench_attention import attention

        attention(arguments)
    elif arguments.what == "editing":
        from mmattn.cli.bench_editing import editing

        editing(arguments)
    elif arguments.what == "retrieval":
        from mmattn.cli.bench_retrieval import of_texts

        of_texts(arguments)
    elif arguments.what == "mixers":
        from mmattn.cli.bench_mixers import of_mixers

        of_mixers(arguments)
    else:
        _ratio(arguments)


def _ratio(arguments: argparse.Namespace) -> None:
    """`capture` or `sampling`."""
    from dataclasses import asdict

    from mmattn.benchmarks.capture import watched
    from mmattn.benchmarks.painter import painter
    from mmattn.benchmarks.record import about, save_json
    from mmattn.benchmarks.sampling import cached
    from mmattn.benchmarks.timing import pinned

    measure = watched if arguments.what == "capture" else cached
    with pinned(arguments.threads) as threads:
        found = measure(painter(), arguments.turns)
    print(found.line())
    save_json(arguments.json, about(threads), **{arguments.what: [asdict(found)]})


def _kind(kinds: Any, name: str, said: str, epilog: str) -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    kind: argparse.ArgumentParser = kinds.add_parser(name, help=said, epilog=epilog, formatter_class=raw)
    return kind


def positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
