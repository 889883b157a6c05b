"""Optimizers over a whole task: `module -> Optimizer`."""

from mmattn.optimizers.adamw import adamw
from mmattn.optimizers.muon import Muon, muon

__all__ = ["Muon", "adamw", "muon"]
