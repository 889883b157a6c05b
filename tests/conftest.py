"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import settings

if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # before torch is imported: workers with threads of their own each slow one another
    os.environ["OMP_NUM_THREADS"] = "1"

settings.register_profile("mmattn", deadline=None)  # a machine that is busy is no fault of the code
settings.load_profile("mmattn")
