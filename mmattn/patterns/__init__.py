"""Who may attend to whom: one predicate a file, combined with `&`, `|` and `~`."""

from mmattn.patterns.causal import Causal
from mmattn.patterns.full import Full, SameDocument
from mmattn.patterns.global_tokens import GlobalTokens
from mmattn.patterns.pattern import Both, Either, Facts, Not, Pattern, axis, divisible
from mmattn.patterns.prefix_lm import PrefixLM
from mmattn.patterns.sliding_window import SlidingWindow
from mmattn.patterns.visibility import Visibility

__all__ = [
    "Both", "Causal", "Either", "Facts", "Full", "GlobalTokens", "Not", "Pattern", "PrefixLM",
    "SameDocument", "SlidingWindow", "Visibility", "axis", "divisible",
]  # fmt: skip
