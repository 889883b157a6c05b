"""Comparisons: several ways to do the same, at the same budget, with what was expected and what was measured."""

from mmattn.compare.findings import Claim, Comparison, Findings, Table, at_least, at_most, mean_and_deviation
from mmattn.compare.kept import Kept

__all__ = ["Claim", "Comparison", "Findings", "Kept", "Table", "at_least", "at_most", "mean_and_deviation"]
