"""mmattn: one attention backbone for every kind of data.

The public names are imported when they are first asked for, so that `mmattn --help` does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmattn.adaptive import AdaptiveBlock
    from mmattn.backbone import Backbone, Block
    from mmattn.biases import ALiBi, Bias
    from mmattn.errors import BadSample, ConfigError, MmattnError
    from mmattn.kernels import attend
    from mmattn.key_value_encoder import KeyValueEncoder
    from mmattn.latents import Latents
    from mmattn.memory import Memory
    from mmattn.mixers import (
        AdditiveAttention,
        Attention,
        BothWays,
        Convolution,
        CrossAttention,
        DeltaRule,
        GatedLinearAttention,
        KeyValueAttention,
        LinearAttention,
        Mamba2,
        Mixer,
        MultiplicativeAttention,
        Recurrent,
        Retention,
    )
    from mmattn.patterns import Causal, Full, GlobalTokens, Pattern, PrefixLM, SlidingWindow, Strided, Visibility
    from mmattn.positions import Learned, Position, Rotary, Sinusoidal
    from mmattn.sequence import TokenInfo, TokenSequence, join

__version__ = "0.1.0"

__all__ = [
    "ALiBi", "AdaptiveBlock", "AdditiveAttention", "Attention", "Backbone", "BadSample", "Bias", "Block", "BothWays",
    "Causal", "ConfigError", "Convolution", "CrossAttention", "DeltaRule", "Full", "GatedLinearAttention",
    "GlobalTokens", "KeyValueAttention", "KeyValueEncoder", "Latents", "Learned", "LinearAttention", "Mamba2",
    "Memory", "Mixer", "MmattnError", "MultiplicativeAttention", "Pattern", "Position", "PrefixLM", "Recurrent",
    "Retention", "Rotary", "Sinusoidal", "SlidingWindow", "Strided", "TokenInfo", "TokenSequence", "Visibility",
    "attend", "join",
]  # fmt: skip

_MODULES = (
    "errors", "sequence", "memory", "patterns", "biases", "positions", "kernels", "mixers", "backbone", "adaptive",
    "latents", "key_value_encoder",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            found = getattr(import_module(f"mmattn.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module 'mmattn' has no attribute '{name}'")
