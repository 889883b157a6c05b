"""A forward pass reads no tensor on the host, where that would make a device wait.

Tensors of the meta device have no values: whatever is read raises.
"""

from __future__ import annotations

import pytest
import torch

from mmattn import Causal, Full, Learned, Rotary, Sinusoidal, SlidingWindow, TokenInfo, TokenSequence, join
from mmattn.heads import AttentionPool, FirstPool, LastPool, MeanPool
from mmattn.prefix import PrefixTokens
from tests.core.examples import backbone


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pattern", [Full(), Causal(), SlidingWindow(1, 1)], ids=str)
@pytest.mark.parametrize(
    "position", [Learned(16, [8]), Rotary(), Sinusoidal()], ids=["learned", "rotary", "sinusoidal"]
)
def test_nothing_is_read(position, pattern, side):
    info = TokenInfo.from_lengths([5, 3], side=side, device="meta")
    with torch.device("meta"):
        tokens = PrefixTokens(16, 2)(TokenSequence(torch.zeros(2, 5, 16), info))
    assert tokens.info.layout.one_document
    model = backbone(pattern, position).to("meta", torch.float32)
    out = model(join([tokens, tokens], side))
    for pool in (MeanPool, FirstPool, LastPool, AttentionPool):
        assert pool(16).to("meta")(out, 2).shape == (2, 16)


def test_a_read_is_noticed():
    with pytest.raises(RuntimeError):
        _ = TokenInfo(*[torch.zeros(1, 2, 1, device="meta").long()] * 5).layout
