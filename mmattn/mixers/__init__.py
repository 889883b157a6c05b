"""A layer's token mixing."""

from mmattn.mixers.attention import Attention
from mmattn.mixers.convolution import Convolution
from mmattn.mixers.mixer import Mixer

__all__ = ["Attention", "Convolution", "Mixer"]
