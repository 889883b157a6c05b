"""Images with captions in the format of the COCO sets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmattn.data import files as paths
from mmattn.data.captioned_files import Captioned, CaptionedFiles
from mmattn.data.readers import read_text
from mmattn.data.source import Split
from mmattn.errors import BadSample, ConfigError


class CocoCaptions(CaptionedFiles):
    """Pairs of an image and a caption, about five an image.

    The files are those that torchvision's `CocoCaptions` reads; pycocotools is not needed. Source: Chen et al. (2015),
    arXiv 1504.00325.

    Args:
        root: the folder of the two below.
        files: the json file of captions by split.
        images: the folder of images by split.
        validation, seed: see `CaptionedFiles`; used where `files` names no validation split.

    Raises `ConfigError`, when made, for a missing file or folder, and `BadSample` for a json file of another format.
    """

    def __init__(
        self,
        root: str | Path,
        files: Mapping[Split, str | None],
        images: Mapping[Split, str | None],
        validation: float = 0.1,
        seed: int = 0,
    ) -> None:
        folder = paths.folder(root, "the files that data.files and the folders that data.images name")
        listed: dict[Split, list[Captioned]] = {}
        for split, name in paths.by_split(files).items():
            where = images.get(split)
            if where is None:
                raise ConfigError(f"data.images.{split} is missing: name the folder of the images of {name}.")
            if not (folder / where).is_dir():
                hint = paths.similar(folder / where)
                raise ConfigError(f"data.images.{split} names {folder / where}, and there is no such folder.{hint}")
            listed[split] = list(_captions(paths.file(folder / name, f"data.files.{split}"), folder / where))
        super().__init__(listed, validation, seed)


def _captions(path: Path, folder: Path) -> Iterator[Captioned]:
    """Captions image by image, in the order of the file."""
    try:
        content = json.loads(read_text(path))
        texts: dict[Any, list[tuple[Any, str]]] = {each["id"]: [] for each in content["images"]}
        for each in content["annotations"]:
            texts[each["image_id"]].append((each["id"], str(each["caption"])))
        images = [(each["id"], folder / each["file_name"]) for each in content["images"]]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        fault = f"is no json file of COCO captions, with images and annotations ({type(error).__name__}: {error})"
        raise BadSample(str(path), fault) from error
    for number, image in images:
        for caption, text in texts[number]:
            yield Captioned(f"{path}, caption {caption}", image, text)
        if not texts[number]:
            yield Captioned(f"{path}, image {number}", image, None)
