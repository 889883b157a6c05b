"""How the tokens of a document are mixed: one way a file, all in the same slot."""

from mmattn.mixers.attention import Attention, Cache
from mmattn.mixers.convolution import Convolution
from mmattn.mixers.cross_attention import CrossAttention
from mmattn.mixers.gated import Gated
from mmattn.mixers.grid_convolution import GridConvolution
from mmattn.mixers.headed import Headed
from mmattn.mixers.mixer import Mixer
from mmattn.mixers.recurrent import Recurrent

__all__ = [
    "Attention",
    "Cache",
    "Convolution",
    "CrossAttention",
    "Gated",
    "GridConvolution",
    "Headed",
    "Mixer",
    "Recurrent",
]
