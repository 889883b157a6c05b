"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("mmattn", deadline=None)  # a machine that is busy is no fault of the code
settings.load_profile("mmattn")
