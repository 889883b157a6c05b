"""Who may attend to whom: one predicate a file, combined with `&`, `|` and `~`."""

from mmattn.patterns.block_map import BlockMap, block_map
from mmattn.patterns.causal import Causal
from mmattn.patterns.chunk import Chunk, ChunkedCausal
from mmattn.patterns.facts import Facts, axis
from mmattn.patterns.full import Full, SameDocument
from mmattn.patterns.global_tokens import GlobalTokens
from mmattn.patterns.modality import CrossModality, SameModality
from mmattn.patterns.neighbourhood import Neighbourhood
from mmattn.patterns.pattern import Both, Either, Not, Pattern, divisible
from mmattn.patterns.prefix_lm import PrefixLM
from mmattn.patterns.sliding_window import SlidingWindow
from mmattn.patterns.strided import Strided
from mmattn.patterns.visibility import Visibility

__all__ = [
    "BlockMap", "Both", "Causal", "Chunk", "ChunkedCausal", "CrossModality", "Either", "Facts", "Full", "GlobalTokens",
    "Neighbourhood", "Not", "Pattern", "PrefixLM", "SameDocument", "SameModality", "SlidingWindow", "Strided",
    "Visibility", "axis", "block_map", "divisible",
]  # fmt: skip
