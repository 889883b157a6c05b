"""Settings that tests of the core ask for."""

from __future__ import annotations

import pytest


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of few tokens, so that short sequences have many of them."""
    monkeypatch.setattr("mmattn.kernels.plan.COST", {4: 1.45, 8: 1.2, 16: 1.05})
