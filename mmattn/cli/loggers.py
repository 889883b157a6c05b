"""Where a training's metrics go."""

from __future__ import annotations

from lightning.pytorch.loggers import CSVLogger, Logger
from omegaconf import DictConfig

from mmattn.build import make
from mmattn.errors import ConfigError
from mmattn.run import Run


def loggers(config: DictConfig, run: Run) -> list[Logger]:
    """`metrics.csv` in the run folder, and the config's loggers. Raises `ConfigError` where one is not installed."""
    found: list[Logger] = [CSVLogger(run.folder, name="", version="")]
    for name in config.loggers or ():
        try:
            found.append(make(config, f"loggers.{name}")(save_dir=run.folder))
        except ModuleNotFoundError as error:
            raise ConfigError(f"loggers.{name} needs a package that is not installed: {error}") from error
    return found
