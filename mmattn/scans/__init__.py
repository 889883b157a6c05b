"""Linear recurrences over tokens, in chunks: what mixers with a state of fixed size compute."""

from mmattn.scans.channelwise import channelwise
from mmattn.scans.decayed import decayed
from mmattn.scans.delta import delta
from mmattn.scans.scan import single
from mmattn.scans.segments import Segments

__all__ = ["Segments", "channelwise", "decayed", "delta", "single"]
