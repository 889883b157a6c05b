"""What attention does inside a trained model: its maps, exact whichever kernel ran."""

from mmattn.lens.maps import Maps, capture
from mmattn.lens.mean import Mean
from mmattn.lens.record import Record

__all__ = ["Maps", "Mean", "Record", "capture"]
