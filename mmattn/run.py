"""A run folder: everything that a training was made of, and what came out of it."""

from __future__ import annotations

import importlib.metadata
import json
import pickle
import platform
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from mmattn import __version__
from mmattn.errors import RunError

FORMAT = 1


class Run:
    """A folder with `config.yaml`, `state.json`, `versions.json`, `split.json`, `checkpoints/`, `metrics.csv`.

    `results.json` is written last: its presence means a finished run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def reserve(config: DictConfig) -> Path:
        """The empty folder of a new run: `run.dir`, or runs/NAME/DATE-TIME. Raises `RunError` as `create` does."""
        stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
        folder = Path(config.run.dir).expanduser() if config.run.dir else Path("runs") / config.name / stamp
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / "config.yaml").exists():
                raise RunError(f"{folder} already holds a run; choose another run.dir.")
            (folder / "config.yaml").touch()  # says early whether it can be written
            (folder / "config.yaml").unlink()
        except OSError as error:
            raise RunError(f"The run folder {folder} cannot be written ({error}); choose another run.dir.") from error
        return folder

    @staticmethod
    def create(config: DictConfig, folder: Path | None = None) -> Run:
        """A new run with its config. Raises `RunError` where the folder cannot be written or holds a run already."""
        run = Run(folder or Run.reserve(config))
        if (run.folder / "config.yaml").exists():
            raise RunError(f"{run.folder} already holds a run; choose another run.dir.")
        resolved = OmegaConf.create(OmegaConf.to_container(config, resolve=True))
        run.put("config.yaml", OmegaConf.to_yaml(resolved))
        return run

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
        """A json file. Raises `RunError` where it cannot be written."""
        self.put(name, json.dumps(content, indent=1) + "\n")

    def put(self, name: str, text: str) -> None:
        """A text file. Raises `RunError` where it cannot be written."""
        try:
            (self.folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise RunError(f"{self.folder / name} cannot be written ({error}).") from error

    def read(self, name: str) -> Any:
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise RunError(f"{self.folder / name} cannot be read: {error}") from error

    def write_origin(self, state: Mapping[str, Any], about: Mapping[str, str]) -> None:
        """`state` is what the model needs besides weights; with it the versions and git state, and `about`."""
        self.write("state.json", {"format": FORMAT, **state})
        packages = ("torch", "torchvision", "torchaudio", "timm", "lightning", "hydra-core")
        versions = {name: _version(name) for name in packages}
        self.write(
            "versions.json",
            {"mmattn": __version__, "python": platform.python_version(), **versions, "git": _git(), **about},
        )

    def state(self) -> Any:
        """The tokenizer's state, the classes, the monitored metric. Raises `RunError` for a format not known here."""
        state = self.read("state.json")
        if state.get("format") != FORMAT:
            raise RunError(f"{self.folder} has format {state.get('format')}; this version reads format {FORMAT}.")
        return state

    def weights(self, which: str = "best") -> dict[str, Any]:
        """The task's state dict, loaded with `weights_only=True`."""
        path = self.checkpoints / f"{which}.ckpt"
        if not path.is_file():
            raise RunError(f"{self.folder} has no checkpoint {path.name}; did its training finish an epoch?")
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, EOFError, LookupError, RuntimeError, pickle.UnpicklingError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise RunError(f"{path} is no checkpoint that can be read: {reason}") from error
        weights = found.get("state_dict") if isinstance(found, dict) else None
        if not isinstance(weights, dict):
            raise RunError(f"{path} is no checkpoint that can be read: it holds no state_dict.")
        return weights

    def settle_best(self) -> bool:
        """Whether validation chose `best.ckpt`; where nothing was validated, the last weights are made to be the best.

        Raises `RunError` where training left no weights.
        """
        best, last = self.checkpoints / "best.ckpt", self.checkpoints / "last.ckpt"
        if best.is_file():
            return True
        try:
            shutil.copyfile(last, best)
        except FileNotFoundError as error:
            raise RunError(f"The training of {self.folder} took no step and left no weights.") from error
        except OSError as error:
            raise RunError(f"{best} cannot be written ({error}); copy {last} there.") from error
        return False


def load_weights(module: torch.nn.Module, weights: Mapping[str, Any], origin: str) -> None:
    """Load all of a state dict. Raises `RunError` naming the first keys that do not fit, before anything is copied."""
    own = module.state_dict()
    faults = [f"{key} is missing" for key in own if key not in weights]
    faults += [f"{key} is unknown" for key in weights if key not in own]
    faults += [
        f"{key} is {tuple(weights[key].shape)}, here {tuple(value.shape)}"
        for key, value in own.items()
        if key in weights and not key.endswith("_extra_state") and weights[key].shape != value.shape
    ]
    if faults:
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise RunError(f"The checkpoint of {origin} does not fit this model: {'; '.join(faults[:3])}{more}.")
    module.load_state_dict(dict(weights))


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
