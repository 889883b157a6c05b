"""How the tokens of a document are mixed: one way a file, all in the same slot."""

from mmattn.mixers.additive_attention import AdditiveAttention
from mmattn.mixers.attention import Attention, Cache
from mmattn.mixers.both_ways import BothWays
from mmattn.mixers.convolution import Convolution
from mmattn.mixers.cross_attention import CrossAttention
from mmattn.mixers.delta_rule import DeltaRule
from mmattn.mixers.gated import Gated
from mmattn.mixers.gated_linear_attention import GatedLinearAttention
from mmattn.mixers.grid_convolution import GridConvolution
from mmattn.mixers.headed import Headed
from mmattn.mixers.key_value_attention import KeyValueAttention
from mmattn.mixers.linear_attention import LinearAttention
from mmattn.mixers.mamba2 import Mamba2
from mmattn.mixers.mixer import Mixer
from mmattn.mixers.multiplicative_attention import MultiplicativeAttention
from mmattn.mixers.recurrent import Recurrent
from mmattn.mixers.retention import Retention

__all__ = [
    "AdditiveAttention",
    "Attention",
    "BothWays",
    "Cache",
    "Convolution",
    "CrossAttention",
    "DeltaRule",
    "Gated",
    "GatedLinearAttention",
    "GridConvolution",
    "Headed",
    "KeyValueAttention",
    "LinearAttention",
    "Mamba2",
    "Mixer",
    "MultiplicativeAttention",
    "Recurrent",
    "Retention",
]
