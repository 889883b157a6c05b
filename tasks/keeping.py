"""Tasks that keep a tensor which is no weight."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmattn.tasks.base import Task


class KeepingTask(Task):
    """Its attribute named `keeps`, a tensor that training sets, goes into checkpoints as it is.

    It is no buffer: callbacks that average weights average these, too.
    """

    keeps: str

    def get_extra_state(self) -> Tensor:
        return getattr(self, self.keeps)

    def set_extra_state(self, state: Tensor) -> None:
        setattr(self, self.keeps, state)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        # A callback that averages weights puts in those of a copy, which was made before anything was seen.
        checkpoint["state_dict"]["_extra_state"] = self.get_extra_state()
