"""A run folder: everything that a training was made of, and what came out of it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from mmattn.errors import RunError

FORMAT = 1


class Run:
    """A folder with `config.yaml`, `state.json`, `versions.json`, `split.json`, `checkpoints/`, `metrics.csv`.

    `results.json` is written last: its presence means a finished run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def create(config: DictConfig) -> Run:
        """A new folder. Raises `RunError` where it cannot be written or holds a run already."""
        stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
        folder = Path(config.run.dir).expanduser() if config.run.dir else Path("runs") / config.name / stamp
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / "config.yaml").exists():
                raise RunError(f"{folder} already holds a run; choose another run.dir.")
            (folder / "config.yaml").write_text(OmegaConf.to_yaml(config), encoding="utf-8")
        except OSError as error:
            raise RunError(f"The run folder {folder} cannot be written ({error}); choose another run.dir.") from error
        return Run(folder)

    @staticmethod
    def open(folder: str | Path) -> Run:
        """An existing run. Raises `RunError` where there is none."""
        path = Path(folder).expanduser()
        if not (path / "config.yaml").is_file():
            raise RunError(f"{folder} is no run folder: it has no config.yaml.")
        return Run(path)

    @property
    def config(self) -> DictConfig:
        return OmegaConf.load(self.folder / "config.yaml")  # type: ignore[return-value]

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def write(self, name: str, content: Any) -> None:
        (self.folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def read(self, name: str) -> Any:
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise RunError(f"{self.folder / name} cannot be read: {error}") from error

    def write_origin(self, tokenizer_state: Mapping[str, Any], classes: Any) -> None:
        """What the model needs besides weights, and the versions and git state that made it."""
        self.write("state.json", {"format": FORMAT, "tokenizer": dict(tokenizer_state), "classes": classes})
        packages = ("mmattn", "torch", "torchvision", "torchaudio", "timm", "lightning", "hydra-core")
        versions = {name: _version(name) for name in packages}
        self.write("versions.json", {"python": platform.python_version(), **versions, "git": _git()})

    def state(self) -> Any:
        """The tokenizer's state and the classes. Raises `RunError` for a format that this version does not know."""
        state = self.read("state.json")
        if state.get("format") != FORMAT:
            raise RunError(f"{self.folder} has format {state.get('format')}; this version reads format {FORMAT}.")
        return state

    def weights(self, which: str = "best") -> dict[str, Any]:
        """The task's state dict, loaded with `weights_only=True`."""
        path = self.checkpoints / f"{which}.ckpt"
        if not path.is_file():
            raise RunError(f"{self.folder} has no checkpoint {path.name}; did its training finish an epoch?")
        return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]


def load_weights(module: torch.nn.Module, weights: Mapping[str, Any], origin: str) -> None:
    """Load all of a state dict. Raises `RunError` naming what does not fit."""
    try:
        module.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise RunError(f"The checkpoint of {origin} does not fit this model: {error}") from error


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git() -> str | None:
    """The commit of the checkout that mmattn is imported from, `-dirty` with uncommitted changes."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"], cwd=here, capture_output=True, text=True
        )
    except OSError:
        return None
    return done.stdout.strip() or None
