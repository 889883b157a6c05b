"""What attention does inside a trained model: its maps, exact whichever kernel ran, and edits of them."""

from mmattn.lens.align import aligned
from mmattn.lens.edit import edited
from mmattn.lens.edits import Blend, Chain, Replace, Rescale
from mmattn.lens.heat import heat_map, inside, labels, pointing
from mmattn.lens.maps import Maps, capture
from mmattn.lens.mean import Mean
from mmattn.lens.page import Row, page, strip
from mmattn.lens.record import Record

__all__ = [
    "Blend", "Chain", "Maps", "Mean", "Record", "Replace", "Rescale", "Row", "aligned", "capture", "edited",
    "heat_map", "inside", "labels", "page", "pointing", "strip",
]  # fmt: skip
