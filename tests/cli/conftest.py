"""One small finished run that many tests look at."""

from __future__ import annotations

import pytest

from mmattn.cli.main import main
from tests.cli.small import SMALL, SMALL_DRAWING


@pytest.fixture(scope="session")
def image_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "image"
    assert main(["train", "image", *SMALL, f"run.dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="session")
def drawing_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "drawn"
    assert main(["train", "text_to_image", *SMALL_DRAWING, f"run.dir={folder}"]) == 0
    return folder
