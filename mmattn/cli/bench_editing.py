"""`mmattn bench editing`: a run's pictures edited by their prompts."""

from __future__ import annotations

import argparse
import sys

from mmattn.benchmarks.editing import AT_ONCE, edits, lines, records, summary
from mmattn.benchmarks.edits import swaps
from mmattn.benchmarks.record import about, save_json
from mmattn.benchmarks.timing import pinned
from mmattn.cli.use import load_task
from mmattn.errors import ConfigError
from mmattn.limits import check_seed, within
from mmattn.run import Run


def editing(arguments: argparse.Namespace) -> None:
    """Draw, judge, print, save. Raises ConfigError for a run that does not draw scenes."""
    a = arguments
    check_seed("--seed", a.seed)
    data = Run.open(a.run).config.data
    if data.get("_target_") != "mmattn.data.scenes.Scenes":
        raise ConfigError(f"{a.run} was trained on {data.get('_target_')}: editing is judged on data=scenes alone.")
    within("--begin", a.begin, least=0, most=1)
    task = load_task(a.run, a.config_dir)
    if "steps" not in getattr(task, "asks", ()):
        raise ConfigError(f"{a.run} draws nothing by steps from noise: editing is measured on runs of text_to_image.")
    asked = {"steps": a.steps, "guidance": a.guidance, "seed": a.seed}
    found = []
    with pinned(a.threads) as threads:
        for each in edits(task, swaps(a.prompts, a.seed, data.get("most", 2)), a.share, a.begin, asked):
            found.append(each)
            if len(found) % AT_ONCE == 0:
                print(f"{len(found)} of {a.prompts} edits", file=sys.stderr)
    shares = summary(found)
    print("\n".join(lines(shares)))
    known = {**about(threads), "run": a.run, "share": a.share, "begin": a.begin, **asked}
    save_json(a.json, known, summary=[shares], edits=records(found))
