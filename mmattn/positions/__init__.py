"""Where tokens are: added to the embeddings, or turned into queries and keys."""

from mmattn.positions.learned import Learned
from mmattn.positions.position import Position, Rotation
from mmattn.positions.rotary import Rotary, rotate
from mmattn.positions.sinusoidal import Sinusoidal

__all__ = ["Learned", "Position", "Rotary", "Rotation", "Sinusoidal", "rotate"]
