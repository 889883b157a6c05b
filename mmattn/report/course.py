"""Pictures of the same prompts, epoch after epoch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmattn.report.page import section
from mmattn.report.pictures import data_uri, side_by_side
from mmattn.report.predictions import spread

FOLDER = "pictures"
"""Where they lie in a run folder."""
MOST = 12  # epochs that a report shows
LONGEST = 640  # pixels of a row in a report


def save(folder: Path, epoch: int, pictures: Sequence[np.ndarray], prompts: Sequence[str]) -> Path:
    """Write the pictures made after so many epochs, side by side, as `epoch_003.png`; it holds their prompts, too."""
    folder.mkdir(parents=True, exist_ok=True)
    path, about = folder / f"epoch_{epoch:03d}.png", PngInfo()
    about.add_itxt("prompts", "\n".join(prompts))
    Image.fromarray(side_by_side(pictures)).save(path, pnginfo=about)
    return path


def course(folder: Path) -> str:
    """A section with the pictures of a run, a row an epoch, evenly chosen; empty where there are none."""
    paths = sorted((folder / FOLDER).glob("epoch_*.png"), key=lambda path: (len(path.name), path.name))
    rows, prompts = [], ""
    for place in spread(len(paths), MOST) if paths else ():
        with Image.open(paths[place]) as image:
            prompts = str(image.info.get("prompts", ""))
            shown = data_uri(np.asarray(image), LONGEST)
        epoch = f"epoch {int(paths[place].stem.removeprefix('epoch_'))}"
        rows.append(f'<div class="strip"><small>{epoch}</small><img alt="{epoch}" src="{shown}"></div>')
    note = f"The same noise each time. From left to right: {'; '.join(prompts.splitlines())}."
    return section("Course of training", "".join(rows), note)
