"""Lightning's advice is about code, not about a user's run: it is silenced. Warnings of our own and of others stay."""

from __future__ import annotations

import logging
import warnings

from lightning.fabric.utilities.warnings import PossibleUserWarning

ADVICE = (
    r".*LeafSpec.*is deprecated",  # torch, about how Lightning calls it
    r"Checkpoint directory .* exists and is not empty",
    r"Experiment logs directory .* exists and is not empty",
    r"You're using the WeightAveraging callback, but loading a checkpoint",
    r"The `srun` command is available",
    r".*is supported only for historical reasons",
)


def quiet() -> None:
    """Silence Lightning's information lines and its advice."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=PossibleUserWarning)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    for message in ADVICE:
        warnings.filterwarnings("ignore", message=message)
