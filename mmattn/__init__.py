"""mmattn: one attention backbone for every kind of data."""

from mmattn.backbone import Backbone, Block
from mmattn.errors import BadSample, ConfigError, MmattnError
from mmattn.kernels import attend
from mmattn.mixers import Attention, Mixer
from mmattn.patterns import Causal, Full, GlobalTokens, Pattern, PrefixLM, SlidingWindow, Visibility
from mmattn.positions import Learned, Position, Rotary, Sinusoidal
from mmattn.sequence import TokenInfo, TokenSequence, join

__version__ = "0.1.0"

__all__ = [
    "Attention", "Backbone", "BadSample", "Block", "Causal", "ConfigError", "Full", "GlobalTokens", "Learned",
    "Mixer", "MmattnError", "Pattern", "Position", "PrefixLM", "Rotary", "Sinusoidal", "SlidingWindow",
    "TokenInfo", "TokenSequence", "Visibility", "attend", "join",
]  # fmt: skip
