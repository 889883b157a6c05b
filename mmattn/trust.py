"""Which constructors a run folder may name: it may come from anyone, and to open it must not run what it brings."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf

from mmattn.errors import ConfigError

TRUSTED = (
    "mmattn", "torch.nn", "torch.optim", "torchvision.transforms", "torchaudio.transforms", "timm",
    "lightning.Trainer", "lightning.pytorch.trainer", "lightning.pytorch.callbacks", "lightning.pytorch.loggers",
)  # fmt: skip
"""Not all of torch and Lightning, which load and run code that they are given (`torch.hub`, `LightningCLI`)."""

UNTRUSTED = {
    "mmattn.benchmarks": "writes files and starts processes",
    "mmattn.build": "builds whatever a config names",
    "mmattn.cli": "runs whole commands",
    "mmattn.compare": "trains in processes of its own, and removes folders",
    "mmattn.composition": "may import other folders",
    "mmattn.report": "writes files",
    "mmattn.run": "writes files",
    "mmattn.why": "trains models and starts processes",
    "timm.data.dataset_factory": "downloads data sets, which may bring code",
    "timm.data.readers": "downloads data sets, which may bring code",
    "timm.models": "loads weights from any address",
    "timm.utils": "reads and writes checkpoints",
}
"""What is refused in the packages of `TRUSTED`, by where it was made, and why."""


def check_targets(config: DictConfig, also: Sequence[str] = ()) -> None:
    """Refuse a stored config that names what is neither in `TRUSTED` nor in `also`: it could carry an attack."""
    if "${" in OmegaConf.to_yaml(config):  # could make another target each time that it is read
        raise ConfigError("The config of a run folder holds values as they are, and this one computes some: ${…}.")
    for path, node in nodes(config, ""):
        target = str(node["_target_"])
        fault = _fault(target, also)
        if fault is not None:
            raise ConfigError(
                f"{path}._target_={target} is not trusted in a run folder: {fault}. If it is yours, name the folder of "
                "the module that makes it: --config-dir DIR."
            )


def nodes(node: Any, path: str) -> list[tuple[str, Any]]:
    """(dotted path, node) of everything in a config that has a `_target_`."""
    found = []
    if isinstance(node, DictConfig):
        if "_target_" in node:
            found.append((path, node))
        for key in node:
            if not OmegaConf.is_missing(node, key):
                found += nodes(node[key], f"{path}.{key!s}".lstrip("."))
    elif isinstance(node, ListConfig):
        for index, each in enumerate(node):
            found += nodes(each, f"{path}[{index}]")
    return found


def _fault(target: str, also: Sequence[str]) -> str | None:
    """What speaks against a target; None where it is trusted, or cannot be imported, which `make` says."""
    own = _within(target, also)
    if not own and not _within(target, TRUSTED):
        return "it is in no package that a run may name"
    if not own and any(part.startswith("_") for part in target.split(".")):  # before an import runs it
        return "it is private"
    try:
        found = get_object(target)
    except Exception:
        return None
    if not _within(str(getattr(found, "__module__", None)), (*TRUSTED, *also)):
        return "it was made elsewhere"  # as mmattn.run.subprocess.run was
    return None if own else _fault_of(found)


def _fault_of(found: Any) -> str | None:
    """What speaks against an object that was made in one of the packages of `TRUSTED`."""
    if not inspect.isroutine(found) and not inspect.isclass(found):
        return "it is neither a class nor a function"
    if "." in found.__qualname__:
        return "it is a part of a class"
    origin = f"{found.__module__}.{found.__qualname__}"
    return next((f"it {why}" for name, why in UNTRUSTED.items() if _within(origin, [name])), None)


def _within(target: str, packages: Sequence[str]) -> bool:
    return any(f"{target}.".startswith(f"{name}.") for name in packages)
