"""The errors that a user can mend: one clear message that names the thing and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MmattnError(Exception):
    """Base of the errors that the command line prints as one message, without a traceback."""

    status = 1
    """The exit status of a command that ends so."""


class ConfigError(MmattnError):
    """A config key or value that cannot be used."""


class TooLong(ConfigError):
    """A sample for which a model has no room."""


class RunError(MmattnError):
    """A run folder or a checkpoint that cannot be written, read or fitted."""


class TrainingError(MmattnError):
    """Training reached a state from which it cannot usefully go on."""


class Diverged(TrainingError):
    """A loss that is no number."""

    status = 4


class ContractError(MmattnError):
    """A part that breaks a rule of its contract: names the rule, what was seen and the remedy."""


class BadSample(MmattnError):
    """A sample that cannot be used; `name` says which one, `fault` what is wrong with it."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"{name}: {fault}")
        self.name, self.fault = name, fault

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.name, self.fault)  # data loader workers pickle their errors


def nearest(word: str, valid: Iterable[str]) -> str:
    """`" Did you mean 'x'?"` for the valid name closest to `word`, or an empty string."""
    close = difflib.get_close_matches(word, sorted(valid), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
